"""Say whether an answer helped, change one's mind, take it back: the verbs of whoever may read it.

Who manages documents or reviews there sees what was said; other readers never do.
"""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.access.sharing import reads
from answers.exceptions import FeedbackError
from answers.gaps import gathering, grouping
from answers.models import Answer, Feedback, FeedbackReason, GapCause
from answers.querysets import rests_on_open
from answers.states import RELEASED
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

MAX_WORDS = 1000
#: What a document could mend.
_OPENS_A_GAP = {FeedbackReason.INCOMPLETE, FeedbackReason.OUTDATED}


def give(answer: Answer, *, helped: bool, by: User, reason: str = "", words: str = "") -> Feedback:
    """Keep what `by` says of the answer, in place of what they said before.

    Raises Hidden or Forbidden as access does, and FeedbackError for an answer they may not read now, and for a
    negative judgement without one of the reasons.
    """
    reason, words = "" if helped else _checked_reason(reason), words.replace("\0", "").strip()
    if len(words) > MAX_WORDS:
        raise FeedbackError(_("Say it in at most %(limit)d characters.") % {"limit": MAX_WORDS})
    opens_a_gap = reason in _OPENS_A_GAP and answer.asked_by_id == by.pk
    # Before the transaction, since a server may compute it.
    meant = grouping.meaning(answer) if opens_a_gap else None
    with transaction.atomic():
        answer = _readable(answer, by)
        if meant is None and answer.asked_by_id == by.pk:
            # Before the entry, whose chain stays locked to the end.
            gathering.no_longer_told(answer)
        kept = _keep(answer, by, {"helped": helped, "reason": reason, "words": words})
        if meant is not None:
            grouping.put(answer, GapCause.FEEDBACK, meant)
    return kept


@transaction.atomic
def take_back(answer: Answer, *, by: User) -> None:
    """Forget what `by` said of the answer; taking back what was never said changes nothing. Raises as access does."""
    access.require(by, Action.ASK, answer)
    found = Feedback.objects.filter(answer=answer, given_by=by)
    if not found.delete()[0]:
        return
    if answer.asked_by_id == by.pk:
        gathering.no_longer_told(answer)
    record(EventType.FEEDBACK_TAKEN_BACK, on=answer, workspace=answer.workspace_id, by=by)


def own(answer: Answer, user: User) -> Feedback | None:
    """What `user` said of the answer."""
    return Feedback.objects.filter(answer=answer, given_by=user).first()


def watches(user: User, workspace: Workspace) -> bool:
    """Whether `user` is told what readers say of answers there: who manages documents or reviews."""
    return bool({Action.MANAGE_DOCUMENTS, Action.REVIEW} & access.reach(user, workspace))


def told_to(user: User, workspace: Workspace) -> QuerySet[Feedback]:
    """What was said of answers there all of whose sources are open to `user`, newest first; nothing for readers."""
    if not watches(user, workspace):
        return Feedback.objects.none()
    return Feedback.objects.filter(rests_on_open(user, "answer"), answer__workspace=workspace)


def of_answer(answer: Answer, *, to: User) -> list[Feedback]:
    """What readers said of one answer, as `to` may see it."""
    return list(told_to(to, answer.workspace).filter(answer=answer).select_related("given_by"))


# --- Inside -------------------------------------------------------------------------------------------------


def _keep(answer: Answer, by: User, said: dict[str, Any]) -> Feedback:
    """Store it with the text it was said of, unless exactly that was said before."""
    said["text_sha256"] = answer.released_sha256
    before = Feedback.objects.filter(answer=answer, given_by=by).first()
    if before is not None and {name: getattr(before, name) for name in said} == said:
        return before
    kept, _made = Feedback.objects.update_or_create(
        answer=answer, given_by=by, defaults=said | {"given_at": timezone.now()}
    )
    words = said["words"]
    record(
        EventType.FEEDBACK_GIVEN,
        on=answer,
        workspace=answer.workspace_id,
        by=by,
        helped=said["helped"],
        code=said["reason"],
        text_sha256=answer.released_sha256,
        **({"words_sha256": digest(words)} if words else {}),
    )
    return kept


def _readable(answer: Answer, by: User) -> Answer:
    """The answer as it stands now, locked, if `by` may read its text at this moment."""
    held = Answer.objects.select_for_update(of=("self",), no_key=True).select_related("workspace").get(pk=answer.pk)
    access.require(by, Action.ASK, held)
    if held.status not in RELEASED or not reads(by, held):
        raise FeedbackError(_("Only an answer that you may read can be judged."))
    return held


def _checked_reason(reason: str) -> str:
    if reason not in FeedbackReason.values:
        raise FeedbackError(_("Choose what is wrong with the answer."))
    return reason
