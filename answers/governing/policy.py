"""The one function that says whether a prompt may go to a model: asked on every call, by what the database says then.

What may not is refused with a sentence and an entry. Everything is read after the rows of the budget are locked, in one
statement, so that nothing stands between the decision and the sending but the commit.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from answers import permit as permits
from answers.exceptions import ModelRefused
from answers.governing import amounts, homes, ledger, limits
from answers.models import (
    Budget,
    EndpointKind,
    Evidence,
    Fallback,
    ModelEndpoint,
    Purpose,
    WorkspaceChecks,
    WorkspaceGate,
    WorkspaceModels,
)
from answers.permit import Permit
from answers.prompts import Prompt
from answers.states import AnswerStatus
from audit.events import EventType
from audit.record import record
from documents.models import Document
from workspaces.classification import Classification
from workspaces.endpoints.base import USABLE_STATES, EndpointState
from workspaces.models import User, Workspace

#: What tries a model before it is approved. Ceilings and budgets hold for these like for everything else.
TRIALS = frozenset({Purpose.TEST, Purpose.EVALUATION, Purpose.COMPARISON})


@dataclass(frozen=True, slots=True)
class Call:
    """What is about to be sent: to what end, for whom, and whose text is in it."""

    purpose: Purpose
    #: None for a test of an endpoint, which sends text of our own.
    workspace: Workspace | None
    by: User | None
    prompt: Prompt
    documents: frozenset[UUID] = frozenset()
    #: Earlier answers whose text is in the prompt: it rests on what they rest on.
    answers: frozenset[UUID] = frozenset()
    #: The level of text that is no document of the workspace; "" without such text.
    level: str = ""
    answer: UUID | None = None
    #: The day it counts for does not change while it is decided on.
    whose: ledger.Whose = field(init=False)

    def __post_init__(self) -> None:
        person = self.by.pk if self.by else None
        whose = ledger.Whose(self.workspace.pk if self.workspace else None, person, ledger.today())
        object.__setattr__(self, "whose", whose)


def permit(endpoint: ModelEndpoint, call: Call) -> Permit:
    """What lets the prompt of `call` go to `endpoint`, with its cost set aside.

    Raises ModelRefused, after the entry that says so. Not inside a transaction: the entry and what is set aside have to
    stand before anything is sent.
    """
    try:
        return _permit(endpoint, call)
    except ModelRefused as refused:
        _note(endpoint, call, refused)
        raise


def permitted(
    endpoint: ModelEndpoint,
    *,
    purpose: Purpose,
    workspace: Workspace | None,
    documents: Collection[UUID] = (),
    level: str = "",
) -> str:
    """Why text of `documents` may not go to `endpoint` now, as a sentence; "" if it may. Sends and writes nothing."""
    nothing = Prompt("", "", "", "")
    call = Call(purpose, workspace, None, nothing, frozenset(documents), level=level)
    try:
        _require(endpoint, call)
    except ModelRefused as refused:
        return refused.detail
    return ""


def judge_passed_as(endpoint: ModelEndpoint) -> str:
    """As what a workspace's gate remembers the mark of its judge."""
    return f"judge:{endpoint.pk}"


# --- Inside -------------------------------------------------------------------------------------------------


def _permit(endpoint: ModelEndpoint, call: Call) -> Permit:
    if endpoint.kind == EndpointKind.EXTRACTIVE:
        # It reads in this process: nothing is sent anywhere, and nothing is spent.
        _require_state(endpoint, call)
        return Permit(endpoint, call.prompt, seal=permits._SEAL, usage=None)
    try:
        return _reserve(endpoint, call)
    except ledger.PeriodsMissing:
        ledger.open_periods(call.whose)
        return _reserve(endpoint, call)


@transaction.atomic(durable=True)
def _reserve(endpoint: ModelEndpoint, call: Call) -> Permit:
    spends = ledger.lock(call.whose)
    current = _require(endpoint, call)
    most = amounts.most(current, call.prompt)
    limits.require(spends, current.budgets, most, current.name)  # type: ignore[attr-defined]
    reserved = ledger.reserve(
        spends,
        call.whose,
        most,
        label=current.label,
        seconds=current.total_seconds,
        purpose=call.purpose,
        endpoint=current,
        answer=call.answer,
    )
    return Permit(current, call.prompt, seal=permits._SEAL, usage=reserved.usage, reserved=reserved)


def _require(endpoint: ModelEndpoint, call: Call) -> ModelEndpoint:
    """The endpoint as it is now, if the text may go there. Raises ModelRefused."""
    current = _read(endpoint, call).first()
    if current is None:
        raise _refused("state", _("The model “%(name)s” is not connected any more.") % {"name": endpoint.name})
    _require_state(current, call)
    if not current.is_listed:  # type: ignore[attr-defined]
        raise _refused("workspace", _("This workspace does not allow the model “%(name)s”.") % {"name": current.name})
    _require_passed(current, call)
    # What a model learnt it tells whoever asks it: a trained one answers in the workspace of its examples alone.
    if call.workspace is not None and not homes.of(current) <= {str(call.workspace.pk)}:
        said = _("The model “%(name)s” was trained on answers of another workspace.") % {"name": current.name}
        raise _refused("workspace", said)
    if current.kind == EndpointKind.EXTRACTIVE:
        return current
    _require_room(current, call)
    # The database is not even asked about no documents, and says nothing then.
    texts: list[dict[str, str]] = current.texts or []  # type: ignore[attr-defined]
    if not {str(pk) for pk in call.documents} <= {text["id"] for text in texts}:
        raise _refused("documents", _("A document that this rests on is gone, so nothing was sent to a model."))
    _require_ceiling(current, [text["level"] for text in texts] + ([call.level] if call.level else []))
    return current


