"""Never rules about a document: keep a person, or everybody of a group, from it whatever else opens it to them."""

from collections.abc import Iterator

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from documents.access.restriction import require_governing, somebody_holds
from documents.models import Document, DocumentBar
from workspaces.bars.rules import Holder, held_by, people_of, reason_of, require_unbound, told
from workspaces.exceptions import BarError
from workspaces.groups import Use, uses_in
from workspaces.models import User


@transaction.atomic
def bar(document: Document, holder: Holder, *, reason: str, by: User) -> DocumentBar:
    """Keep `holder` from the document. Grants stay, and open it again when the rule is lifted.

    Raises BarError without a reason, for a rule that is there already, and for one that would keep `by` out or the last
    person who can open a restricted document.
    """
    require_governing(document, by=by)
    reason = reason_of(reason)
    if people_of(holder).filter(pk=by.pk).exists():
        raise BarError(_("This rule would keep you out yourself. Ask another manager to make it."))
    # As a grant that is taken back is: of two acts together, the second sees what the first left.
    document = (
        Document.objects.select_for_update(of=["self"], no_key=True).select_related("workspace").get(pk=document.pk)
    )
    somebody = document.restricted and somebody_holds(document)
    try:
        with transaction.atomic():
            made = DocumentBar.objects.create(document=document, reason=reason, created_by=by, **held_by(holder))
    except IntegrityError as error:
        raise BarError(_("There is such a rule already.")) from error
    if somebody and not somebody_holds(document):
        raise BarError(_("This rule would leave nobody who can open the document. Let somebody else in first."))
    record(EventType.BARRED, on=document, workspace=document.workspace_id, by=by, reason=reason, **told(made))
    return made


@transaction.atomic
def lift(bar: DocumentBar, *, by: User, reason: str) -> None:
    """End the rule: from now on the person opens again what else is open to them.

    Raises BarError for whom the rule binds: somebody else lifts it.
    """
    require_governing(bar.document, by=by)
    require_unbound(bar, by)
    reason = reason_of(reason)
    details = told(bar)
    deleted, _rows = DocumentBar.objects.filter(pk=bar.pk).delete()
    if deleted:
        record(
            EventType.BAR_LIFTED, on=bar.document, workspace=bar.document.workspace_id, by=by, reason=reason, **details
        )


def _bars_of(group: Group) -> Iterator[Use]:
    """The documents a group is kept from. Their titles are not for everybody who runs groups."""
    rules = DocumentBar.objects.filter(group=group).select_related("document__workspace").order_by("pk")
    for rule in rules:
        workspace = rule.document.workspace
        sentence = _("Is kept from a document in %(workspace)s by a never rule.") % {"workspace": workspace.name}
        yield Use(f"document_bar:{rule.document_id}", sentence, workspace)


uses_in[DocumentBar] = _bars_of
