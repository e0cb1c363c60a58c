"""`manage.py readiness SLUG`: check a workspace's readiness now, and print what was found."""

from argparse import ArgumentParser
from typing import Any

from django.utils.translation import gettext as _

from workspaces.commands import PortalCommand
from workspaces.dispatch import inline
from workspaces.exceptions import PortalError
from workspaces.models import Outcome, ReadinessRun, ReadinessState
from workspaces.readiness import asking, reading, report, running
from workspaces.roles import Action

_SIGNS = {Outcome.PASS: "pass", Outcome.WARN: "WARN", Outcome.BLOCK: "BLOCK", Outcome.NONE: "-"}


class Command(PortalCommand):
    help = "Check whether a workspace is ready to be used; exits with 1 while something blocks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG", help="the workspace")
        parser.add_argument("--as", dest="username", metavar="USER", help="who asks; without it, the operator")

    def run(self, *, slug: str, username: str | None, **options: Any) -> dict[str, Any]:
        user = self._person(username) if username else None
        workspace = self.workspace(user, slug, Action.MANAGE)
        with inline():
            run = asking.check(workspace, by=user) if user else asking.check_for_operator(workspace)
            # Already done, unless this is inside of a transaction.
            running.run(run.pk)
        run = ReadinessRun.objects.select_related("workspace", "asked_by").get(pk=run.pk)
        if run.state != ReadinessState.DONE:
            raise PortalError(_("The check was not done: another worker has it, or it was broken off."))
        if not run.is_go:
            self.does_not_hold()
        sections = reading.sections(run, reader=user)
        self._tell(run, sections)
        return {
            "readiness": run.pk,
            "workspace": workspace.slug,
            "is_go": run.is_go,
            "score": run.score,
            "scores": run.scores,
            "ended_at": run.ended_at,
            "signed": bool(report.issue(run)),
            "results": [
                {
                    "code": line.result.code,
                    "area": line.result.area,
                    "outcome": line.result.outcome,
                    "sentence": line.sentence,
                    "facts": line.result.facts,
                    "milliseconds": line.result.milliseconds,
                    "fix": line.fix,
                }
                for section in sections
                for line in section.lines
            ],
        }

    def _tell(self, run: ReadinessRun, sections: list[reading.Section]) -> None:
        for section in sections:
            score = "" if section.score is None else f" {section.score}"
            self.say(f"{section.area.label}{score}")
            for line in section.lines:
                self.say(f"  {_SIGNS[line.outcome]:5} {line.label}: {line.sentence}")
        self.say(f"{'Go' if run.is_go else 'No go'}, {run.score} of 100.")
