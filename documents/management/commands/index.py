"""`manage.py index verify|rebuild [SLUG]`: compare the vector index with the database both ways, or make it anew."""

from argparse import ArgumentParser
from typing import Any

from documents import reconcile
from documents.reconcile import Difference
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
        work = reconcile.compare if act == "verify" else reconcile.rebuild
        return {"workspaces": [self._report(work(workspace)) for workspace in workspaces]}

    def _report(self, difference: Difference) -> dict[str, Any]:
        counts = f"{len(difference.missing)} missing, {len(difference.foreign)} that do not belong"
        if difference.is_none:
            self.say(f"{difference.workspace}: {difference.passages} passages, index and database agree.")
        else:
            self.does_not_hold()
            self.say(f"{difference.workspace}: {difference.passages} passages, {counts}.")
            if difference.unembedded:
                self.say(f"  Passages without a stored vector: {len(difference.unembedded)}.")
            self.say(f"  Make it anew with: manage.py index rebuild {difference.workspace}")
        return {
            "workspace": difference.workspace,
            "ok": difference.is_none,
            "passages": difference.passages,
            "missing": len(difference.missing),
            "foreign": len(difference.foreign),
            "unembedded": len(difference.unembedded),
            "ids": {
                "missing": sorted(difference.missing)[:_NAMED],
                "foreign": sorted(difference.foreign)[:_NAMED],
                "unembedded": sorted(difference.unembedded)[:_NAMED],
            },
        }
