"""The models of the installation and of a workspace: which one a question uses, their keys, and a test of one."""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, Q, QuerySet, Subquery, When
from django.utils.translation import gettext as _

from answers.exceptions import EndpointError
from answers.models import EndpointKind, ModelEndpoint, WorkspaceModels
from answers.read_with import RowOf, row_of
from answers.registry import hosts as model_hosts
from answers.registry.keys import check_reference
from answers.registry.trial import EndpointTest, try_endpoint
from audit.events import EventType
from audit.record import record
from documents.reranking import endpoints as rerank_endpoints
from documents.reranking import rerankers as reranking
from workspaces import access
from workspaces.classification import Classification
from workspaces.endpoints.base import USABLE_STATES, EndpointState, Residency
from workspaces.endpoints.states import keep, propose
from workspaces.models import User, Workspace
from workspaces.roles import Action, PlatformAction

__all__ = ["EndpointTest", "save_endpoint", "try_endpoint"]

BUILT_IN = "built-in"

#: What is asked in the transaction that lets models answer in a workspace; given those that did not until now, and who
#: lets them, it raises a PortalError to keep them from it.
before_choice: list[Callable[[Workspace, list[ModelEndpoint], User], None]] = []

#: What an administrator sets; everything else about an endpoint is ours. The trail tells of it.
SETTINGS = (
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
    "training_price",
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


# --- Which one ------------------------------------------------------------------------------------------------


def ensure_built_in(**_signal: Any) -> None:
    """Make sure the built-in model has its row; runs after every migration."""
    ModelEndpoint.objects.get_or_create(name=BUILT_IN, defaults=_BUILT_IN_STANDS)


def built_in() -> ModelEndpoint | None:
    """What a workspace uses until its manager chooses: the installation's default, else the built-in model.

    None where neither is there.
    """
    return _until_chosen().first()


def built_in_with() -> Subquery:
    """The same read with any row, for `built_in_as_read`."""
    return Subquery(_until_chosen().values(one=RowOf(ModelEndpoint))[:1])


def _until_chosen() -> QuerySet[ModelEndpoint]:
    is_default = Q(state=EndpointState.DEFAULT)
    found = ModelEndpoint.objects.filter(is_default | Q(name=BUILT_IN))
    return found.order_by(Case(When(is_default, then=0), default=1))


def built_in_as_read(found: dict[str, Any] | None) -> ModelEndpoint | None:
    """As `built_in`, from what `built_in_with` read."""
    return row_of(ModelEndpoint, found)


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
    return endpoint.label


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
    keep(endpoint, stored, SETTINGS, by=by)
    return endpoint


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
    # Locked by its workspace: there may be no row yet, and a gate decides on what answers here at this moment.
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    stored = WorkspaceModels.objects.filter(workspace=workspace).first()
    before = _named(stored.default_endpoint, stored.choices.all()) if stored else {}
    newcomers = _newcomers(stored, default, allowed)
    for ask in before_choice:
        ask(workspace, newcomers, by)
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
