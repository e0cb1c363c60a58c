"""The changes a gate knows: another default model, another embedding space, another version of a template.

Registers itself with the verbs that make each of them live.
"""

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from answers import endpoints
from answers.evaluation import gate
from answers.evaluation.kinds import Kind, register
from answers.evaluation.setup import Setup
from answers.exceptions import GateHolds
from answers.models import ModelEndpoint, TemplateVersion, WorkspaceModels
from answers.rag_templates import going_live, keeping
from documents.models import SpaceMigration
from documents.reembedding import steering
from documents.reembedding.problems import ReembeddingError
from documents.spaces import known
from documents.states import MigrationState
from workspaces.endpoint_base import EndpointState
from workspaces.models import User, Workspace

#: Built, and not yet searched in.
_BUILT = (MigrationState.COMPARING, MigrationState.READY)


# --- A model ------------------------------------------------------------------------------------------------


def _models(workspace: Workspace) -> list[ModelEndpoint]:
    stored = WorkspaceModels.objects.select_related("default_endpoint").filter(workspace=workspace).first()
    default = stored.default_endpoint if stored else endpoints.built_in()
    return [one for one in ModelEndpoint.objects.exclude(state=EndpointState.RETIRED) if one != default]


def _choose_model(workspace: Workspace, endpoint: ModelEndpoint, by: User) -> None:
    stored = WorkspaceModels.objects.filter(workspace=workspace).first()
    choices = {*(stored.choices.all() if stored else ()), endpoint}
    endpoints.choose_models(workspace, default=endpoint, choices=choices, by=by)


MODEL = register(
    Kind(
        code="model",
        label=_("Chat model"),
        find=lambda _workspace, target: (
            ModelEndpoint.objects.exclude(state=EndpointState.RETIRED).filter(pk=target).first()
        ),
        name=lambda endpoint: endpoint.name,
        choices=_models,
        target=lambda endpoint: str(endpoint.pk),
        put_into=lambda now, endpoint: replace(now, endpoint=endpoint),
        replaces=lambda now, _endpoint: now,
        go_live=_choose_model,
    )
)


def _before_choice(workspace: Workspace, newcomers: list[ModelEndpoint]) -> None:
    for endpoint in newcomers:
        gate.require_passed(workspace, MODEL.code, endpoint.pk)


endpoints.before_choice.append(_before_choice)


# --- An embedding space -------------------------------------------------------------------------------------


def _spaces(workspace: Workspace) -> list[SpaceMigration]:
    rows = SpaceMigration.objects.select_related("source__endpoint", "target__endpoint", "workspace")
    return list(rows.filter(workspace=workspace, state__in=_BUILT))


def _in_space(now: Setup, migration: SpaceMigration) -> Setup:
    return replace(now, space=known(migration.target, floor=migration.floor, scale=migration.scale))


def _switch(_workspace: Workspace, migration: SpaceMigration, by: User) -> None:
    steering.switch(migration, by=by)


SPACE = register(
    Kind(
        code="space",
        label=_("Embedding model"),
        find=lambda workspace, target: next((one for one in _spaces(workspace) if str(one.pk) == target), None),
        name=lambda migration: f"{migration.source.name} → {migration.target.name}",
        choices=_spaces,
        target=lambda migration: str(migration.pk),
        put_into=_in_space,
        replaces=lambda now, _migration: now,
        go_live=_switch,
    )
)


def _before_switch(migration: SpaceMigration) -> None:
    try:
        gate.require_passed(migration.workspace, SPACE.code, migration.pk)
    except GateHolds as held:
        raise ReembeddingError(str(held)) from held


steering.before_switch.append(_before_switch)


# --- A version of a template --------------------------------------------------------------------------------


def _versions(workspace: Workspace) -> list[TemplateVersion]:
    """The newest version of each template, where it is not the one in force."""
    rows = TemplateVersion.objects.filter(template__workspace=workspace).select_related("template", "endpoint")
    newest = rows.order_by("template_id", "-number").distinct("template_id")
    return [one for one in newest if one.template.current_id != one.pk]


def _find_version(workspace: Workspace, target: str) -> TemplateVersion | None:
    rows = TemplateVersion.objects.select_related("template__current__endpoint", "endpoint")
    return rows.filter(pk=target, template__workspace=workspace).first()


def _answering(now: Setup, version: TemplateVersion) -> Setup:
    endpoint = version.endpoint or endpoints.default_for(version.template.workspace)
    return replace(now, template=version, endpoint=endpoint)


def _in_force(now: Setup, version: TemplateVersion) -> Setup:
    """With the version in force of the same template; of a new one, with what answers now."""
    current = version.template.current
    return _answering(now, current) if current is not None else now


def _put_in_force(_workspace: Workspace, version: TemplateVersion, by: User) -> None:
    keeping.put_in_force(version, by=by)


def _name(version: TemplateVersion) -> str:
    return f"{version.name}, {version.number}"


TEMPLATE = register(
    Kind(
        code="template",
        label=_("Template"),
        find=_find_version,
        name=_name,
        choices=_versions,
        target=lambda version: str(version.pk),
        put_into=_answering,
        replaces=_in_force,
        go_live=_put_in_force,
    )
)


def _before_force(version: TemplateVersion, by: User) -> None:
    gate.require_passed(version.template.workspace, TEMPLATE.code, version.pk)


going_live.guard(_before_force)
