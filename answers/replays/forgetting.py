"""Replays end with the documents they rest on: those under way at once, and what they wrote with the erasure."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.models import OPEN_REPLAYS, Evidence, Replay, ReplayState
from audit.events import EventType
from audit.record import Entry, record_all
from documents.deletion import dependants
from documents.models import Deletion


def end(deletion: Deletion) -> None:
    """End what is under way: its passages may not be given to a model any more."""
    rows = _resting_on(deletion).filter(state__in=OPEN_REPLAYS)
    replays = list(rows.select_for_update(of=("self",), no_key=True).select_related("answer").order_by("pk"))
    for replay in replays:
        replay.state, replay.ended_at, replay.lease_until = ReplayState.REFUSED, timezone.now(), None
        replay.problem = _("A document this answer rests on was deleted.")
        replay.save(update_fields=["state", "ended_at", "lease_until", "problem"])
    if replays:
        record_all([_ended(replay) for replay in replays], workspace=deletion.workspace_id, by=deletion.deleted_by)


def erase(deletion: Deletion, phrases: Sequence[str], keeps_answers: bool) -> dict[str, int]:
    """Remove what replays wrote from what was deleted, whether or not answers keep their texts; hashes stay."""
    end(deletion)
    return {"replays": _resting_on(deletion).exclude(text="").update(text="")}


def _resting_on(deletion: Deletion) -> QuerySet[Replay]:
    evidence = Evidence.objects.filter(document=deletion.document_id)
    if deletion.version_id is not None:
        evidence = evidence.filter(version=deletion.version_id)
    return Replay.objects.filter(answer__in=evidence.order_by().values("answer"))


def _ended(replay: Replay) -> Entry:
    return Entry(
        EventType.ANSWER_REPLAYED,
        replay.answer,
        details={"replay": replay.pk, "outcome": replay.state, "text_sha256": "", "compared_sha256": ""},
    )


# What becomes of an answer is told of the answer. A replay that ended stays ended; another can be asked for.
dependants.kinds.append(dependants.Kind(close=end, erase=erase))
