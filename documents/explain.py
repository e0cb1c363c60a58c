"""Why a document is open to somebody or not, and to whom it is open: the words behind `documents/querysets.py`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.utils.translation import gettext as _

from audit.events import EventType
from documents.models import Document, DocumentBar, DocumentGroupGrant, DocumentUserGrant
from workspaces import explain
from workspaces.explain import Place, Reason, Standing, Thing
from workspaces.giving import Told, told_in
from workspaces.models import User, Workspace
from workspaces.roles import Action


def who_can_open(document: Document) -> list[Standing]:
    """Everybody the document is open to now, by user name, with the reasons."""
    found = standings(document.workspace, [document])[document.pk].values()
    return sorted((one for one in found if one.is_open), key=lambda one: one.person.username)


def why(person: User, document: Document) -> Standing:
    """Why the document is open to `person` or not. Somebody without any reason is a stranger to its workspace."""
    found = standings(document.workspace, [document], person=person)[document.pk]
    return found.get(person.pk, Standing(person, False, []))


def standings(
    workspace: Workspace, documents: Sequence[Document], *, person: User | None = None
) -> dict[UUID, dict[UUID, Standing]]:
    """Document id → person id → standing, for everybody with something to say about them, or `person` alone."""
    inside = explain.standings(workspace, Action.OPEN, person=person)
    granted, barred = _grants(documents, person), _bars(documents, person)
    return {
        document.pk: {
            id: _standing(document, one, granted[document.pk, id], barred[document.pk, id])
            for id, one in inside.items()
        }
        for document in documents
    }


def opened_in(places: Mapping[UUID, Place], documents: Sequence[Document], person: User) -> dict[Document, Standing]:
    """How the person stands before each of `documents`, of whatever workspaces among `places`."""
    granted, barred = _grants(documents, person), _bars(documents, person)
    found = {}
    for document in documents:
        place = places[document.workspace_id]
        inside = Standing(person, Action.OPEN in place.actions, place.reasons)
        given = granted[document.pk, person.pk], barred[document.pk, person.pk]
        found[document] = _standing(document, inside, *given)
    return found


def _standing(document: Document, inside: Standing, granted: list[Reason], barred: list[Reason]) -> Standing:
    opened = [Reason("open", True, _("Open to everybody here who may open documents."))]
    own = granted if document.restricted else opened
    behind_glass = any(reason.kind == "glass" and reason.gives for reason in inside.reasons)
    is_open = inside.is_open and bool(own or behind_glass) and not barred and document.deleted_at is None
    if document.restricted and not own and not behind_glass:
        own = [Reason("restricted", False, _("Restricted, and not granted to them."))]
    return Standing(inside.person, is_open, [*inside.reasons, *own, *barred])


_Found = dict[tuple[UUID, UUID], list[Reason]]


def _grants(documents: Sequence[Document], person: User | None) -> _Found:
    """(document id, person id) → the grants that open it to them, by name and through groups."""
    found: _Found = defaultdict(list)
    told = told_in(
        {document.workspace_id for document in documents},
        EventType.DOCUMENT_GRANTED,
        things=[document.pk for document in documents],
    )
    by_name = DocumentUserGrant.objects.filter(content_object__in=documents).order_by("pk")
    for grant in by_name.filter(user=person) if person else by_name:
        found[grant.content_object_id, grant.user_id].append(Reason("grant", True, _by_name(told, grant)))
    to_groups = DocumentGroupGrant.objects.filter(content_object__in=documents, group__people_group__isnull=False)
    rows = list(to_groups.select_related("group__people_group").order_by("group__people_group__name"))
    people = explain.members_of((row.group_id for row in rows), person)
    for row in rows:
        sentence = _("Through the group %(group)s.") % {"group": row.group.people_group.name}
        for user in people[row.group_id]:
            found[row.content_object_id, user.pk].append(Reason("group", True, sentence))
    return found


def _by_name(told: Told, grant: DocumentUserGrant) -> str:
    how = told.of(grant.content_object_id, grant.user_id)
    if how is not None:
        return _("Granted by %(who)s on %(when)s.") % {"who": how[0], "when": explain.day(how[1])}
    if told.is_damaged(grant.content_object_id):
        return _("Granted by name. An entry in the trail about grants of this document is damaged.")
    return _("Granted by name.")


def _bars(documents: Sequence[Document], person: User | None) -> _Found:
    """(document id, person id) → the never rules that keep them from it."""
    rules = DocumentBar.objects.filter(document__in=documents).select_related("group__people_group")
    rows = list(rules.order_by("created_at"))
    people = explain.members_of((rule.group_id for rule in rows if rule.group_id), person)
    found: _Found = defaultdict(list)
    for rule in rows:
        if rule.group_id is None:
            sentence = _("Never, by name: %(reason)s.") % {"reason": rule.reason}
            reason = Reason("never", False, sentence, untold=_("Never, by name."))
            found[rule.document_id, rule.user_id].append(reason)  # type: ignore[index]
            continue
        words = {"group": rule.holder, "reason": rule.reason}
        for user in people[rule.group_id]:
            sentence = _("Never, through the group %(group)s: %(reason)s.") % words
            untold = _("Never, through the group %(group)s.") % words
            found[rule.document_id, user.pk].append(Reason("never", False, sentence, untold=untold))
    return found


# --- What one person can see ---------------------------------------------------------------------------------


def _add_documents(person: User, places: dict[UUID, Place]) -> None:
    """Restricted documents granted to the person, and documents they are kept from."""
    groups = person.memberships.values("group")
    by_name = DocumentUserGrant.objects.filter(user=person).values("content_object")
    through = DocumentGroupGrant.objects.filter(group__in=groups).values("content_object")
    barred = DocumentBar.objects.filter(user=person).values("document")
    barred_through = DocumentBar.objects.filter(group__in=groups).values("document")
    special = by_name.union(through, barred, barred_through)
    documents = list(Document.objects.filter(pk__in=special, workspace__in=places, deleted_at=None).order_by("title"))
    for document, one in opened_in(places, documents, person).items():
        place = places[document.workspace_id]
        own = [reason for reason in one.reasons if reason not in place.reasons]
        place.things.append(Thing(document.title, one.is_open, own))


explain.things_of.append(_add_documents)
