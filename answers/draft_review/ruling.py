"""What the workspace's template “Draft review” says of drafts that are brought, where it is taken in and switched on.

Which documents are the guidance, how many passages a clause is held against, which model reads, and who lets findings
out. Its instructions and its form are for passages that are pasted into a question; an examination has a prompt of its
own.
"""

from django.db.models import F, Q

from answers.models import Examination, TemplateVersion
from answers.rag_templates import content, filters
from workspaces.models import ReviewPolicy, Workspace

CODE = "draft_review"
#: Where no template says how many.
_PASSAGES = 6


def in_force(workspace: Workspace) -> TemplateVersion | None:
    """The version that drafts are examined by from now on; None where the workspace did not take the template in."""
    rows = TemplateVersion.objects.filter(
        template__workspace=workspace, template__code=CODE, template__enabled=True, pk=F("template__current")
    )
    return rows.select_related("template", "endpoint").first()


def guidance_of(examination: Examination) -> Q | None:
    """The documents the draft is held against, to be added to what its owner may open; None: all of those.

    Raises TemplateError for filters that cannot be read.
    """
    version = examination.template
    return filters.condition(filters.read(version.filters), examination.workspace) if version else None


def passages_of(examination: Examination) -> int:
    """How many passages a clause is held against."""
    return examination.template.passages if examination.template else _PASSAGES


def policy_of(examination: Examination) -> ReviewPolicy:
    """Who lets findings out: the stricter of the workspace, as it is now, and the template."""
    review = examination.template.review if examination.template else ""
    return ReviewPolicy(content.stricter(examination.workspace.review_policy, review))
