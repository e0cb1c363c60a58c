"""What is told about granted documents elsewhere: before a group of people is deleted, and under access review."""

from collections.abc import Iterator

from django.contrib.auth.models import Group
from django.utils.translation import gettext as _

from documents.models import DocumentGroupGrant
from workspaces import groups
from workspaces.groups import Use


def _granted_to(group: Group) -> Iterator[Use]:
    """Which restricted documents the group opens. Their titles are not for everybody who runs groups."""
    grants = DocumentGroupGrant.objects.filter(group=group).select_related("content_object__workspace").order_by("pk")
    for grant in grants:
        workspace = grant.content_object.workspace
        sentence = _("Opens a restricted document in %(workspace)s.") % {"workspace": workspace.name}
        yield Use(f"document_grant:{grant.content_object_id}", sentence, workspace)


groups.uses_in[DocumentGroupGrant] = _granted_to
