"""`sync SLUG [SOURCE] --as USER`: look at the sources of a workspace now, and wait until that has ended."""

import time
from argparse import ArgumentParser
from typing import Any

from documents.exceptions import SourceError
from documents.models import OPEN_RUNS, RunKind, RunState, Source, SourceRun
from documents.sources import sync
from documents.sources.keeping import ask_run
from documents.sources.naming import closed_names
from documents.sources.problems import sentence
from workspaces import access
from workspaces.commands import PortalCommand
from workspaces.dispatch import inline, worker_is_up
from workspaces.models import User
from workspaces.roles import Action

_QUEUE = "sources"
_POLL_SECONDS = 0.5
_COUNTS = ("listed", "added", "changed", "unchanged", "removed", "held", "failed", "skipped")


class Command(PortalCommand):
    help = "Bring documents in step with the sources of a workspace. Exits with 1 if anything went wrong or waits."
    acts_as_person = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG", help="the workspace")
        parser.add_argument("source", metavar="SOURCE", nargs="?", default="", help="one by its name; all without it")
        parser.add_argument("--preview", action="store_true", help="say what a sync would do, and do nothing")

    def run(self, *, slug: str, source: str, preview: bool, user: User) -> dict[str, Any]:
        workspace = self.workspace(user, slug, Action.MANAGE_DOCUMENTS)
        sources = access.visible(user, Source).filter(workspace=workspace)
        if source:
            sources = sources.filter(name=source)
        if not sources:
            raise SourceError(f"There is no source called {source}." if source else "This workspace has no sources.")
        kind = RunKind.PREVIEW if preview else RunKind.SYNC
        return {"runs": [self._report(self._run(one, kind, user), user) for one in sources]}

    def _run(self, source: Source, kind: str, user: User) -> SourceRun:
        """Ask for a run and wait for it; where no worker is up it is done here."""
        if worker_is_up(_QUEUE):
            run = ask_run(source, kind, by=user)
        else:
            with inline():
                run = ask_run(source, kind, by=user)
        while SourceRun.objects.filter(pk=run.pk, state__in=OPEN_RUNS).exists():
            if not worker_is_up(_QUEUE):
                # The workers went away: what they left is finished here, once their lease is over.
                sync.work(run.pk)
            time.sleep(_POLL_SECONDS)
        run.refresh_from_db()
        return run

    def _report(self, run: SourceRun, user: User) -> dict[str, Any]:
        if run.state != RunState.DONE or run.failed:
            self.does_not_hold()
        problem = sentence(run.problem, run.problem_detail) if run.problem else ""
        closed = closed_names(run.source, [one["path"] for one in run.problems], to=user)
        problems = [
            {"path": one["path"], "reason": sentence(one["code"], one["detail"])}
            for one in run.problems
            if one["path"] not in closed
        ]
        counts = {name: getattr(run, name) for name in _COUNTS}
        said = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
        self.say(f"{run.source.name}: {run.state}. {problem or said}")
        for one in problems:
            self.say(f"  {one['path']}: {one['reason']}")
        return {
            "source": run.source.name,
            "run_id": run.pk,
            "kind": run.kind,
            "state": run.state,
            "complete": run.complete,
            **counts,
            "would": {name: run.found[name] for name in ("add", "change", "remove") if name in run.found},
            "reason": problem,
            "problems": problems,
        }
