"""What a file says of one finding."""

from django.utils.translation import gettext as _

from answers.draft_review.reading import Shown
from answers.models import FindingDecision


def said(shown: Shown) -> list[str]:
    """Lines of plain text: what it is, why, what it rests on, and what was decided."""
    finding = shown.finding
    lines = [f"{finding.get_severity_display()} · {finding.get_category_display()}", finding.explanation]
    if shown.quote:
        lines.append(f"{shown.title}: “{' '.join(shown.quote.split())}”")
    if shown.other:
        lines.append(_("Elsewhere in the draft: “%(words)s”") % {"words": shown.other})
    if finding.decision == FindingDecision.ACCEPTED:
        lines.append(_("Accepted."))
    elif finding.decision == FindingDecision.REJECTED:
        lines.append(_("Rejected."))
    elif shown.proposed:
        lines.append(_("Proposed: “%(words)s”") % {"words": shown.proposed.strip()})
    return [line for line in lines if line]
