"""`manage.py index verify|rebuild [SLUG]`: compare the vector index with the database both ways, or make it anew."""

from argparse import ArgumentParser
from typing import Any

from documents import reconcile
from documents.embedding.spaces import space_of
from documents.indexing import soundness
from documents.reconcile import Difference
from documents.reembedding import steering
from documents.reembedding.spaces import kept_beside
from documents.states import COMPARABLE
from workspaces.commands import PortalCommand
from workspaces.models import Workspace

#: Ids named in the report of one workspace; the counts are always whole.
_NAMED = 20


class Command(PortalCommand):
    help = "Compare the vector index with the database, or make it anew; only passages without a vector are embedded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("act", choices=["verify", "rebuild"])
        parser.add_argument("slug", nargs="?", metavar="SLUG", help="one workspace; all of them without it")

    def run(self, *, act: str, slug: str | None, **options: Any) -> dict[str, Any]:
        workspaces = [self.workspace(None, slug)] if slug else list(Workspace.objects.order_by("slug"))
        return {"workspaces": [self._verified(each) if act == "verify" else self._made(each) for each in workspaces]}

    def _made(self, workspace: Workspace) -> dict[str, Any]:
        return self._report(reconcile.rebuild(workspace))

    def _verified(self, workspace: Workspace) -> dict[str, Any]:
        report = self._report(reconcile.compare(workspace))
        look = soundness.look(workspace.pk, space_of(workspace.pk), at_all=True)
        if look.is_damaged:
            self.does_not_hold()
            self.say("  Its files are damaged: searches miss passages that it lists. Make it anew.")
        damage = {"wrong": look.wrong, "missed": look.missed, "unreadable": look.unreadable}
        return report | {"ok": report["ok"] and not look.is_damaged, "damage": damage}

    def _report(self, difference: Difference) -> dict[str, Any]:
        counts = f"{len(difference.missing)} missing, {len(difference.foreign)} that do not belong"
        if difference.is_none:
            self.say(f"{difference.workspace}: {difference.passages} passages, index and database agree.")
        else:
            self.does_not_hold()
            self.say(f"{difference.workspace}: {difference.passages} passages, {counts}.")
            if difference.unembedded:
                self.say(f"  Passages without a stored vector: {len(difference.unembedded)}.")
            if difference.partial:
                self.say("  It was begun anew and not completed: until it is, searches go without it.")
            self.say(f"  Make it anew with: manage.py index rebuild {difference.workspace}")
        return self._beside(difference.workspace) | {
            "workspace": difference.workspace,
            "ok": difference.is_none,
            "passages": difference.passages,
            "missing": len(difference.missing),
            "foreign": len(difference.foreign),
            "unembedded": len(difference.unembedded),
            "partial": difference.partial,
            "ids": {
                "missing": sorted(difference.missing)[:_NAMED],
                "foreign": sorted(difference.foreign)[:_NAMED],
                "unembedded": sorted(difference.unembedded)[:_NAMED],
            },
        }

    def _beside(self, slug: str) -> dict[str, Any]:
        """What a change of the embedding model keeps beside the index that is searched, where there is one."""
        migration = steering.current(Workspace.objects.get(slug=slug))
        if migration is None or migration.state not in COMPARABLE:
            return {}
        space = kept_beside(migration)
        difference = reconcile.compare(migration.workspace, space)
        if not difference.ids_agree and migration.covered_revision == migration.workspace.index_revision:
            self.does_not_hold()
            self.say(f"  {space.name}, kept beside it: {len(difference.missing)} missing. A rebuild brings them back.")
        counts = {name: len(getattr(difference, name)) for name in ("missing", "foreign", "unembedded")}
        return {"beside": {"space": space.name, **counts}}
