"""`manage.py embedding SLUG [STEP] --as USER`: take a workspace into another embedding space, a step at a time."""

import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from documents.embedding.spaces import space_of
from documents.models import ComparisonState, SpaceComparison, SpaceMigration
from documents.reembedding import building, comparing, steering
from documents.reembedding.page import ACTS, Compared, Way
from documents.reembedding.problems import ReembeddingError
from documents.states import MigrationState
from workspaces.commands import PortalCommand
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: How often it is looked whether a worker has got further.
_POLL_SECONDS = 0.5
#: What the steps are called on a command line.
_STEPS = {"status": "", "plan": "plan", "compare": "compare"} | {act.replace("_", "-"): act for act in ACTS}


class Command(PortalCommand):
    help = "Change a workspace's embedding model: estimate, build, compare, switch, roll back, remove what is unused."
    acts_as_person = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG", help="the workspace")
        parser.add_argument("step", nargs="?", choices=list(_STEPS), default="status")
        parser.add_argument("--to", default="", metavar="NAME", help="plan: the embedding model to go to")
        parser.add_argument("--questions", default="", metavar="FILE", help="compare: a question a line, or JSON lines")
        parser.add_argument("--wait", action="store_true", help="start, compare, drop: until it is done")

    def run(self, *, slug: str, step: str, user: User, **given: Any) -> dict[str, Any]:
        workspace = self.workspace(user, slug, Action.MANAGE)
        comparison = self._step(step, workspace, user, **given)
        migration = _latest(workspace)
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
        migration = _latest(workspace)
        if step == "status":
            return migration.comparisons.first() if migration else None
        if migration is None:
            raise ReembeddingError(_("Nothing is planned here: embedding SLUG plan --to NAME comes first."))
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


def _latest(workspace: Workspace) -> SpaceMigration | None:
    return steering.current(workspace) or workspace.space_migrations.order_by("-planned_at").first()