def _require_passed(current: ModelEndpoint, call: Call) -> None:
    """Refuse what a workspace's gate has not let pass, also where the installation's default became another."""
    passed: dict[str, str] | None = current.passed  # type: ignore[attr-defined]
    if passed is None or call.purpose in TRIALS:
        return
    # A judge passed as such: who may answer by now is no judge for that, and the other way round.
    mark = passed.get(judge_passed_as(current) if call.purpose == Purpose.JUDGE else str(current.pk))
    if mark is None:
        said = _("The model “%(name)s” has not passed the change gate of this workspace.")
        raise _refused("workspace", said % {"name": current.name})
    if mark != current.mark:
        said = _("The model “%(name)s” was changed since it passed the change gate of this workspace.")
        raise _refused("workspace", said % {"name": current.name})


def _require_ceiling(endpoint: ModelEndpoint, levels: Collection[str]) -> None:
    if any(Classification(level).rank > Classification(endpoint.ceiling).rank for level in levels):
        said = _("What this rests on is classified higher than the model “%(name)s” may read.")
        raise _refused("classification", said % {"name": endpoint.name})


def _require_room(endpoint: ModelEndpoint, call: Call) -> None:
    """By the length of the text: the server would say so too, after it was sent all of it."""
    if endpoint.context_tokens and amounts.estimated(call.prompt) > endpoint.context_tokens:
        said = _("What would be sent is longer than the model “%(name)s” reads.")
        raise _refused("length", said % {"name": endpoint.name})


def _require_state(endpoint: ModelEndpoint, call: Call) -> None:
    if endpoint.state in USABLE_STATES:
        return
    if endpoint.state == EndpointState.CANDIDATE and call.purpose in TRIALS:
        return
    said = (
        _("The model “%(name)s” is retired: nothing is sent to it any more.")
        if endpoint.state == EndpointState.RETIRED
        else _("The model “%(name)s” is not approved yet.")
    )
    raise _refused("state", said % {"name": endpoint.name})


def _read(endpoint: ModelEndpoint, call: Call) -> QuerySet[ModelEndpoint]:
    """The endpoint with all that the decision rests on, in one statement."""
    named = Q(pk__in=call.documents, deleted_at=None)
    if call.answers:
        # Also what lies in the bin: the answer says what stood there.
        named |= Q(pk__in=Evidence.objects.filter(answer__in=call.answers).order_by().values("document"))
    texts = Document.objects.filter(named, workspace=call.workspace).order_by()
    rows = Budget.objects.filter(Q(workspace=call.workspace) | Q(workspace=None)).order_by()
    return ModelEndpoint.objects.filter(pk=endpoint.pk).annotate(
        texts=ArraySubquery(texts.values(one=JSONObject(id="pk", level="classification"))),
        budgets=ArraySubquery(rows.values(one=limits.as_json())),
        is_listed=_is_listed(call),
        homes=homes.trained_in(OuterRef("model")),
        passed=Subquery(WorkspaceGate.objects.filter(workspace=call.workspace, enabled=True).values("passed")[:1]),
    )


def _is_listed(call: Call) -> Any:
    """Whether the workspace's manager allows the endpoint for this purpose; trials are started by one."""
    if call.workspace is None or call.purpose in TRIALS:
        return Value(call.purpose in TRIALS)
    here = WorkspaceModels.objects.filter(workspace=call.workspace)
    found = Exists(here.filter(Q(default_endpoint=OuterRef("pk")) | Q(choices=OuterRef("pk")))) | Exists(
        Fallback.objects.filter(workspace=call.workspace, endpoint=OuterRef("pk"))
    )
    found |= Q(state=EndpointState.DEFAULT) & ~Exists(here)
    found |= Q(kind=EndpointKind.EXTRACTIVE)
    if call.purpose == Purpose.JUDGE:
        found |= Exists(WorkspaceChecks.objects.filter(workspace=call.workspace, judge=OuterRef("pk")))
    return found


def _refused(code: str, sentence: str) -> ModelRefused:
    return ModelRefused(AnswerStatus.REFUSED_MODEL_POLICY, code, sentence)


@transaction.atomic
def _note(endpoint: ModelEndpoint, call: Call, refused: ModelRefused) -> None:
    record(
        EventType.MODEL_REFUSED,
        on=endpoint,
        workspace=call.workspace,
        by=call.by,
        purpose=str(call.purpose),
        why=refused.code,
        answer=call.answer,
        documents=len(call.documents),
    )
