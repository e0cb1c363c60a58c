"""Which phrases of what was deleted tell of a copy, and how people's words are rid of them.

Phrases of what stays, and of names that are kept, tell nothing.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet

from audit.chain import digest
from audit.models import Event
from documents.deletion import traces
from documents.deletion.erasing import versions_of
from documents.models import Deletion

#: What stands where somebody's words repeated what was erased.
ERASED = "(erased)"


def ids_of(deletion: Deletion) -> list[str]:
    """The ids of the versions that go."""
    return [str(pk) for pk in versions_of(deletion).values_list("pk", flat=True)]


def names_of(deletion: Deletion) -> list[str]:
    """What its tombstone and the entries about it keep: title, path, file names, and what it was called before."""
    document = deletion.document
    about = (str(document.pk), *map(str, document.versions.values_list("pk", flat=True)))
    labels = Event.objects.filter(object_id__in=about).values_list("object_label", flat=True)
    return [document.title, document.path, *document.versions.values_list("filename", flat=True), *labels.distinct()]


def telling(deletion: Deletion, phrases: Sequence[str]) -> list[str]:
    """Of `phrases` of what goes, those by which a copy of it is known."""
    return traces.telling(phrases, but=ids_of(deletion), names=names_of(deletion))


def repeating(fields: Iterable[str], phrases: Sequence[str]) -> Q:
    """Rows in which one of `fields` holds one of `phrases` letter by letter; none where there are no phrases."""
    held = (Q(**{f"{field}__contains": phrase}) for field in fields for phrase in phrases)
    return reduce(or_, held, Q(pk__in=[]))


def take_out(rows: QuerySet[Any], field: str, left: str = ERASED) -> dict[str, str]:
    """Put `left` in the place of what stands in `field`; the id of each row, and the hash of what it was."""
    found = dict(rows.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk", field))
    rows.model._default_manager.filter(pk__in=found).update(**{field: left})
    return {str(pk): digest(text) for pk, text in found.items()}
