"""The verbs of a reviewer: have an answer made once more, and read what came of it."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from answers.exceptions import WrongState
from answers.models import Answer, Replay
from answers.replays.sameness import endpoint_of, require_comparable, require_reviewer, sources_of
from answers.states import AnswerStatus
from answers.tasks import replay_answer
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents.changes.differences import Piece, difference
from workspaces.dispatch import dispatch
from workspaces.exceptions import Hidden
from workspaces.models import User
from workspaces.roles import Action


@transaction.atomic
def replay(answer: Answer, *, by: User) -> Replay:
    """Have `answer` made once more; what comes of it is for reviewers alone and answers nobody.

    Raises Hidden or Forbidden, ReplayError when evidence or model are not what they were, and WrongState while another
    replay of it is under way.
    """
    require_reviewer(answer, by)
    require_comparable(answer)
    endpoint_of(answer)
    sources_of(answer, by)
    try:
        with transaction.atomic():
            made = Replay.objects.create(
                answer=answer,
                asked_by=by,
                endpoint_label=answer.endpoint_label,
                compared_sha256=digest(answer.raw_output),
            )
    except IntegrityError as error:
        raise WrongState(_("This answer is being made once more already.")) from error
    record(EventType.ANSWER_REPLAY_ASKED, on=answer, workspace=answer.workspace_id, by=by, replay=made.pk)
    dispatch(replay_answer, made.pk)
    return made


@transaction.atomic
def compared(answer: Answer, replay_id: UUID, *, by: User) -> tuple[Replay, list[Piece]]:
    """A replay of `answer` and, word for word, how its output differs; empty where there is no text to show.

    Handing out a text leaves an entry. Raises Hidden or Forbidden.
    """
    require_reviewer(answer, by)
    found = Replay.objects.select_related("asked_by").filter(pk=replay_id, answer=answer).first()
    if found is None:
        raise Hidden(user=by, workspace=answer.workspace, action=Action.REVIEW, thing=answer)
    if not found.text_sha256 or found.is_erased or answer.status == AnswerStatus.SUSPENDED or not answer.raw_output:
        return found, []
    record(
        EventType.REPLAY_READ,
        on=answer,
        workspace=answer.workspace_id,
        by=by,
        replay=found.pk,
        text_sha256=found.text_sha256,
    )
    return found, difference(answer.raw_output, found.text or answer.raw_output)
