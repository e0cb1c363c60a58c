"""Say what the rights in a document allow: whether a model may be trained on what rests on it."""

from django.db import transaction
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from documents.deletion import dependants
from documents.exceptions import DocumentError
from documents.models import Document, UsageRight
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action


@transaction.atomic
def state_usage(document: Document, usage: str, *, by: User) -> bool:
    """State the usage rights of the document; whether that changed anything. Raises DocumentError for unknown ones."""
    access.require(by, Action.MANAGE_DOCUMENTS, document)
    if usage not in UsageRight.values:
        raise DocumentError(_("Choose what the usage rights are."))
    document = Document.objects.select_for_update(of=("self",), no_key=True).get(pk=document.pk)
    before = document.usage
    if before == usage:
        return False
    document.usage = usage
    document.save(update_fields=["usage"])
    # Before the entry, whose chain stays locked to the end.
    for follow in dependants.when_usage_stated:
        follow(document, by)
    record(
        EventType.DOCUMENT_USAGE_STATED,
        on=document,
        workspace=document.workspace_id,
        by=by,
        before=before,
        after=usage,
    )
    return True
