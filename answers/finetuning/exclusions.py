"""Which approved answers may be learnt from: those that stand, and rest on nothing that a model may not tell on.

What a model learnt it tells everybody who may ask it, and it cannot be asked to forget. So an answer stays out when
any passage it was given lies in a document that is closed to somebody here, classified too high, or not ours to use.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from answers.models import Answer, Evidence, Reuse
from answers.models.evidence import FIRST_INHERITED
from answers.querysets import rests_on_open
from answers.states import AnswerStatus
from answers.suspension.standing import standing
from documents.models import Document, DocumentBar
from workspaces.classification import Classification
from workspaces.models import User, Workspace

#: Why an answer is left out; codes are kept with the set.
REASONS = {
    "shaken": _("A source was deleted, replaced or is over"),
    "follow_up": _("It rests on earlier turns of a conversation"),
    "closed": _("A source is closed to you"),
    "restricted": _("A source is closed to some people here"),
    "classification": _("A source is classified higher"),
    "usage": _("The usage rights of a source are not among the chosen ones"),
    "repeated": _("Its question is another one's in other words"),
    "long": _("It is too long for an example"),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a set takes: documents up to a classification, with one of these usage rights."""

    ceiling: str
    usages: Collection[str]

    def refusal(self, classification: str, usage: str) -> str:
        """The code of why a document may not be learnt from; "" if it may."""
        if Classification(classification).rank > Classification(self.ceiling).rank:
            return "classification"
        return "" if usage in self.usages else "usage"


@dataclass(slots=True)
class Chosen:
    """The answers that may be learnt from, newest approval first, and how many were left out for each reason."""

    answers: list[Answer]
    left_out: dict[str, int] = field(default_factory=dict)


def approved_in(workspace: Workspace) -> QuerySet[Answer]:
    """Answers a reviewer approved, each once: not what was given again under the same approval."""
    approved = Answer.objects.filter(workspace=workspace, status=AnswerStatus.ANSWERED_APPROVED)
    return approved.exclude(pk__in=Reuse.objects.values("answer")).exclude(question__text="")


def choose(workspace: Workspace, rules: Rules, *, by: User) -> Chosen:
    """Sort the approved answers of the workspace out, for `by`, as the rows are now."""
    rows = approved_in(workspace).select_related("question").order_by("-released_at", "pk")
    refusals = refusals_of(rows, rules, by=by)
    chosen = Chosen([])
    for answer in rows:
        if why := refusals.get(answer.pk, ""):
            chosen.left_out[why] = chosen.left_out.get(why, 0) + 1
        else:
            chosen.answers.append(answer)
    return chosen


def refusals_of(answers: QuerySet[Answer], rules: Rules, *, by: User) -> dict[UUID, str]:
    """The code of why each may not be learnt from, of those that may not; a few queries, however many there are."""
    plain = answers.order_by()
    ids = set(plain.values_list("pk", flat=True))
    stands = set(standing().filter(pk__in=plain.values("pk")).values_list("pk", flat=True))
    inherits = Evidence.objects.filter(answer=OuterRef("pk"), rank__gte=FIRST_INHERITED)
    follow_ups = set(plain.filter(Exists(inherits)).values_list("pk", flat=True))
    opened = set(plain.filter(rests_on_open(by, "pk")).values_list("pk", flat=True))
    of_documents = _by_sources(plain, rules)
    found = {}
    for pk in ids:
        if pk not in stands:
            found[pk] = "shaken"
        elif pk in follow_ups:
            found[pk] = "follow_up"
        elif pk not in opened:
            found[pk] = "closed"
        elif why := of_documents.get(pk):
            found[pk] = why
    return found


def closed_to_some() -> Q:
    """Of documents: restricted, or somebody is barred from it."""
    return Q(restricted=True) | Exists(DocumentBar.objects.filter(document=OuterRef("pk")))


def _by_sources(answers: QuerySet[Answer], rules: Rules) -> dict[UUID, str]:
    rests: dict[UUID, set[UUID]] = defaultdict(set)
    evidence = Evidence.objects.filter(answer__in=answers.values("pk")).order_by()
    for answer_id, document_id in evidence.values_list("answer", "document").distinct():
        rests[answer_id].add(document_id)
    documents = Document.objects.filter(pk__in=evidence.values("document"))
    guarded = set(documents.filter(closed_to_some()).values_list("pk", flat=True))
    refused = {}
    for pk, classification, usage in documents.values_list("pk", "classification", "usage"):
        if why := "restricted" if pk in guarded else rules.refusal(classification, usage):
            refused[pk] = why
    found = {}
    for answer_id, of_it in rests.items():
        reasons = [refused[pk] for pk in of_it if pk in refused]
        if reasons:
            found[answer_id] = min(reasons, key=list(REASONS).index)
    return found
