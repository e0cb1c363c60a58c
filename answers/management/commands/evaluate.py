"""`manage.py evaluate SLUG CASES.jsonl`: ask a file of questions and print recall, citation, refusal and grounding."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from answers.evaluation import page, reading_files, runs, sets, working
from answers.evaluation.reading_files import Read
from answers.exceptions import EvaluationError
from answers.models import EvaluationRun, QuestionSet, RunState
from audit import context
from workspaces import access
from workspaces.commands import PortalCommand
from workspaces.dispatch import worker_is_up
from workspaces.models import User, Workspace
from workspaces.roles import Action, Role

QUEUE = "interactive"
_POLL_SECONDS = 0.2


class Command(PortalCommand):
    help = (
        "Ask a workspace the questions of a file (CSV or JSON lines) with a manager's rights, keep them as a question "
        "set and the results as a run, and print the figures. Exits with 1 when a question was not asked or ended in a "
        "fault."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG", help="the workspace")
        parser.add_argument("cases", metavar="CASES", type=Path, help="the file of questions")
        parser.add_argument("--as", dest="username", metavar="USER", help="whose rights to use (its first manager)")
        parser.add_argument("--set", dest="name", metavar="NAME", help="the question set (named as the file)")

    def run(self, *, slug: str, cases: Path, username: str | None, name: str | None, **options: Any) -> dict[str, Any]:
        user = self._person(username) if username else _first_manager(self.workspace(None, slug))
        with context.acting(user):
            workspace = self.workspace(user, slug, Action.MANAGE)
            read = self._read(cases, workspace, user)
            question_set = _set_called(name or cases.stem, workspace, user)
            codes = [case.code for case in read.cases]
            sets.put(question_set, read.cases, by=user)
            if all(codes):
                gone = question_set.cases.filter(until=None).exclude(code__in=codes).values_list("code", flat=True)
                if listed := list(gone):
                    sets.remove(question_set, listed, by=user)
            run = _ended(runs.start(question_set, by=user))
        self._show(run)
        counts = run.figures.get("counts", {})
        if run.state != RunState.DONE or counts["closed"] or counts["faults"]:
            self.does_not_hold()
        return page.as_document(run)

    def _read(self, cases: Path, workspace: Workspace, user: User) -> Read:
        try:
            content = cases.read_bytes()
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be read: %(why)s.") % {"file": cases, "why": error.strerror}, returncode=2
            ) from error
        read = reading_files.read(content, workspace=workspace, by=user)
        if read.mistakes:
            told = "; ".join(
                _("line %(line)d: %(sentence)s") % {"line": mistake.line, "sentence": mistake.sentence}
                for mistake in read.mistakes[:10]
            )
            raise CommandError(f"{cases}: {told}", returncode=2)
        return read

    def _show(self, run: EvaluationRun) -> None:
        who = run.started_by.get_username()
        self.say(_("%(cases)d questions with the rights of %(who)s") % {"cases": run.case_count, "who": who})
        self.say(page.what_ran(run))
        for line in page.lines(run):
            self.say(f"{line.label!s:32} {line.value:>10}  {line.between:24} n={line.n}")
        if run.problem:
            self.say(run.problem)


def _first_manager(workspace: Workspace) -> User:
    found = access.holders(workspace, Role.MANAGER).filter(is_active=True).order_by("date_joined", "pk").first()
    if found is None:
        raise EvaluationError(_("This workspace has no manager. Name somebody with --as."))
    return found


def _set_called(name: str, workspace: Workspace, by: User) -> QuestionSet:
    return QuestionSet.objects.filter(workspace=workspace, name=name).first() or sets.create(
        workspace, name=name, by=by
    )


def _ended(run: EvaluationRun) -> EvaluationRun:
    """The run once it is over; where no worker is up, this process asks the questions."""
    while True:
        if not worker_is_up(QUEUE):
            while working.work(run.pk):
                pass
        run = EvaluationRun.objects.select_related("workspace", "question_set", "started_by").get(pk=run.pk)
        if not run.is_open:
            return run
        time.sleep(_POLL_SECONDS)
