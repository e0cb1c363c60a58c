"""Which models answer, judge and rerank for people in a workspace, and whether they are still what passed its gate.

An endpoint keeps its row when an administrator has it lead to another server or another model. The gate remembers by a
mark what it let pass. The model policy refuses what differs from it by now, and no search asks such a reranker.
"""

from django.utils.translation import gettext as _

from answers import endpoints
from answers.checks import settings as checks
from answers.exceptions import EndpointError
from answers.governing import fallbacks, policy
from answers.models import ModelEndpoint, WorkspaceGate, WorkspaceModels
from documents.models import RerankEndpoint
from documents.reranking import rerankers as reranking
from workspaces.models import Workspace


def answering(workspace: Workspace) -> list[ModelEndpoint]:
    """Every model that may answer people here: the default, what they may choose, and what stands in for these."""
    stored = WorkspaceModels.objects.select_related("default_endpoint").filter(workspace=workspace).first()
    if stored is None:
        try:
            chosen = [endpoints.default_for(workspace)]
        except EndpointError:
            chosen = []  # Nothing answers here, which asking says.
    else:
        chosen = [stored.default_endpoint, *stored.choices.all()]
    return list({one.pk: one for one in [*chosen, *fallbacks.of(workspace)]}.values())


def of_judge(endpoint: ModelEndpoint | None) -> dict[str, str]:
    """The mark of a judge. Not that of a model that answers: who passed at the one did not at the other."""
    return {policy.judge_passed_as(endpoint): endpoint.mark} if endpoint else {}


def of_reranker(endpoint: RerankEndpoint | None) -> dict[str, str]:
    """The mark of a reranker; none of the chat model, which has one of its own."""
    return {f"reranker:{endpoint.pk}": endpoint.mark} if endpoint else {}


def marks_of(workspace: Workspace) -> dict[str, str]:
    """The marks of all that answers, judges and reranks here, by what the gate remembers them as."""
    models = {str(endpoint.pk): endpoint.mark for endpoint in answering(workspace)}
    return models | of_judge(checks.of(workspace).judge) | of_reranker(_reranker(workspace))


def changed(workspace: Workspace) -> list[ModelEndpoint]:
    """The models that answer which the gate did not let pass as they are now; none where it is off or not there."""
    passed = _passed(workspace)
    if passed is None:
        return []
    return [one for one in answering(workspace) if passed.get(str(one.pk)) != one.mark]


def changed_judge(workspace: Workspace) -> ModelEndpoint | None:
    """As `changed`, of the workspace's judge."""
    passed, judge = _passed(workspace), checks.of(workspace).judge
    return judge if passed is not None and not of_judge(judge).items() <= passed.items() else None


def changed_reranker(workspace: Workspace) -> RerankEndpoint | None:
    """As `changed`, of the workspace's reranker."""
    passed, reranker = _passed(workspace), _reranker(workspace)
    return reranker if passed is not None and not of_reranker(reranker).items() <= passed.items() else None


def _passed(workspace: Workspace) -> dict[str, str] | None:
    rows = WorkspaceGate.objects.filter(workspace=workspace, enabled=True)
    return rows.values_list("passed", flat=True).first()


def _reranker(workspace: Workspace) -> RerankEndpoint | None:
    chosen = reranking.chosen_for(workspace)
    return chosen.endpoint if chosen else None


def _withheld(workspace: Workspace, endpoint: RerankEndpoint) -> str:
    passed = _passed(workspace)
    if passed is None or of_reranker(endpoint).items() <= passed.items():
        return ""
    said = _("The reranker “%(name)s” was changed since it passed the change gate of this workspace.")
    return said % {"name": endpoint.name}


reranking.withheld.append(_withheld)
