"""What previews quoted goes with the documents it rests on, and what templates repeat of them is named in the trail."""

from collections.abc import Iterable, Sequence

from django.db.models import QuerySet

from answers.models import PreviewResult
from documents import dependants
from documents.dependants import Resting
from documents.models import Deletion, Document
from workspaces.models import User


def _nothing_told(document: Document, by: User) -> Iterable[Resting]:
    """A preview answers nobody; nobody misses one."""
    return ()


def end(deletion: Deletion) -> None:
    """Close nothing: a text on a deleted document is shown to nobody from that moment."""


def erase(deletion: Deletion, phrases: Sequence[str], keeps_answers: bool) -> dict[str, int]:
    """Remove what previews wrote and quoted from what was deleted, whether or not answers keep their texts."""
    return {"previews": _resting_on(deletion).exclude(text="").update(text="", quotes=[])}


def _nothing_reopened(deletion: Deletion) -> None:
    """What was not erased is shown again to whoever may open the document."""


def _resting_on(deletion: Deletion) -> QuerySet[PreviewResult]:
    # A version that goes takes the previews of its document along: which version they read is not kept.
    return PreviewResult.objects.filter(documents__contains=[str(deletion.document_id)])


dependants.kinds.append(dependants.Kind(told=_nothing_told, close=end, reopen=_nothing_reopened, erase=erase))
