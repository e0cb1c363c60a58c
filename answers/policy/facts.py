"""What release rules may go by: known when an answer is finished, and kept with the decision on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.crypto import salted_hmac

from answers.models import Answer, EndpointKind, Evidence, ModelEndpoint, ReleaseRules
from answers.policy.rules import BUILT_IN_MODEL
from documents import analysis
from workspaces.classification import Classification
from workspaces.compiled import Compiled
from workspaces.models import Membership

#: Of how many an answer's draw is one: hundredths of a percent.
DRAWS = 10_000
_SALT = "answers.policy.draw"


@dataclass(frozen=True, slots=True)
class Facts:
    """One answer as rules see it. What is not known is None or empty, and counts against release."""

    classification: str = ""
    lowest_grounding: float | None = None
    unsupported_share: float | None = None
    endpoint: str = ""
    template: str = ""
    roles: Sequence[str] = field(default_factory=tuple)
    #: 0 to `DRAWS` - 1.
    draw: int = 0


@dataclass(frozen=True, slots=True)
class InForce:
    """The newest set of rules as it is stored; `number` 0 with no rows are the built-in ones, made by nobody."""

    number: int = 0
    rules: list[dict[str, Any]] | None = None
    made_by: str = ""


def gather(answer: Answer) -> tuple[str, list[str], InForce]:
    """The highest classification of what the answer rests on, the asker's roles, and the rules in force. One query."""
    [row] = _gathered(answer.pk)
    found = [Classification(level) for level in row["levels"]]
    highest = max(found, key=lambda level: level.rank).value if found else ""
    return highest, sorted(row["roles"]), InForce(**row["in_force"]) if row["in_force"] else InForce()


def _of_answer(answer_id: UUID) -> QuerySet[Any, Any]:
    levels = Evidence.objects.filter(answer=OuterRef("pk")).order_by().values("document__classification").distinct()
    roles = Membership.objects.filter(
        user=OuterRef("asked_by"), group__workspace_role__workspace=OuterRef("workspace")
    ).order_by()
    newest = ReleaseRules.objects.filter(workspace=OuterRef("workspace")).order_by("-number")
    return (
        Answer.objects.filter(pk=answer_id)
        .annotate(
            levels=ArraySubquery(levels),
            roles=ArraySubquery(roles.values("group__workspace_role__role").distinct()),
            in_force=Subquery(newest.values(one=JSONObject(number="number", rules="rules", made_by="made_by"))[:1]),
        )
        .values("levels", "roles", "in_force")
    )


_gathered = Compiled(_of_answer, UUID)


def endpoint_as_fact(endpoint: ModelEndpoint | None) -> str:
    """The built-in model by its kind, every other one by its id; "" where nothing is known of it."""
    if endpoint is None:
        return ""
    return BUILT_IN_MODEL if endpoint.kind == EndpointKind.EXTRACTIVE else str(endpoint.pk)


def draw(answer: Answer, question: str) -> int:
    """0 to `DRAWS` - 1 for this question of this person, the same whenever they ask it in these words.

    Keyed by the installation's secret and blind to the answer's id, so that nobody can tell beforehand, and asking
    again is not another draw.
    """
    words = " ".join(sorted(set(analysis.words(question, answer.question.language.partition("-")[0]))))
    keyed = salted_hmac(_SALT, f"{answer.workspace_id}:{answer.asked_by_id}:{words}", algorithm="sha256")
    return int.from_bytes(keyed.digest()[:8], "big") % DRAWS
