"""The models of the installation and of a workspace: which one a question uses, their keys, and a test of one."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from answers import model_hosts
from answers.chat_models import stream_chat
from answers.exceptions import EndpointError, ModelFailed
from answers.keys import check_reference
from answers.models import EndpointKind, ModelEndpoint, WorkspaceModels
from answers.prompts import render
from answers.states import AnswerStatus
from audit.events import EventType
from audit.record import record
from documents import rerank_endpoints, reranking
from workspaces import access
from workspaces.classification import Classification
from workspaces.endpoint_base import USABLE_STATES, EndpointState, Residency
from workspaces.endpoint_states import propose
from workspaces.models import User, Workspace
from workspaces.roles import Action, PlatformAction

BUILT_IN = "built-in"

#: What is asked in the transaction that lets models answer in a workspace; given those that did not until now, it
#: raises a PortalError to keep them from it.
before_choice: list[Callable[[Workspace, list[ModelEndpoint]], None]] = []

#: What an administrator sets; everything else about an endpoint is ours.
_SETTINGS = (
    "name",
    "kind",
    "base_url",
    "model",
    "key_reference",
    "connect_seconds",
    "first_token_seconds",
    "total_seconds",
    "max_output_tokens",
    "provider",
    "key_header",
    "api_version",
    "length_field",
    "sends_temperature",
    "asks_usage",
    "context_tokens",
    "requests_per_minute",
    "concurrent_requests",
    "input_price",
    "output_price",
    "ceiling",
    "residency",
    "residency_note",
    "purpose",
    "owner",
)
#: What an approval covers beside ceiling and residency: with another value it would be another model.
_COVERED = ("name", "kind", "provider", "base_url", "model")
#: What is built in runs here: whatever a person may read, it may.
_BUILT_IN_STANDS = {
    "kind": EndpointKind.EXTRACTIVE,
    "provider": "built-in",
    "state": EndpointState.APPROVED,
    "ceiling": Classification.RESTRICTED,
    "residency": Residency.PREMISES,
    "input_price": 0,
    "output_price": 0,
}


@dataclass(frozen=True, slots=True)
class EndpointTest:
    """Whether the endpoint answered a small question, in a sentence for the administrator."""

    ok: bool
    sentence: str
    seconds: float


@dataclass(frozen=True, slots=True)
class _TestSource:
    number: int = 1
    title: str = "Opening hours"
    locator: str = "page 1"
    text: str = "The reading room is open from 9:00 to 17:00 on working days."
    language: str = "en"


_TEST_QUESTION = "When is the reading room open?"


# --- Which one ------------------------------------------------------------------------------------------------


def ensure_built_in(**_signal: Any) -> None:
    """Make sure the built-in model has its row; runs after every migration."""
    ModelEndpoint.objects.get_or_create(name=BUILT_IN, defaults=_BUILT_IN_STANDS)


def built_in() -> ModelEndpoint | None:
    """The built-in model, which a workspace uses until its manager chooses; None where its row was renamed."""
    return ModelEndpoint.objects.filter(name=BUILT_IN).first()


def built_in_with() -> Subquery:
    """The built-in model read with any row, for `built_in_as_read`."""
    columns = {field.attname: field.attname for field in ModelEndpoint._meta.concrete_fields}
    return Subquery(ModelEndpoint.objects.filter(name=BUILT_IN).order_by().values(one=JSONObject(**columns))[:1])


def built_in_as_read(found: dict[str, Any] | None) -> ModelEndpoint | None:
    """As `built_in`, from what `built_in_with` read."""
    if found is None:
        return None
    fields = ModelEndpoint._meta.concrete_fields
    return ModelEndpoint.from_db(
        DEFAULT_DB_ALIAS, list(found), [field.to_python(found[field.attname]) for field in fields]
    )


def default_for(workspace: Workspace, built_in: Callable[[], ModelEndpoint | None] = built_in) -> ModelEndpoint:
    """The endpoint of a question that names none. Raises EndpointError when there is no enabled one."""
    chosen = getattr(workspace, "models", None)
    endpoint = chosen.default_endpoint if chosen else built_in()
    if endpoint is None or not endpoint.usable:
        raise EndpointError(_("This workspace has no usable model. Its manager can choose one in the settings."))
    return endpoint


def choices_for(workspace: Workspace) -> list[ModelEndpoint]:
    """What a person may choose from, the default first; one entry means there is nothing to choose."""
    default = default_for(workspace)
    chosen = getattr(workspace, "models", None)
    others = chosen.choices.filter(state__in=USABLE_STATES).exclude(pk=default.pk) if chosen else ()
    return [default, *others]


def names_for(workspace: Workspace) -> list[str]:
    """The names of `choices_for`; none where no model is left, which asking then says."""
    try:
        return [endpoint.name for endpoint in choices_for(workspace)]
    except EndpointError:
        return []


def named(name: str, workspace: Workspace) -> ModelEndpoint | None:
    """The endpoint of that name among `choices_for`; None for no name. Raises EndpointError for another."""
    for endpoint in choices_for(workspace) if name else ():
        if endpoint.name == name:
            return endpoint
    if name:
        raise EndpointError(_("This workspace offers no model “%(name)s”.") % {"name": name})
    return None


def require_allowed(endpoint: ModelEndpoint, workspace: Workspace) -> None:
    """Return if people may choose `endpoint` in `workspace`. Raises EndpointError."""
    if endpoint not in choices_for(workspace):
        raise EndpointError(
            _("The model “%(name)s” is not open to this workspace. Its manager can add it in the settings.")
            % {"name": endpoint.name}
        )


def label_of(endpoint: ModelEndpoint) -> str:
    """The endpoint as an answer's record names it, whatever becomes of its row."""
    if endpoint.kind == EndpointKind.EXTRACTIVE:
        return endpoint.name
    return f"{endpoint.name}: {endpoint.model} at {endpoint.base_url}"[:300]


