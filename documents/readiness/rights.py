"""Checks of who documents are open to: asked of the access door and of a search, about documents that are there."""

from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy, gettext_noop

from documents.models import Document, DocumentGroupGrant, DocumentUserGrant, Passage
from documents.search import Mode, search
from documents.states import VersionState
from workspaces import access
from workspaces.exceptions import Refused
from workspaces.models import Membership, PeopleGroup, User
from workspaces.readiness.people import outsider
from workspaces.readiness.registry import Area, Found, Scene, blocked, check, none, passed, warned
from workspaces.readiness.thresholds import of
from workspaces.roles import Action

_ = gettext_noop
_FIX = "documents:list"


def _probed(scene: Scene) -> list[Document]:
    """Documents to ask about: restricted ones first, because they are where a leak would be."""
    ready = Document.objects.filter(
        workspace=scene.workspace, deleted_at=None, current_version__state=VersionState.READY
    )
    return list(ready.order_by("-restricted", "-created_at")[: of("probed_things")])


def one_of_each_role(scene: Scene) -> list[User]:
    """For every role a person who holds it, and holds it alone where there is one."""
    held: dict[str, list[Any]] = {}
    rows = Membership.objects.filter(
        group__workspace_role__workspace=scene.workspace, user__is_active=True, user__is_superuser=False
    )
    roles: dict[Any, set[str]] = {}
    for user, role in rows.values_list("user", "group__workspace_role__role"):
        roles.setdefault(user, set()).add(role)
    for user, mine in sorted(roles.items(), key=lambda one: (len(one[1]), str(one[0]))):
        for role in mine:
            held.setdefault(role, []).append(user)
    people = dict.fromkeys(users[0] for users in held.values())
    return list(User.objects.filter(pk__in=list(people)[: of("probed_people")]))


def _granted(person: User, documents: list[Document]) -> set[Any]:
    """Restricted documents granted to the person, read from the grants and not from the door."""
    ids = [one.pk for one in documents]
    groups = Membership.objects.filter(user=person).values("group")
    named = DocumentUserGrant.objects.filter(user=person, content_object__in=ids)
    through = DocumentGroupGrant.objects.filter(group__in=groups, content_object__in=ids)
    return set(named.values_list("content_object", flat=True)) | set(through.values_list("content_object", flat=True))


@check("rights.documents_stranger", Area.RIGHTS, gettext_lazy("A stranger sees no document"), fix=_FIX)
def stranger(scene: Scene) -> Found:
    documents = scene.once(_probed)
    if not documents:
        return none(_("There is no document to try it with."))
    nobody, ids = outsider(scene), [one.pk for one in documents]
    seen = access.visible(nobody, Document).filter(pk__in=ids).count()
    opened = sum(access.allows(nobody, Action.OPEN, one) for one in documents)
    if seen or opened:
        return blocked(
            _("A person without a role was let in to %(n)d of %(all)d documents."), n=max(seen, opened), all=len(ids)
        )
    return passed(_("A person without a role was kept from all %(n)d documents tried."), n=len(ids))


@check("rights.documents_roles", Area.RIGHTS, gettext_lazy("Each role sees its documents and no others"), fix=_FIX)
def roles(scene: Scene) -> Found:
    """The door's answer for one person of each role, against the rule told in other words: their actions and grants."""
    documents, people = scene.once(_probed), scene.once(one_of_each_role)
    if not documents or not people:
        return none(_("There is no document to try it with."))
    asked = wrong = 0
    for person in people:
        may_open = Action.OPEN in access.actions(person, scene.workspace)
        granted = _granted(person, documents)
        seen = set(
            access.visible(person, Document).filter(pk__in=[one.pk for one in documents]).values_list("pk", flat=True)
        )
        for document in documents:
            asked += 1
            ought = may_open and (not document.restricted or document.pk in granted)
            # A never rule may close what would be open; nothing opens what is closed.
            wrong += document.pk in seen and not ought
    if wrong:
        return blocked(
            _("Documents shown to somebody they are closed to: %(n)d of %(asked)d tried."), n=wrong, asked=asked
        )
    return passed(
        _("Asked %(asked)d times for %(people)d people of all roles, nothing closed was shown."),
        asked=asked,
        people=len(people),
    )


