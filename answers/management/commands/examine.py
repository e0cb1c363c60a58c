"""`examine`: hold a draft against the guidance of a workspace, and print what was found in it."""

import time
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from answers import endpoints
from answers.draft_review import told
from answers.draft_review.bringing import bring, read_file
from answers.exceptions import ExaminationError
from answers.models import OPEN_EXAMINATIONS, Examination, ExaminationState
from workspaces.classification import Classification
from workspaces.commands import PortalCommand
from workspaces.dispatch import inline, worker_is_up
from workspaces.models import User
from workspaces.roles import Action

QUEUE = "interactive"
_POLL_SECONDS = 0.5
#: A draft of fifty pages with a slow model, and the queue before it.
_PATIENCE_SECONDS = 1800


class Command(PortalCommand):
    help = (
        "Hold a draft of up to 50 pages against the documents of a workspace that the person named may open. Exits "
        "with 1 when it could not be examined."
    )
    acts_as_person = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG", help="the workspace")
        parser.add_argument("file", metavar="FILE", type=Path, help="the draft")
        parser.add_argument("--classification", choices=Classification.values, default=Classification.INTERNAL.value)
        parser.add_argument("--model", metavar="NAME", help="a model the workspace offers, instead of its default")

    def run(
        self, *, slug: str, file: Path, classification: str, model: str | None, user: User, **options: Any
    ) -> dict[str, Any]:
        workspace = self.workspace(user, slug, Action.ASK)
        endpoint = endpoints.named(model, workspace) if model else None
        try:
            brought = read_file(SimpleUploadedFile(file.name, file.read_bytes()))
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be read: %(why)s.") % {"file": file, "why": error.strerror}, returncode=2
            ) from error
        # Nobody else is there to do it: this process does.
        with nullcontext() if worker_is_up(QUEUE) else inline():
            made = _ended(bring(workspace, brought, by=user, classification=classification, endpoint=endpoint))
        document = told.as_document(made, by=user)
        self._show(document)
        if made.state not in (ExaminationState.RELEASED, ExaminationState.HELD):
            self.does_not_hold()
        return document

    def _show(self, document: dict[str, Any]) -> None:
        self.say(f"{document['title']}: {document['sentence']}")
        for one in document["findings"]:
            words = f" “{' '.join(one['words'].split())}”" if one["words"] else ""
            self.say(f"{one['n']:>3} {one['severity']:<8}{one['category']:<13}{words} {one['explanation']}")
            if one["quote"]:
                self.say(f"    {one['title']}: “{' '.join(one['quote'].split())}”")


def _ended(examination: Examination) -> Examination:
    """The examination once nobody owes it a step. Raises ExaminationError when that takes too long."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        found = Examination.objects.select_related("workspace", "template__template").get(pk=examination.pk)
        if found.state not in OPEN_EXAMINATIONS:
            return found
        if time.monotonic() > until:
            raise ExaminationError(_("Drafts of yours are still being examined. Wait until one is done."))
        time.sleep(_POLL_SECONDS)
