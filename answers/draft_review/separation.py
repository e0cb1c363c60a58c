"""Who may let out findings in somebody's draft although their role would let them: as for answers."""

from typing import Any

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.models import ClauseSource, Examination, Finding, FindingForm
from workspaces.models import User

BROUGHT = gettext_lazy("This is your own draft, so somebody else decides.")


def refusal(person: User, examination: Examination) -> str:
    """Why `person` may not release these findings although they review here, as a sentence; "" when they may."""
    return refusal_of(with_ties(Examination.objects.filter(pk=examination.pk), person).get())


def with_ties(examinations: QuerySet[Examination], person: User) -> QuerySet[Examination]:
    """The examined drafts with what ties `person` to each: asked, approved, added, lowered, for `refusal_of`."""
    read = ClauseSource.objects.filter(clause__examination=OuterRef("pk"))
    cited = Finding.objects.filter(examination=OuterRef("pk"), version__created_by=person)
    lowered = read.filter(
        document__reclassifications__lowers=True,
        document__reclassifications__changed_by=person,
        document__reclassifications__changed_at__gt=OuterRef("asked_at"),
    )
    return examinations.annotate(
        has_asked=_holds(Q(asked_by=person)),
        has_approved=_holds(Q(first_approved_by=person)),
        has_added=_holds(
            Q(workspace__uploader_may_approve=False)
            & (Q(Exists(cited)) | Q(Exists(read.filter(version__created_by=person))))
        ),
        has_lowered=Exists(lowered),
        has_reworded=Exists(FindingForm.objects.filter(finding__examination=OuterRef("pk"), made_by=person)),
    )


def refusal_of(examination: Any) -> str:
    """As `refusal`, for one that comes from `with_ties`."""
    if examination.has_asked:
        return str(BROUGHT)
    if examination.has_approved:
        return _("You approved these findings already. A second reviewer approves them before they are released.")
    if examination.has_reworded:
        return _("You changed these findings, so another reviewer lets them out.")
    if examination.has_added:
        return _("You added a document these findings rest on, so another reviewer lets them out.")
    if examination.has_lowered:
        return _("You lowered the classification of a document these findings rest on, so another reviewer decides.")
    return ""


def _holds(condition: Q) -> Case:
    # A comparison with NULL is neither; here it is no.
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())
