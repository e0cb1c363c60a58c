"""The verb of who manages a workspace: have a version tried beside the one in force, on questions of their own."""

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from answers.exceptions import TemplateError
from answers.governing import turns
from answers.models import OPEN_PREVIEWS, TemplatePreview, TemplateVersion
from answers.tasks import preview_template
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.dispatch import dispatch
from workspaces.models import User
from workspaces.roles import Action

MOST_QUESTIONS = 10


@transaction.atomic
def ask(version: TemplateVersion, questions: Sequence[str], *, by: User) -> TemplatePreview:
    """Have `version` tried beside the one in force on `questions`, with the rights of `by`.

    Raises as access does, and TemplateError for no question, too many or too long ones, and while another is running.
    """
    template = version.template
    workspace = template.workspace
    for action in (Action.MANAGE, Action.ASK, Action.OPEN):
        access.require(by, action, workspace)
    if workspace.archived_at is not None:
        raise TemplateError(_("This workspace is archived: no model is asked for it any more."))
    texts = list(dict.fromkeys(text.replace("\0", "").strip() for text in questions if text.strip()))
    if not 1 <= len(texts) <= MOST_QUESTIONS:
        raise TemplateError(_("Write 1 to %(most)d questions.") % {"most": MOST_QUESTIONS})
    if any(len(text) > settings.MAX_QUESTION_CHARACTERS for text in texts):
        raise TemplateError(
            _("A question has at most %(most)d characters.") % {"most": settings.MAX_QUESTION_CHARACTERS}
        )
    turns.take_turn(by)
    if TemplatePreview.objects.filter(asked_by=by, workspace=workspace, state__in=OPEN_PREVIEWS).exists():
        raise TemplateError(_("A preview of yours is still running here. Wait until it is done."))
    beside = template.current if template.current_id != version.pk else None
    preview = TemplatePreview.objects.create(
        workspace=workspace, candidate=version, beside=beside, questions=texts, asked_by=by
    )
    record(
        EventType.TEMPLATE_TRIED,
        on=preview,
        workspace=workspace,
        by=by,
        template=template.code,
        number=version.number,
        beside=beside.number if beside else None,
        questions_sha256=[digest(text) for text in texts],
    )
    dispatch(preview_template, preview.pk)
    return preview
