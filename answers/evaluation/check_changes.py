"""The changes of a gate that are about checking and order: another strictness, another judge, another reranker.

They write no answer, and yet decide which questions are answered, which sentences stand and which passages are read.
Registers itself with the verbs that make each of them live.
"""

from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers import endpoints
from answers.checks import settings as checks
from answers.evaluation import gate, standing
from answers.evaluation.kinds import Kind, is_id, register
from answers.evaluation.setup import Setup
from answers.exceptions import EndpointError, GateHolds
from answers.models import EndpointKind, ModelEndpoint, Strictness, WorkspaceChecks
from documents.models import RerankEndpoint, WorkspaceReranker
from documents.reranking import endpoints as rerank_endpoints
from documents.reranking import rerankers as reranking
from workspaces.endpoints.base import USABLE_STATES
from workspaces.models import User, Workspace

#: The target of having no judge, or no reranker.
_NONE = "none"


# --- Strictness ---------------------------------------------------------------------------------------------


def _as_strict(now: Setup, wanted: Strictness) -> Setup:
    there = now.checks
    return replace(now, checks=WorkspaceChecks(workspace=there.workspace, strictness=wanted, judge=there.judge))


def _be_strict(workspace: Workspace, wanted: Strictness, by: User) -> None:
    checks.choose(workspace, strictness=wanted, judge=checks.of(workspace).judge, by=by)


STRICTNESS = register(
    Kind(
        code="strictness",
        label=gettext_lazy("Strictness"),
        find=lambda _workspace, target: Strictness(target) if target in Strictness.values else None,
        name=lambda wanted: str(wanted.label),
        choices=lambda workspace: [one for one in Strictness if one != checks.of(workspace).strictness],
        target=lambda wanted: wanted.value,
        put_into=_as_strict,
        replaces=lambda now, _wanted: now,
        go_live=_be_strict,
        spoken=lambda target: str(Strictness(target).label) if target in Strictness.values else "",
    )
)


# --- A judge ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judge:
    """Who judges each sentence; None: nobody."""

    endpoint: ModelEndpoint | None

    @property
    def target(self) -> str:
        return str(self.endpoint.pk) if self.endpoint else _NONE

    @property
    def name(self) -> str:
        return self.endpoint.name if self.endpoint else _("No model")


def _find_judge(_workspace: Workspace, target: str) -> Judge | None:
    if target == _NONE:
        return Judge(None)
    found = ModelEndpoint.objects.filter(pk=target).first() if is_id(target) else None
    return Judge(found) if found is not None and checks.may_judge(found) else None


def _judges(workspace: Workspace) -> list[Judge]:
    now = None if standing.changed_judge(workspace) else checks.of(workspace).judge
    usable = ModelEndpoint.objects.filter(state__in=USABLE_STATES, kind=EndpointKind.OPENAI).order_by("name")
    none = [None] if checks.of(workspace).judge else []
    return [Judge(one) for one in [*none, *usable] if one != now or one is None]


def _judged_by(now: Setup, wanted: Judge) -> Setup:
    there = now.checks
    chosen = WorkspaceChecks(workspace=there.workspace, strictness=there.strictness, judge=wanted.endpoint)
    return replace(now, checks=chosen)


def _have_judged(workspace: Workspace, wanted: Judge, by: User) -> None:
    checks.choose(workspace, strictness=checks.of(workspace).strictness, judge=wanted.endpoint, by=by)


JUDGE = register(
    Kind(
        code="judge",
        label=gettext_lazy("Judge"),
        find=_find_judge,
        name=lambda wanted: wanted.name,
        choices=_judges,
        target=lambda wanted: wanted.target,
        put_into=_judged_by,
        replaces=lambda now, _wanted: now,
        go_live=_have_judged,
        marks=lambda wanted: standing.of_judge(wanted.endpoint),
        spoken=lambda target: Judge(None).name if target == _NONE else "",
    )
)


def _before_checking(workspace: Workspace, before: WorkspaceChecks, chosen: WorkspaceChecks, by: User) -> None:
    changes_both = before.strictness != chosen.strictness and before.judge_id != chosen.judge_id
    if changes_both and gate.is_on(workspace):
        # Each may have passed, and what they come to together was asked nothing.
        raise GateHolds(_("This workspace has a change gate: change the strictness and the judge one after the other."))
    if before.strictness != chosen.strictness:
        gate.require_passed(workspace, STRICTNESS.code, chosen.strictness, by=by)
    if before.judge_id != chosen.judge_id:
        gate.require_passed(workspace, JUDGE.code, Judge(chosen.judge).target, by=by)


checks.before_choice.append(_before_checking)


# --- A reranker ---------------------------------------------------------------------------------------------


def _rerankers(workspace: Workspace) -> list[str]:
    now = rerank_endpoints.name_of(reranking.chosen_for(workspace))
    if standing.changed_reranker(workspace):
        now = None  # Once it passed in its new form, it goes on where it was.
    return [name for name in rerank_endpoints.offered() if name != now and _can_put_in_order(workspace, name)]


def _can_put_in_order(workspace: Workspace, name: str) -> bool:
    if name != reranking.CHAT:
        return True
    try:
        return endpoints.default_for(workspace).kind != EndpointKind.EXTRACTIVE
    except EndpointError:
        return False


def _find_reranker(workspace: Workspace, target: str) -> str | None:
    name = "" if target == _NONE else target
    return name if name in rerank_endpoints.offered() and _can_put_in_order(workspace, name) else None


def _put_in_order_by(now: Setup, name: str) -> Setup:
    if not name:
        return replace(now, reranker=None)
    endpoint = RerankEndpoint.objects.get(name=name) if name != reranking.CHAT else None
    return replace(now, reranker=WorkspaceReranker(workspace=now.checks.workspace, endpoint=endpoint))


def _order_named(name: str) -> str:
    return name or _("The order of the search itself")


RERANKER = register(
    Kind(
        code="reranker",
        label=gettext_lazy("Reranker"),
        find=_find_reranker,
        name=_order_named,
        choices=_rerankers,
        target=lambda name: name or _NONE,
        put_into=_put_in_order_by,
        replaces=lambda now, _name: now,
        go_live=lambda workspace, name, by: rerank_endpoints.choose(workspace, name, by=by),
        marks=lambda name: standing.of_reranker(RerankEndpoint.objects.filter(name=name).first()),
        spoken=lambda target: _order_named("") if target == _NONE else "",
    )
)


def _before_order(workspace: Workspace, name: str, by: User) -> None:
    gate.require_passed(workspace, RERANKER.code, name or _NONE, by=by)


rerank_endpoints.before_choice.append(_before_order)