@check("rights.search", Area.RIGHTS, gettext_lazy("Search finds nothing that is closed"), fix=_FIX)
def through_search(scene: Scene) -> Found:
    """A stranger's search is refused, and a person's search for words of a document closed to them does not find it."""
    documents = scene.once(_probed)
    if not documents:
        return none(_("There is no document to try it with."))
    words = _words_of(documents[0])
    try:
        search(outsider(scene), scene.workspace, words, 5, mode=Mode.KEYWORDS)
    except Refused:
        tried = 1
    else:
        return blocked(_("A search of a person without a role was not refused."))
    for person in scene.once(one_of_each_role):
        if Action.OPEN not in access.actions(person, scene.workspace):
            continue
        granted = _granted(person, documents)
        closed = next((one for one in documents if one.restricted and one.pk not in granted), None)
        if closed is None:
            continue
        tried += 1
        result = search(person, scene.workspace, _words_of(closed), 20, mode=Mode.KEYWORDS)
        if any(hit.document.pk == closed.pk for hit in result.hits):
            return blocked(_("A search found a document that is closed to whoever searched."))
    return passed(_("Searches tried for what is closed: %(n)d, and none found it."), n=tried)


def _words_of(document: Document) -> str:
    passage = Passage.objects.filter(version=document.current_version_id).order_by("position").first()
    return " ".join((passage.text if passage else document.title).split()[:12])


@check("rights.restricted_to_all", Area.RIGHTS, gettext_lazy("What is restricted is not open to all"), fix=_FIX)
def restricted_to_all(scene: Scene) -> Found:
    holders = _holders(scene)
    if not holders:
        return none(_("No document is restricted."))
    everybody = set(access.people_allowed(scene.workspace, Action.OPEN).values_list("pk", flat=True))
    wide = sum(len(everybody) > 1 and everybody <= people for people in holders.values())
    rate = warned if wide else passed
    return rate(
        _("Restricted documents granted to everybody who opens documents: %(n)d of %(all)d."), n=wide, all=len(holders)
    )


@check("rights.restricted_to_nobody", Area.RIGHTS, gettext_lazy("What is restricted is open to somebody"), fix=_FIX)
def restricted_to_nobody(scene: Scene) -> Found:
    holders = _holders(scene)
    if not holders:
        return none(_("No document is restricted."))
    everybody = set(access.people_allowed(scene.workspace, Action.OPEN).values_list("pk", flat=True))
    lost = sum(not (people & everybody) for people in holders.values())
    rate = warned if lost else passed
    return rate(_("Restricted documents that nobody may open: %(n)d of %(all)d."), n=lost, all=len(holders))


@check("rights.empty_groups", Area.RIGHTS, gettext_lazy("Groups that are granted something have people"), fix=_FIX)
def empty_groups(scene: Scene) -> Found:
    granted = DocumentGroupGrant.objects.filter(
        group=OuterRef("group"), content_object__workspace=scene.workspace, content_object__deleted_at=None
    )
    inside = Membership.objects.filter(group=OuterRef("group"), user__is_active=True)
    groups = PeopleGroup.objects.filter(Exists(granted))
    empty = list(groups.filter(~Exists(inside)).values_list("name", flat=True)[:5])
    count = groups.count()
    if not count:
        return none(_("No group is granted anything here."))
    if empty:
        return warned(
            _("Groups that are granted documents and have nobody in them: %(n)d (%(names)s)."),
            n=len(empty),
            names=", ".join(empty),
        )
    return passed(_("All %(n)d groups that are granted documents have people."), n=count)


def _holders(scene: Scene) -> dict[Any, set[Any]]:
    """Restricted documents and the people each was granted to."""
    return scene.once(_read_holders)


def _read_holders(scene: Scene) -> dict[Any, set[Any]]:
    restricted = Document.objects.filter(workspace=scene.workspace, deleted_at=None, restricted=True)
    holders: dict[Any, set[Any]] = {pk: set() for pk in restricted.values_list("pk", flat=True)}
    grants = DocumentUserGrant.objects.filter(content_object__in=restricted)
    for document, person in grants.values_list("content_object", "user"):
        holders[document].add(person)
    through = DocumentGroupGrant.objects.filter(content_object__in=restricted)
    for document, person in through.values_list("content_object", "group__memberships__user"):
        if person is not None:
            holders[document].add(person)
    return holders
