"""Say how far a document may travel: the level that policies, reviews and models go by."""

from django.db import transaction
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from documents.deletion import dependants
from documents.exceptions import DocumentError
from documents.models import Document, Reclassification
from workspaces import access
from workspaces.classification import Classification
from workspaces.models import User, Workspace
from workspaces.roles import Action


@transaction.atomic
def classify(document: Document, level: str, *, by: User) -> bool:
    """Give the document another classification; whether it had another. Raises DocumentError for an unknown level."""
    access.require(by, Action.MANAGE_DOCUMENTS, document)
    after = _known(level)
    document = Document.objects.select_for_update(no_key=True).get(pk=document.pk)
    before = document.classification
    if before == after:
        return False
    document.classification = after
    document.save(update_fields=["classification"])
    lowers = after.rank < Classification(before).rank
    Reclassification.objects.create(document=document, before=before, after=after, lowers=lowers, changed_by=by)
    if not lowers:
        # Before the entry, whose chain stays locked to the end.
        for follow in dependants.when_raised:
            follow(document, by)
    record(
        EventType.DOCUMENT_CLASSIFIED,
        on=document,
        workspace=document.workspace_id,
        by=by,
        before=before,
        after=after.value,
    )
    return True


def level_for_new(workspace: Workspace, level: str, *, by: User) -> Classification:
    """The classification of a document that `by` adds: `level` for those who manage documents, else internal.

    Raises DocumentError for a level that does not exist.
    """
    if not level:
        return Classification.INTERNAL
    access.require(by, Action.MANAGE_DOCUMENTS, workspace)
    return _known(level)


def _known(level: str) -> Classification:
    if level not in Classification.values:
        raise DocumentError(_("There is no classification “%(level)s”.") % {"level": level})
    return Classification(level)
