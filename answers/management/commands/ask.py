"""`ask`: put one question or a file of them to a workspace, and wait for the endings."""

import textwrap
import time
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from answers import endpoints, questions, reading
from answers.exceptions import EndpointError, QuestionError
from answers.language import speaking
from answers.models import Answer, ModelEndpoint, TemplateVersion
from answers.rag_templates import choosing
from answers.rag_templates.choosing import Standard
from answers.reading import Reading
from answers.states import HELD, OPEN, RELEASED
from workspaces.commands import PortalCommand
from workspaces.dispatch import inline, worker_is_up
from workspaces.models import User, Workspace
from workspaces.question_file import read_questions
from workspaces.roles import Action

QUEUE = "interactive"
_POLL_SECONDS = 0.1
#: For the queue, beside the model's own limit.
_PATIENCE_SECONDS = 120
_WIDTH = 100


class Command(PortalCommand):
    help = "Ask a workspace a question, with the rights of the person named."
    acts_as_person = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG", help="the workspace")
        parser.add_argument("question", metavar="QUESTION", nargs="?", help="the question, in quotation marks")
        parser.add_argument(
            "--questions", dest="file", metavar="FILE.jsonl", type=Path, help='JSON lines of {"id", "text"} instead'
        )
        parser.add_argument("--template", metavar="NAME", help="a template the workspace offers, by its code")
        parser.add_argument("--model", metavar="NAME", help="a model the workspace offers, instead of its default")

    def run(
        self,
        *,
        slug: str,
        question: str | None,
        file: Path | None,
        model: str | None,
        template: str | None,
        user: User,
        **options: Any,
    ) -> Any:
        if (question is None) == (file is None):
            raise CommandError(_("Give one question, or a file of them with --questions."), returncode=2)
        workspace = self.workspace(user, slug, Action.ASK)
        endpoint = _endpoint(workspace, model) if model else None
        version = choosing.named(template, workspace) if template else None
        # Nobody else is there to do it: this process does.
        place = nullcontext() if worker_is_up(QUEUE) else inline()
        with place:
            if file is None:
                return self._ask(workspace, str(question), user, endpoint, version)
            return [
                {"id": id, "question": text, **self._ask(workspace, text, user, endpoint, version)}
                for id, text in read_questions(file)
            ]

    def _ask(
        self,
        workspace: Workspace,
        text: str,
        user: User,
        endpoint: ModelEndpoint | None,
        template: TemplateVersion | Standard | None,
    ) -> dict[str, Any]:
        answer = questions.ask(workspace=workspace, text=text, by=user, endpoint=endpoint, template=template)
        answer = _ended(answer)
        with speaking(answer.question.language):
            seen = reading.read(answer, by=user)
            self._show(seen)
            if answer.status not in (*RELEASED, *HELD):
                self.does_not_hold()
            return reading.as_document(seen)

    def _show(self, seen: Reading) -> None:
        if seen.text:
            self.say(textwrap.fill(seen.text, _WIDTH))
            self.say()
            for citation in seen.citations:
                self.say(f"[{citation.number}] {citation.document.title}, {citation.locator}")
        self.say(seen.sentence)
        if seen.answer.failure_detail:
            self.say(f"({seen.answer.failure_detail})")
        self.say()


def _endpoint(workspace: Workspace, name: str) -> ModelEndpoint:
    offered = {endpoint.name: endpoint for endpoint in endpoints.choices_for(workspace)}
    if name not in offered:
        raise EndpointError(
            _("This workspace offers no model “%(name)s”; it offers: %(offered)s.")
            % {"name": name, "offered": ", ".join(sorted(offered))}
        )
    return offered[name]


def _ended(answer: Answer) -> Answer:
    """The answer once it has an ending. Raises QuestionError when none comes within the limits."""
    until = None
    while True:
        answer = Answer.objects.select_related("question", "workspace", "endpoint").get(pk=answer.pk)
        if answer.status not in OPEN:
            return answer
        endpoint = answer.endpoint or endpoints.default_for(answer.workspace)
        until = until or time.monotonic() + endpoint.total_seconds + _PATIENCE_SECONDS
        if time.monotonic() > until:
            raise QuestionError(
                _("No answer yet. It goes on without this command, under the number %(id)s.") % {"id": answer.pk}
            )
        time.sleep(_POLL_SECONDS)
