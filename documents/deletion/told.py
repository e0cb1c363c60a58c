"""To whom a document is named where it may be known without being open: in the bin, among the holds (decision 12)."""

from typing import TypeVar

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from documents.models import Cause, Deletion, Document, LegalHold
from documents.querysets import not_barred, not_closed_to
from workspaces import access
from workspaces.models import User

Row = TypeVar("Row", Deletion, LegalHold)


def named_to(user: User) -> QuerySet[Document]:
    """The documents whose names `user` is told, deleted ones too: those that are not closed to them."""
    # The grants go with the erasure, and whoever deleted it could open it then.
    erased = Deletion.objects.filter(deleted_by=user, cause=Cause.PERSON, erased_at__isnull=False)
    named = not_closed_to(user) | (not_barred(user) & Q(pk__in=erased.order_by().values("document")))
    if user.is_superuser:
        named |= not_barred(user) & Q(workspace__in=access.workspaces_behind_glass(user))
    return Document.objects.filter(named).order_by()


def telling(rows: QuerySet[Row], *, to: User) -> QuerySet[Row]:
    """`rows`, each of which then knows whether it may tell the person its document's name."""
    named = Q(document__in=named_to(to).values("pk"))
    return rows.annotate(is_named=ExpressionWrapper(named, output_field=BooleanField()))
