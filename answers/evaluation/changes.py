"""The changes a gate knows: another default model and another embedding space; `template_changes.py` has templates.

Registers itself with the verbs that make each of them live.
"""

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from answers import endpoints
from answers.evaluation import gate, standing
from answers.evaluation.kinds import Kind, register
from answers.evaluation.setup import Setup
from answers.exceptions import GateHolds
from answers.models import ModelEndpoint, WorkspaceModels
from documents.embedding.spaces import known
from documents.models import SpaceMigration
from documents.reembedding import steering
from documents.reembedding.problems import ReembeddingError
from documents.states import MigrationState
from workspaces.endpoints.base import EndpointState
from workspaces.models import User, Workspace

#: Both spaces are whole: it can be switched to the one that is not searched in.
_BUILT = (MigrationState.COMPARING, MigrationState.READY, MigrationState.SWITCHED, MigrationState.ROLLED_BACK)


# --- A model ------------------------------------------------------------------------------------------------


def _models(workspace: Workspace) -> list[ModelEndpoint]:
    stored = WorkspaceModels.objects.select_related("default_endpoint").filter(workspace=workspace).first()
    default = stored.default_endpoint if stored else endpoints.built_in()
    again = standing.changed(workspace)
    rows = ModelEndpoint.objects.exclude(state=EndpointState.RETIRED)
    return [one for one in rows if one != default or one in again]


def _choose_model(workspace: Workspace, endpoint: ModelEndpoint, by: User) -> None:
    if endpoint in standing.changed(workspace):
        return  # It answers here: once it passed in its new form, it goes on where it was.
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
        marks=lambda endpoint: {str(endpoint.pk): endpoint.mark},
    )
)


def _before_choice(workspace: Workspace, newcomers: list[ModelEndpoint], by: User) -> None:
    for endpoint in newcomers:
        gate.require_passed(workspace, MODEL.code, endpoint.pk, by=by)


endpoints.before_choice.append(_before_choice)


# --- An embedding space -------------------------------------------------------------------------------------


def _spaces(workspace: Workspace) -> list[SpaceMigration]:
    rows = SpaceMigration.objects.select_related("source__endpoint", "target__endpoint", "workspace")
    return list(rows.filter(workspace=workspace, state__in=_BUILT))


def _goes_back(migration: SpaceMigration) -> bool:
    """Whether the change is that of going back: the new space is searched in now."""
    return migration.state == MigrationState.SWITCHED


def _in_space(now: Setup, migration: SpaceMigration) -> Setup:
    if _goes_back(migration):
        return replace(now, space=known(migration.source, floor=migration.source_floor, scale=migration.source_scale))
    return replace(now, space=known(migration.target, floor=migration.floor, scale=migration.scale))


def _space_name(migration: SpaceMigration) -> str:
    ends = [migration.source.name, migration.target.name]
    return " → ".join(reversed(ends) if _goes_back(migration) else ends)


def _switch(_workspace: Workspace, migration: SpaceMigration, by: User) -> None:
    if _goes_back(migration):
        steering.roll_back(migration, by=by)
    else:
        steering.switch(migration, by=by)


SPACE = register(
    Kind(
        code="space",
        label=_("Embedding model"),
        find=lambda workspace, target: next((one for one in _spaces(workspace) if str(one.pk) == target), None),
        name=_space_name,
        choices=_spaces,
        target=lambda migration: str(migration.pk),
        put_into=_in_space,
        replaces=lambda now, _migration: now,
        go_live=_switch,
    )
)


def _before_switch(migration: SpaceMigration, by: User) -> None:
    try:
        gate.require_passed(migration.workspace, SPACE.code, migration.pk, by=by)
    except GateHolds as held:
        raise ReembeddingError(str(held)) from held


steering.before_switch.append(_before_switch)
