"""Which phrases of what was deleted tell of a copy: those of nothing that stays, and of no name that is kept."""

from collections.abc import Sequence

from audit.models import Event
from documents import traces
from documents.deletion import versions_of
from documents.models import Deletion


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
