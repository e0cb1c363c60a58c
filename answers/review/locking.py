"""A draft held still while somebody acts on it: who may, when it may be, and what the one who came second is told."""

from django.utils.translation import gettext as _

from answers import separation
from answers.exceptions import ByAsker, WrongState
from answers.models import Decision, Draft
from answers.states import DraftState
from audit.chain import digest
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User
from workspaces.roles import Action

_OPEN = frozenset({DraftState.WAITING, DraftState.APPROVED_ONCE, DraftState.RETURNED})
_WAITS = frozenset({DraftState.WAITING, DraftState.APPROVED_ONCE})

#: act → the draft states in which it may happen.
WHEN: dict[str, frozenset[str]] = {
    "assign": _OPEN,
    "edit": _OPEN,
    "submit": frozenset({DraftState.RETURNED}),
    "approve": _WAITS,
    "return": _WAITS,
    "reject": _OPEN,
    "reopen": frozenset({DraftState.APPROVED}),
    "take_back": frozenset({DraftState.APPROVED}),
}

STATE_OF: dict[Decision, DraftState] = {
    Decision.APPROVED: DraftState.APPROVED,
    Decision.RETURNED: DraftState.RETURNED,
    Decision.REJECTED: DraftState.REJECTED,
    Decision.REOPENED: DraftState.WAITING,
    Decision.TAKEN_BACK: DraftState.TAKEN_BACK,
}


def locked(draft: Draft, act: str, by: User) -> Draft:
    """The draft as it stands now, locked with its answer, if `by` reviews it by role and `act` fits its state."""
    rows = Draft.objects.select_for_update(of=("self", "answer"), no_key=True)
    held = rows.select_related("answer__question", "workspace").get(pk=draft.pk)
    # After the lock: rights taken away while we waited for it count.
    access.require(by, Action.REVIEW, held)
    if held.answer.asked_by_id == by.pk:
        # A superuser who asked; for anybody else such a draft does not exist.
        raise ByAsker(separation.ASKED, user=by, workspace=held.workspace_id, action=Action.REVIEW, thing=held)
    if not access.allows(by, Action.REVIEW, held):
        # By breaking glass one reads; only a reviewer's name stands under what becomes of a draft.
        raise Forbidden(user=by, workspace=held.workspace_id, action=Action.REVIEW, thing=held)
    if held.state not in WHEN[act]:
        raise WrongState(_already(held))
    return held


def locked_for_decision(draft: Draft, act: str, by: User) -> Draft:
    """As `locked`, for an act from which no duty keeps `by` off."""
    held = locked(draft, act, by)
    reason = separation.refusal(by, held, act)
    if reason:
        raise WrongState(reason)
    return held


def require_seen(draft: Draft, seen_sha256: str | None) -> None:
    """Raise WrongState when the text is another one than `by` saw; None asks for nothing."""
    if seen_sha256 is not None and seen_sha256 != digest(draft.text):
        raise WrongState(_("Somebody was faster: the text changed after you opened it. Read it again, then decide."))


def _already(draft: Draft) -> str:
    if draft.state == DraftState.WITHDRAWN:
        return _("A document this draft rests on was deleted, so nothing is left to decide.")
    if draft.state == DraftState.STRANDED:
        return _(
            "This draft ended when no reviewer was left who may open all it rests on. The question can be asked again."
        )
    last = draft.reviews.select_related("decided_by").last()
    if last is None or STATE_OF[Decision(last.decision)] != draft.state:
        return _("This draft is “%(state)s”, so this cannot be done now.") % {"state": draft.get_state_display()}
    return _("Somebody was faster: this draft is “%(state)s”, decided by %(name)s.") % {
        "state": draft.get_state_display(),
        "name": last.decided_by.name,
    }
