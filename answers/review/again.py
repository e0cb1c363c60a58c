"""A released answer once more: put under review again, or taken back for good."""

from django.db import transaction
from django.utils.translation import gettext as _

from answers import grounding, separation
from answers.access import declassified
from answers.exceptions import ByAsker, WrongState
from answers.models import Answer, Decision, Draft, Review
from answers.querysets import sources_open
from answers.reuse import following
from answers.review import telling
from answers.review.keeping import decide, move_answer, require_deciders
from answers.states import RELEASED, AnswerStatus, DraftState
from answers.steps.state import Sentence
from audit.events import EventType
from audit.record import Entry, record_all
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User
from workspaces.roles import Action

_RELEASE = ("released_text", "released_sha256", "released_by", "released_at")


@transaction.atomic
def reopen(answer: Answer, *, by: User, reason: str) -> Draft:
    """Put a released answer back under review: from this moment nobody reads it until somebody lets it out again.

    For a reviewer who may open every source and did not ask, whoever released it, the policy too. What keeps somebody
    from approving it keeps them from letting it out again. Raises as access does, WrongState when it is not released,
    DraftError without a reason and where nobody would be left to decide on it.
    """
    draft = _held_still(answer, by)
    review = decide(draft, Decision.REOPENED, by, reason)
    require_deciders(
        draft.answer,
        _("Nobody would be left to decide on this answer. Take it back, or ask a manager for another reviewer."),
    )
    # It was decided over what was released; whoever lets it out again decides on that again.
    declassified.end_all(draft.answer, by=by, reason=review.reason)
    sha256 = _close(draft, AnswerStatus.HELD_REOPENED)
    following.close_what_was_given(draft.answer, by=by)
    _tell_the_trail(EventType.DRAFT_REOPENED, EventType.ANSWER_REOPENED, draft, review, sha256)
    telling.reopened(draft, by)
    return draft


@transaction.atomic
def take_back(answer: Answer, *, by: User, reason: str) -> Draft:
    """Close a released answer for good, and tell its asker not to rely on it. Raises as `reopen`."""
    draft = _held_still(answer, by)
    review = decide(draft, Decision.TAKEN_BACK, by, reason)
    declassified.end_all(draft.answer, by=by, reason=review.reason)
    sha256 = _close(draft, AnswerStatus.REFUSED_TAKEN_BACK)
    following.close_what_was_given(draft.answer, by=by)
    _tell_the_trail(EventType.DRAFT_TAKEN_BACK, EventType.ANSWER_TAKEN_BACK, draft, review, sha256)
    telling.taken_back(draft, by)
    return draft


def may_reopen(answer: Answer, person: User) -> bool:
    """Whether `reopen` and `take_back` are open to `person` on this answer as it stands."""
    is_theirs = answer.status in RELEASED and answer.asked_by_id != person.pk
    return is_theirs and access.allows(person, Action.REVIEW, answer) and sources_open(person, answer)


def _held_still(answer: Answer, by: User) -> Draft:
    """The released answer's draft, both locked; one that the policy released gets a draft now."""
    access.require(by, Action.REVIEW, answer)
    rows = Draft.objects.select_for_update(of=("self", "answer"), no_key=True)
    draft = rows.select_related("answer__question", "workspace").filter(answer=answer).first()
    if draft is None:
        locked = Answer.objects.select_for_update(of=("self",), no_key=True)
        held = locked.select_related("question", "workspace").get(pk=answer.pk)
        draft = Draft(answer=held, workspace=held.workspace, text=held.released_text, sentences=held.sentences)
        draft.grounding = grounding.summarise([Sentence(**one) for one in held.sentences]).verdict
    held = draft.answer
    # After the lock: rights taken away while we waited for it count.
    access.require(by, Action.REVIEW, held)
    if held.asked_by_id == by.pk:
        raise ByAsker(separation.ASKED, user=by, workspace=held.workspace_id, action=Action.REVIEW, thing=held)
    if not sources_open(by, held):
        raise WrongState(_("A document this answer rests on is closed to you."))
    if held.status not in RELEASED:
        raise WrongState(
            _("Only a released answer can be put under review again or taken back; this one is “%(state)s”.")
            % {"state": held.get_status_display()}
        )
    if not access.allows(by, Action.REVIEW, held):
        # By breaking glass one reads; only a reviewer's name stands under a decision.
        raise Forbidden(user=by, workspace=held.workspace_id, action=Action.REVIEW, thing=held)
    if draft._state.adding:
        draft.state = DraftState.APPROVED
        draft._history_user, draft._change_reason = None, ""
        draft.save(force_insert=True)
    return draft


def _close(draft: Draft, status: AnswerStatus) -> str:
    """Nobody reads the text from here on; returns the hash of what was readable, which the trail keeps."""
    answer = draft.answer
    sha256 = answer.released_sha256
    answer.released_text = answer.released_sha256 = ""
    answer.released_by = answer.released_at = None
    move_answer(draft, *_RELEASE, status=status)
    return sha256


def _tell_the_trail(of_draft: EventType, of_answer: EventType, draft: Draft, review: Review, sha256: str) -> None:
    answer = draft.answer
    about = {"review": review.pk, "text_sha256": sha256}
    record_all(
        [
            Entry(of_draft, draft, review.reason, {"answer": answer.pk, **about}),
            Entry(of_answer, answer, review.reason, {"status": answer.status, "draft": draft.pk, **about}),
        ],
        workspace=draft.workspace,
        by=review.decided_by,
    )
