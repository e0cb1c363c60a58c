"""What previews quoted, and what versions and previews repeat, goes with the documents it was taken from.

A version that loses words of its task is not what its hash says any more: it is switched off, and not put in force
again.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from answers.models import PreviewResult, RagTemplate, TemplatePreview, TemplateVersion, WorkspaceTemplates
from answers.rag_templates import content
from audit.events import EventType
from audit.record import Entry, record_all
from documents.deletion import dependants
from documents.deletion.telling import ERASED, telling
from documents.models import Deletion

_LINES = ("name", "purpose", "use_when", "avoid_when", "instructions", "note")
_LISTS = ("columns", "examples")


def erase(deletion: Deletion, phrases: Sequence[str], keeps_answers: bool) -> dict[str, int]:
    """Remove what previews wrote and quoted, whether or not answers keep their texts, and what repeats its words."""
    texts = _resting_on(deletion).exclude(text="").update(text="", quotes=[])
    repeated = telling(deletion, phrases)
    if not repeated:
        return {"previews": texts}
    asked = TemplatePreview.objects.filter(workspace=deletion.workspace_id).only("questions")
    repeating = [one.pk for one in asked if any(_repeats(text, repeated) for text in one.questions)]
    questions = TemplatePreview.objects.filter(pk__in=repeating).update(questions=[])
    return {"previews": texts + questions, "template_versions": _erase_versions(deletion, repeated)}


def _erase_versions(deletion: Deletion, repeated: Sequence[str]) -> int:
    here = TemplateVersion.objects.filter(template__workspace=deletion.workspace_id)
    # All of them, and not a search: in the text of a list a phrase stands otherwise than in its items.
    lost = {version.pk: left for version in here.order_by("pk") if (left := _without(version, repeated))}
    for pk, left in lost.items():
        # A version is never saved again; what is removed here is removed by law, and its hash stays.
        here.filter(pk=pk).update(**left)
    _switch_off([pk for pk, left in lost.items() if set(left) & set(content.ANSWERS_BY)], deletion)
    return len(lost)


def _without(version: TemplateVersion, repeated: Sequence[str]) -> dict[str, Any]:
    """What is left of the parts of a version that repeat any of the phrases."""
    left: dict[str, Any] = {}
    for name in _LINES:
        if _repeats(getattr(version, name), repeated):
            left[name] = ERASED if name in ("name", "purpose") else ""
    for name in _LISTS:
        kept = [one for one in getattr(version, name) if not _repeats(one, repeated)]
        if kept != getattr(version, name):
            left[name] = kept
    return left


def _switch_off(versions: Sequence[UUID], deletion: Deletion) -> None:
    """No question is asked with what lost words of its task; where it was the standard, the built-in one answers."""
    templates = list(RagTemplate.objects.filter(current__in=versions, enabled=True).select_related("current"))
    WorkspaceTemplates.objects.filter(standard__in=templates).update(standard=None)
    RagTemplate.objects.filter(pk__in=[one.pk for one in templates]).update(enabled=False)
    details = {"before": True, "after": False, "because": "document"}
    entries = [Entry(EventType.TEMPLATE_SWITCHED, one, details={**details, "template": one.code}) for one in templates]
    if entries:
        record_all(entries, workspace=deletion.workspace_id, by=None)


def _resting_on(deletion: Deletion) -> QuerySet[PreviewResult]:
    # A version that goes takes the previews of its document along: which version they read is not kept.
    return PreviewResult.objects.filter(documents__contains=[str(deletion.document_id)])


def _repeats(text: str, phrases: Sequence[str]) -> bool:
    return any(phrase in text for phrase in phrases)


# Nothing to tell of or to close: a preview answers nobody, and a text on a deleted document is shown to nobody.
dependants.kinds.append(dependants.Kind(erase=erase))
