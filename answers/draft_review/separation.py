"""Who may let out findings in somebody's draft although their role would let them: as for answers."""

from django.utils.translation import gettext as _

from answers.models import ClauseSource, Examination
from workspaces.models import User


def refusal(person: User, examination: Examination) -> str:
    """Why `person` may not release these findings although they review here, as a sentence; "" when they may."""
    if examination.asked_by_id == person.pk:
        return _("This is your own draft, so somebody else decides.")
    if examination.first_approved_by_id == person.pk:
        return _("You approved these findings already. A second reviewer approves them before they are released.")
    read = ClauseSource.objects.filter(clause__examination=examination)
    cited = examination.findings.filter(version__created_by=person)
    has_added = cited.exists() or read.filter(version__created_by=person).exists()
    if has_added and not examination.workspace.uploader_may_approve:
        return _("You added a document these findings rest on, so another reviewer lets them out.")
    lowered = read.filter(
        document__reclassifications__lowers=True,
        document__reclassifications__changed_by=person,
        document__reclassifications__changed_at__gt=examination.asked_at,
    )
    if lowered.exists():
        return _("You lowered the classification of a document these findings rest on, so another reviewer decides.")
    return ""
