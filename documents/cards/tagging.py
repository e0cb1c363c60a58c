"""Tags of documents: words of a workspace's own, where spellings that differ in case, script or accents are one."""

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from documents.analysis import fold
from documents.cards.metadata import locked_to_keep
from documents.exceptions import DocumentError
from documents.models import MAX_FOLDED_TAG, MAX_TAG, Document, DocumentTag, Tag
from workspaces.models import User

#: More would be text, not order.
MAX_TAGS = 30


def usable(name: str) -> str:
    """The tag as it is stored. Raises DocumentError where nothing is left of it, or too much."""
    cleaned = " ".join("".join(character if character.isprintable() else " " for character in name).split())
    folded = fold(cleaned).strip()
    # A ligature may fold to many letters, more than the column holds.
    if not folded or len(folded) > MAX_FOLDED_TAG or len(cleaned) > MAX_TAG or "," in cleaned:
        raise DocumentError(_("A tag has 1 to %(limit)d characters and no comma.") % {"limit": MAX_TAG})
    return cleaned


def require_room(document: Document | None, names: Iterable[str]) -> None:
    """Raises DocumentError where `names` would be too many beside the tags of the document, or of a new one (None)."""
    had = set(document.tags.values_list("folded", flat=True)) if document else set[str]()
    if len(had | {fold(usable(name)) for name in names}) > MAX_TAGS:
        raise _too_many()


def tag(document: Document, name: str, *, by: User) -> bool:
    """Put a tag on the document; whether it was not there yet. Raises DocumentError for an unusable one."""
    return change_tags(document, add=[name], by=by)


def untag(document: Document, name: str, *, by: User) -> bool:
    """Take a tag off the document; whether it was there."""
    return change_tags(document, remove=[name], by=by)


@transaction.atomic
def set_tags(document: Document, names: Iterable[str], *, by: User) -> bool:
    """Give the document exactly these tags; whether that changed anything."""
    document = locked_to_keep(document, by)
    wanted = {fold(usable(name)): name for name in names}
    had = dict(document.tags.values_list("folded", "name"))
    return change_tags(
        document,
        add=[name for folded, name in wanted.items() if folded not in had],
        remove=[name for folded, name in had.items() if folded not in wanted],
        by=by,
    )


@transaction.atomic
def change_tags(document: Document, *, add: Iterable[str] = (), remove: Iterable[str] = (), by: User) -> bool:
    """Put tags on and take others off; whether that changed anything.

    Raises DocumentError for an unusable tag, and where there would be more than `MAX_TAGS`.
    """
    document = locked_to_keep(document, by)
    had = {tag.folded: tag for tag in document.tags.all()}
    on = {fold(name): name for name in map(usable, add)}
    off = [had[folded] for folded in map(fold, map(usable, remove)) if folded in had]
    new = [_known(document, folded, name) for folded, name in sorted(on.items()) if folded not in had]
    if not new and not off:
        return False
    if len(had) + len(new) - len(off) > MAX_TAGS:
        raise _too_many()
    DocumentTag.objects.filter(document=document, tag__in=off).delete()
    DocumentTag.objects.bulk_create(DocumentTag(document=document, tag=each) for each in new)
    record(
        EventType.DOCUMENT_TAGS_CHANGED,
        on=document,
        workspace=document.workspace_id,
        by=by,
        added=sorted(each.name for each in new),
        removed=sorted(each.name for each in off),
    )
    return True


def _too_many() -> DocumentError:
    return DocumentError(_("A document has at most %(limit)d tags.") % {"limit": MAX_TAGS})


def _known(document: Document, folded: str, name: str) -> Tag:
    """The workspace's tag of that spelling; the first one to write it decides how it reads.

    Locked, so that an erasure which finds nobody else bearing it does not take it away before the document does.
    """
    tags = Tag.objects.select_for_update(no_key=True)
    found, _made = tags.get_or_create(workspace_id=document.workspace_id, folded=folded, defaults={"name": name})
    return found
