"""What reviewers and askers wrote to each other goes with a document that it repeats word for word."""

from collections.abc import Sequence

from django.db.models import Q

from answers.models import Clarification, ReviewReasons
from audit.events import EventType
from audit.record import record
from documents.deletion import dependants
from documents.deletion.telling import repeating, take_out, telling
from documents.models import Deletion


def erase(deletion: Deletion, phrases: Sequence[str], _keeps_answers: bool) -> dict[str, int]:
    """Erase questions to askers, their replies, and offered reasons that repeat what was erased; how many of each."""
    told = telling(deletion, phrases)
    if not told:
        return {"clarifications": 0}
    here = Q(review__draft__workspace=deletion.workspace_id)
    found: dict[str, str] = {}
    for name in ("text", "reply"):
        said = take_out(Clarification.objects.filter(here, repeating((name,), told)), name)
        found |= {f"{pk}:{name}": sha256 for pk, sha256 in said.items()}
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


# They are closed with the drafts they belong to.
dependants.kinds.append(dependants.Kind(erase=erase))
