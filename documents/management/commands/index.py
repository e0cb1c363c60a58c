"""`manage.py index verify|rebuild [SLUG]`: compare the vector index with the database both ways, or make it anew.

`index migrate SLUG STEP --as USER` takes a workspace into another embedding space, a step at a time.
"""

import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from audit import context
from documents import reconcile
from documents.models import ComparisonState, SpaceComparison, SpaceMigration
from documents.reconcile import Difference
from documents.reembedding import building, comparing, steering
from documents.reembedding.page import ACTS, Compared, Way
from documents.reembedding.problems import ReembeddingError
from documents.reembedding.spaces import kept_beside
from documents.spaces import space_of
from documents.states import COMPARABLE, MigrationState
from workspaces.commands import PortalCommand
from workspaces.exceptions import PortalError
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: Ids named in the report of one workspace; the counts are always whole.
_NAMED = 20
#: How often it is looked whether a worker has got further.
_POLL_SECONDS = 0.5
#: The steps of `migrate`, by what they are called on a command line.
_STEPS = {"status": "", "plan": "plan", "compare": "compare"} | {act.replace("_", "-"): act for act in ACTS}


class Command(PortalCommand):
    help = "Compare the vector index with the database, make it anew, or take a workspace into another embedding space."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("act", choices=["verify", "rebuild", "migrate"])
        parser.add_argument("slug", nargs="?", metavar="SLUG", help="one workspace; all of them without it")
        parser.add_argument("step", nargs="?", choices=list(_STEPS), default="status", help="of migrate")
        parser.add_argument("--as", dest="person", metavar="USER", help="whose rights migrate uses")
        parser.add_argument("--to", default="", metavar="NAME", help="plan: the embedding model to go to")
        parser.add_argument("--questions", default="", metavar="FILE", help="compare: a question a line, or JSON lines")
        parser.add_argument("--wait", action="store_true", help="start, compare, drop: until it is done")

    def run(self, *, act: str, slug: str | None, **options: Any) -> dict[str, Any]:
        if act == "migrate":
            return self._migrate(slug, **options)
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
        return self._beside(difference.workspace) | {
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

    def _beside(self, slug: str) -> dict[str, Any]:
        """What a change of the embedding model keeps beside the index that is searched, where there is one."""
        migration = steering.current(Workspace.objects.get(slug=slug))
        if migration is None or migration.state not in COMPARABLE:
            return {}
        space = kept_beside(migration)
        difference = reconcile.compare(migration.workspace, space)
        if not difference.is_none and migration.covered_revision == migration.workspace.index_revision:
            self.does_not_hold()
            self.say(f"  {space.name}, kept beside it: {len(difference.missing)} missing. A rebuild brings them back.")
        counts = {name: len(getattr(difference, name)) for name in ("missing", "foreign", "unembedded")}
        return {"beside": {"space": space.name, **counts}}

    # --- migrate --------------------------------------------------------------------------------------------

    def _migrate(self, slug: str | None, *, step: str, person: str | None, wait: bool, **given: Any) -> dict[str, Any]:
        if not slug or not person:
            raise PortalError(_("index migrate needs a workspace, and --as USER."))
        user = self._person(person)
        with context.acting(user):
            workspace = self.workspace(user, slug, Action.MANAGE)
            comparison = self._step(step, workspace, user, wait=wait, **given)
            migration = steering.current(workspace) or workspace.space_migrations.order_by("-planned_at").first()
        if migration is not None and migration.state == MigrationState.FAILED:
            self.does_not_hold()
        return self._told(workspace, migration, comparison, user)

    def _step(
        self, step: str, workspace: Workspace, user: User, *, to: str, questions: str, wait: bool
    ) -> SpaceComparison | None:
        """Take the step, and wait for what it began."""
        if step == "plan":
            steering.plan(workspace, to=to, by=user)
            return None
        migration = steering.current(workspace) or workspace.space_migrations.order_by("-planned_at").first()
        if step == "status":
            return migration.comparisons.first() if migration else None
        if migration is None:
            raise ReembeddingError(_("Nothing is planned here: index migrate SLUG plan --to NAME comes first."))
        if step == "compare":
            comparison = steering.compare(migration, by=user, written=_read(questions))
            self._until(
                lambda: comparing.work(comparison.pk),
                lambda: not SpaceComparison.objects.filter(pk=comparison.pk, state=ComparisonState.RUNNING).exists(),
                wait=wait,
            )
            comparison.refresh_from_db()
            return comparison
        getattr(steering, _STEPS[step])(migration, by=user)
        working = SpaceMigration.objects.filter(
            pk=migration.pk, state__in=(MigrationState.BUILDING, MigrationState.DROPPING)
        )
        self._until(lambda: building.work(migration.pk), lambda: not working.exists(), wait=wait)
        return None

    def _until(self, work: Callable[[], str], is_over: Callable[[], bool], *, wait: bool) -> None:
        """Do the work here unless a worker holds it, until it is over."""
        while wait and not is_over():
            if work() != "more":
                time.sleep(_POLL_SECONDS)

    def _told(
        self, workspace: Workspace, migration: SpaceMigration | None, comparison: SpaceComparison | None, user: User
    ) -> dict[str, Any]:
        searched = space_of(workspace.pk).name
        document: dict[str, Any] = {
            "workspace": workspace.slug,
            "searched": searched,
            "choices": [space.name for space in steering.choices(workspace)],
            "migration": None,
            "comparison": None,
        }
        self.say(f"{workspace.slug} is searched with {searched}.")
        if migration is not None:
            way = Way(migration)
            document["migration"] = way.as_document()
            self.say(f"{migration.source.name} → {migration.target.name}: {migration.get_state_display()}.")
            self.say(f"  {migration.done} of {migration.total} passages. {way.sentence}".rstrip())
        if comparison is not None:
            document["comparison"] = Compared(comparison, user).as_document()
            self.say(f"  {comparison.get_state_display()}: {comparison.summary}")
        return document


def _read(file: str) -> str:
    if not file:
        return ""
    try:
        written = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReembeddingError(_("%(file)s cannot be read.") % {"file": file}) from error
    if not written.strip():
        raise ReembeddingError(_("There is no question in %(file)s.") % {"file": file})
    return written