# --- Changes --------------------------------------------------------------------------------------------------


@transaction.atomic
def save_endpoint(endpoint: ModelEndpoint, *, by: User) -> ModelEndpoint:
    """Store a new or changed endpoint; the trail keeps before and after.

    Raises EndpointError for settings that cannot work.
    """
    access.require(by, PlatformAction.MANAGE_ENDPOINTS, None)
    check_reference(endpoint.key_reference)
    if endpoint.base_url:
        model_hosts.require_resolved(endpoint.base_url)
    try:
        endpoint.full_clean()
    except ValidationError as error:
        raise EndpointError(" ".join(error.messages)) from error
    stored = ModelEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint.pk).first()
    if stored and _leads_elsewhere(stored, endpoint):
        endpoint.key_reference = ""
    propose(endpoint, stored, {name: getattr(stored, name) for name in _COVERED} if stored else {}, by=by)
    before = {name: _told(stored, name) for name in _SETTINGS} if stored else {}
    after = {name: _told(endpoint, name) for name in _SETTINGS}
    endpoint.save()
    record(
        EventType.ENDPOINT_CHANGED,
        on=endpoint,
        by=by,
        before={name: value for name, value in before.items() if value != after[name]},
        after={name: value for name, value in after.items() if not stored or value != before[name]},
    )
    return endpoint


def _told(endpoint: ModelEndpoint, name: str) -> Any:
    """A setting as the trail keeps it."""
    value = getattr(endpoint, name)
    return value if value is None or isinstance(value, (bool, int)) else str(value)


def _leads_elsewhere(stored: ModelEndpoint, changed: ModelEndpoint) -> bool:
    """Whether the key would go to another server than it was entered for; then it has to be entered again."""
    if not changed.base_url or not stored.base_url or changed.key_reference != stored.key_reference:
        return False
    return model_hosts.target_of(changed.base_url) != model_hosts.target_of(stored.base_url)


@transaction.atomic
def choose_models(
    workspace: Workspace,
    *,
    default: ModelEndpoint,
    choices: Iterable[ModelEndpoint] = (),
    reranker: str | None = None,
    by: User,
) -> WorkspaceModels:
    """Set the workspace's default endpoint, what people there may choose instead, and what puts finds in order.

    `reranker` as `rerank_endpoints.choose` takes it; None leaves it as it is.
    """
    access.require(by, Action.MANAGE, workspace)
    allowed = sorted({default, *choices}, key=lambda endpoint: endpoint.name)
    if not all(endpoint.usable for endpoint in allowed):
        raise EndpointError(_("Only an approved model can be chosen."))
    if reranker == reranking.CHAT and default.kind == EndpointKind.EXTRACTIVE:
        raise EndpointError(_("The built-in model cannot put passages in order. Choose another one as the default."))
    stored = WorkspaceModels.objects.select_for_update(no_key=True).filter(workspace=workspace).first()
    before = _named(stored.default_endpoint, stored.choices.all()) if stored else {}
    newcomers = _newcomers(stored, default, allowed)
    for ask in before_choice:
        ask(workspace, newcomers)
    models, _made = WorkspaceModels.objects.update_or_create(
        workspace=workspace, defaults={"default_endpoint": default}
    )
    models.choices.set(allowed)
    if reranker is not None:
        rerank_endpoints.choose(workspace, reranker, by=by)
    record(
        EventType.WORKSPACE_CHANGED,
        on=workspace,
        workspace=workspace,
        by=by,
        before=before,
        after=_named(default, allowed),
    )
    return models


def _newcomers(
    stored: WorkspaceModels | None, default: ModelEndpoint, allowed: Iterable[ModelEndpoint]
) -> list[ModelEndpoint]:
    """The models that would answer people here from now on and did not before, a new default among them."""
    until_now = stored.default_endpoint if stored else built_in()
    known = {until_now, *(stored.choices.all() if stored else ())}
    return [endpoint for endpoint in allowed if endpoint not in known or (endpoint == default != until_now)]


def _named(default: ModelEndpoint, choices: Iterable[ModelEndpoint]) -> dict[str, Any]:
    """A choice of models as the trail keeps it."""
    return {"default_model": default.name, "models": [endpoint.name for endpoint in choices]}


def try_endpoint(endpoint: ModelEndpoint, *, by: User) -> EndpointTest:
    """Ask the endpoint a small question whose answer is known, and say in a sentence how it went."""
    access.require(by, PlatformAction.MANAGE_ENDPOINTS, None)
    outcome = _try(endpoint)
    with transaction.atomic():
        record(EventType.ENDPOINT_TESTED, on=endpoint, by=by, ok=outcome.ok, outcome=outcome.sentence)
    return outcome


def _try(endpoint: ModelEndpoint) -> EndpointTest:
    source = _TestSource()
    started = time.monotonic()

    def outcome(ok: bool, sentence: str) -> EndpointTest:
        return EndpointTest(ok, sentence, round(time.monotonic() - started, 3))

    try:
        prompt = render(_TEST_QUESTION, [source])
        text = "".join(stream_chat(endpoint, prompt, question=_TEST_QUESTION, evidence=[source]))
    except EndpointError as error:
        return outcome(False, str(error))
    except ModelFailed as error:
        return outcome(False, f"{AnswerStatus(error.status).label}: {error.detail}")
    if "[1]" not in text:
        return outcome(False, _("It answered, but without citing its source, so its answers would not be shown."))
    return outcome(True, _("It answered the test question and cited its source."))
