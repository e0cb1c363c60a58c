"""What is told about granted documents elsewhere: before a group of people is deleted, and under access review."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.events import EventType
from documents.access import bars, restriction
from documents.models import Document, DocumentBar, DocumentGroupGrant, DocumentUserGrant
from workspaces import access, groups
from workspaces.access_review.kinds import Kind, Right, kinds, on
from workspaces.giving import Told, told_in
from workspaces.groups import Use
from workspaces.models import Membership, User, Workspace
from workspaces.roles import Action


def _granted_to(group: Group) -> Iterator[Use]:
    """Which restricted documents the group opens. Their titles are not for everybody who runs groups."""
    grants = DocumentGroupGrant.objects.filter(group=group).select_related("content_object__workspace").order_by("pk")
    for grant in grants:
        workspace = grant.content_object.workspace
        sentence = _("Opens a restricted document in %(workspace)s.") % {"workspace": workspace.name}
        yield Use(f"document_grant:{grant.content_object_id}", sentence, workspace)


groups.uses_in[DocumentGroupGrant] = _granted_to


# --- Under access review ------------------------------------------------------------------------------------


def _documents_held(workspace: Workspace) -> Iterator[Right]:
    """Restricted documents that people were granted, by name or through a group of people."""
    why: dict[tuple[User, Document], list[str]] = defaultdict(list)
    told = told_in([workspace.pk], EventType.DOCUMENT_GRANTED)
    here = {"content_object__workspace": workspace, "content_object__deleted_at": None}
    for grant in DocumentUserGrant.objects.filter(**here).select_related("user", "content_object").order_by("pk"):
        why[grant.user, grant.content_object].append(_by_name(told, grant))
    for document, group, user in _through_groups(workspace):
        why[user, document].append(_("Through the group “%(group)s”.") % {"group": group})
    barred = _barred(workspace)
    for (user, document), reasons in why.items():
        if (document.pk, user.pk) in barred:
            continue
        yield Right(user, str(document.pk), document.title, " ".join(reasons)[:300])


def _by_name(told: Told, grant: DocumentUserGrant) -> str:
    how = told.of(grant.content_object_id, grant.user_id)
    if how is not None:
        return _("By name, by %(who)s, since %(when)s.") % {"who": how[0], "when": on(how[1])}
    if told.is_damaged(grant.content_object_id):
        return _("By name. An entry in the trail about grants of this document is damaged.")
    return _("By name.")


def _through_groups(workspace: Workspace) -> Iterator[tuple[Document, str, User]]:
    """Who may use a grant of a group: whoever is in it and may open documents here at all."""
    here = {"content_object__workspace": workspace, "content_object__deleted_at": None}
    grants = DocumentGroupGrant.objects.filter(**here, group__people_group__isnull=False)
    grants = list(grants.select_related("content_object", "group__people_group").order_by("pk"))
    if not grants:
        return
    able = {person.pk: person for person in access.people_allowed(workspace, Action.OPEN)}
    members: dict[Any, list[User]] = defaultdict(list)
    rows = Membership.objects.filter(group__in={grant.group_id for grant in grants}, user__in=able)
    for group, user in rows.order_by("user").values_list("group", "user").distinct():
        members[group].append(able[user])
    for grant in grants:
        for user in members[grant.group_id]:
            yield grant.content_object, grant.group.people_group.name, user


def _barred(workspace: Workspace) -> set[tuple[UUID, UUID]]:
    """(document, person) where a never rule wins over whatever was granted."""
    rules = DocumentBar.objects.filter(document__workspace=workspace)
    rows = rules.values_list("document", "user", "group__memberships__user")
    return {(document, by_name or through_group) for document, by_name, through_group in rows}


def _lock_documents(workspace: Workspace, codes: list[str]) -> None:
    rows = Document.objects.filter(workspace=workspace, pk__in=codes)
    list(rows.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk"))


def _end_grant(workspace: Workspace, user: User, code: str, by: User) -> None:
    document = Document.objects.filter(pk=code, workspace=workspace, deleted_at=None).first()
    if document is None:
        return
    if DocumentUserGrant.objects.filter(content_object=document, user=user).exists():
        restriction.revoke_grant(document, user, by=by)
    if DocumentGroupGrant.objects.filter(content_object=document, group__memberships__user=user).exists():
        # The group is not this one person's: they alone are kept out.
        bars.bar(document, user, reason=_("Access review of %(when)s") % {"when": on(timezone.now())}, by=by)


kinds["document"] = Kind(
    gettext_lazy("Restricted document"), _documents_held, _lock_documents, _end_grant, Action.MANAGE_DOCUMENTS
)
