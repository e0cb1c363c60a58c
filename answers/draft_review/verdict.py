"""Whether findings are released to the draft's owner or held for a reviewer: the workspace's policy, as for answers."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils.crypto import salted_hmac

from answers.draft_review.ruling import CODE, policy_of
from answers.models import ClauseSource, Examination, ReleaseRules
from answers.policy.facts import DRAWS, Facts, InForce, endpoint_as_fact
from answers.policy.verdicts import Guard, by_rules
from documents.models import Document
from workspaces.classification import Classification
from workspaces.models import Membership, ReviewPolicy, Workspace


@dataclass(frozen=True, slots=True)
class Verdict:
    held: bool
    rule: str
    takes_two: bool


def decide(examination: Examination, *, by_model: bool) -> Verdict:
    """The verdict of now. What a model wrote in its own words has no measured support, which counts against release."""
    workspace = examination.workspace
    level = _highest(examination)
    two = _is_guarded(workspace, level)
    match policy_of(examination):
        case ReviewPolicy.OPEN:
            return Verdict(False, Guard.OPEN, False)
        case ReviewPolicy.REVIEW:
            return Verdict(True, Guard.REVIEW, two)
        case ReviewPolicy.RISK:
            facts = Facts(
                classification=level.value,
                lowest_grounding=None if by_model else 1.0,
                unsupported_share=None if by_model else 0.0,
                endpoint=endpoint_as_fact(examination.endpoint),
                template=CODE,
                roles=_roles(examination),
                draw=_draw(examination),
            )
            found = by_rules(_in_force(examination), facts, asker=str(examination.asked_by_id))
            return Verdict(found.held, found.rule, found.held and (found.takes_two or two))


def takes_two_now(examination: Examination) -> bool:
    """Whether two people let the findings out, as what they rest on is classified now; never fewer than before."""
    return examination.takes_two or _is_guarded(examination.workspace, _highest(examination))


def _is_guarded(workspace: Workspace, level: Classification) -> bool:
    guarded = workspace.second_approver_from
    return bool(guarded) and level.rank >= Classification(guarded).rank


def _highest(examination: Examination) -> Classification:
    """Of the draft itself, of all that its clauses were held against, and of what findings on the whole cite."""
    read = ClauseSource.objects.filter(clause__examination=examination).order_by().values("document")
    cited = examination.findings.filter(document__isnull=False).order_by().values("document")
    levels = (
        Document.objects.filter(Q(pk__in=read) | Q(pk__in=cited))
        .order_by()
        .values_list("classification", flat=True)
        .distinct()
    )
    return max(map(Classification, [examination.classification, *levels]), key=lambda level: level.rank)


def _roles(examination: Examination) -> tuple[str, ...]:
    held = Membership.objects.filter(
        user=examination.asked_by_id, group__workspace_role__workspace=examination.workspace_id
    )
    return tuple(sorted(set(held.order_by().values_list("group__workspace_role__role", flat=True))))


def _in_force(examination: Examination) -> InForce:
    newest = ReleaseRules.objects.filter(workspace=examination.workspace_id).order_by("-number")
    row = newest.values("number", "rules", "made_by").first()
    return InForce(row["number"], row["rules"], str(row["made_by"])) if row else InForce()


def _draw(examination: Examination) -> int:
    """The same whenever the same person brings the same draft: asking again is not another draw."""
    said = f"{examination.workspace_id}:{examination.asked_by_id}:{examination.text_sha256}"
    digest = salted_hmac("answers.draft_review.draw", said, algorithm="sha256").digest()
    return int.from_bytes(digest[:8], "big") % DRAWS
