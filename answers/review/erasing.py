"""What reviewers and askers wrote to each other goes with a document that it repeats word for word."""

from collections.abc import Iterable, Sequence

from django.db.models import Q

from answers.models import Clarification, ReviewReasons
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents import dependants
from documents.dependants import Resting
from documents.models import Deletion, Document
from documents.telling import telling
from workspaces.models import User

#: What stands where somebody's words repeated an erased document.
ERASED = "(erased)"


def erase(deletion: Deletion, phrases: Sequence[str], _keeps_answers: bool) -> dict[str, int]:
    """Erase questions to askers, their replies, and offered reasons that repeat what was erased; how many of each."""
    told = telling(deletion, phrases)
    if not told:
        return {"clarifications": 0}
    here = Q(review__draft__workspace=deletion.workspace_id)
    found: dict[str, str] = {}
    for name in ("text", "reply"):
        rows = Clarification.objects.filter(here, _repeats(name, told)).select_for_update(of=("self",), no_key=True)
        said = dict(rows.order_by("pk").values_list("pk", name))
        Clarification.objects.filter(pk__in=said).update(**{name: ERASED})
        found |= {f"{pk}:{name}": digest(text) for pk, text in said.items()}
    _drop_reasons(deletion, told)
    if found:
        record(
            EventType.REPETITIONS_ERASED,
            on=deletion.document,
            workspace=deletion.workspace_id,
            deletion=deletion.pk,
            clarifications=found,
        )
    return {"clarifications": len(found)}


def _drop_reasons(deletion: Deletion, told: Sequence[str]) -> None:
    kept = ReviewReasons.objects.select_for_update(no_key=True).filter(workspace=deletion.workspace_id).first()
    if kept is None:
        return
    clean = {
        act: [one for one in offered if not any(phrase in one for phrase in told)]
        for act, offered in kept.reasons.items()
    }
    if clean != kept.reasons:
        kept.reasons = clean
        kept.save(update_fields=["reasons"])


def _repeats(name: str, phrases: Sequence[str]) -> Q:
    found = Q()
    for phrase in phrases:
        found |= Q(**{f"{name}__contains": phrase})
    return found


def _nothing_told(_document: Document, _by: User) -> Iterable[Resting]:
    return ()


def _nothing_done(_deletion: Deletion) -> None:
    """They are closed with the drafts they belong to."""


dependants.kinds.append(dependants.Kind(told=_nothing_told, close=_nothing_done, reopen=_nothing_done, erase=erase))
