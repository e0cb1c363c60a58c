"""What a run runs with, by name and fingerprint: enough to do the same again, and to see that it would be the same."""

import platform
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import Any

from django.conf import settings

from answers import endpoints, prompts
from answers.chat_models import parameters_of
from answers.checks import settings as checks
from answers.evaluation import kinds
from answers.exceptions import EvaluationError
from answers.models import EndpointKind, EvaluationRun, GateCandidate, ModelEndpoint, TemplateVersion, WorkspaceChecks
from answers.rag_templates import choosing
from answers.steps.retrieve import PASSAGES
from audit.chain import canonical, digest
from documents.embedding.spaces import space_of
from documents.embedding.vector_space import Space
from documents.models import WorkspaceReranker
from documents.reranking import rerankers as reranking
from workspaces.models import Workspace

#: The libraries whose version may change what comes out.
_LIBRARIES = ("onnxruntime", "tokenizers", "tantivy", "chromadb", "langchain-openai")


@dataclass(frozen=True, slots=True)
class Setup:
    """What decides what comes out of a run.

    `template` None: the built-in knowledge template; `reranker` None: the search's own order.
    """

    endpoint: ModelEndpoint
    space: Space
    template: TemplateVersion | None
    checks: WorkspaceChecks
    reranker: WorkspaceReranker | None


def present(workspace: Workspace) -> Setup:
    """What answers a question in the workspace now, where its asker chooses nothing. Raises EndpointError."""
    template = choosing.standard_of(workspace)
    endpoint = template.endpoint if template is not None and template.endpoint is not None else None
    return Setup(
        endpoint or endpoints.default_for(workspace),
        space_of(workspace.pk),
        template,
        checks.of(workspace),
        reranking.chosen_for(workspace),
    )


def of_run(run: EvaluationRun) -> Setup:
    """What the run is to run with, as it is now. Raises EndpointError, and EvaluationError for what is gone."""
    workspace = Workspace.objects.select_related(
        "models__default_endpoint", "templates_choice__standard__current__endpoint", "checks__judge"
    ).get(pk=run.workspace_id)
    found = with_candidate(workspace, run.candidate, replaced=run.replaced)
    return replace(found, endpoint=run.endpoint) if run.endpoint is not None else found


def with_candidate(workspace: Workspace, candidate: GateCandidate | None, *, replaced: bool = False) -> Setup:
    """What would answer if `candidate` were live, or what it would replace. Raises EndpointError, EvaluationError."""
    now = present(workspace)
    if candidate is None:
        return now
    kind = kinds.of(candidate.kind)
    thing = kind.find(workspace, candidate.target)
    if thing is None:
        raise EvaluationError(kinds.gone(candidate.label))
    return kind.replaces(now, thing) if replaced else kind.put_into(now, thing)


def describe(setup: Setup) -> dict[str, Any]:
    """Everything that decides what comes out, as a run keeps it."""
    return {
        "model": endpoints.label_of(setup.endpoint),
        "model_id": str(setup.endpoint.pk),
        "parameters": {name: str(value) for name, value in parameters_of(setup.endpoint).items()},
        "space": {"name": setup.space.name, "fingerprint": setup.space.fingerprint, "floor": str(setup.space.floor)},
        "template": _template(setup.template),
        "prompt": _prompt(),
        "passages": setup.template.passages if setup.template else PASSAGES,
        "strictness": str(setup.checks.strictness),
        "judge": endpoints.label_of(setup.checks.judge) if setup.checks.judge else "",
        "reranker": reranking.label_of(setup.reranker),
        # Of the built-in model the software is the model.
        "built_in": _software() if setup.endpoint.kind == EndpointKind.EXTRACTIVE else "",
    }


def sha256_of(described: dict[str, Any]) -> str:
    """The hash by which two runs are known to have run with the same."""
    return digest(canonical(described))


def surroundings(workspace: Workspace) -> dict[str, Any]:
    """What else a run was done among; it may differ between two runs that are compared."""
    return {
        "software": _software(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "index_revision": workspace.index_revision,
    }


@cache
def _software() -> str:
    """The portal's own version, as its project file says."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def _template(template: TemplateVersion | None) -> dict[str, Any]:
    if template is None:
        return {}
    return {"code": template.template.code, "number": template.number, "sha256": template.sha256}


def _prompt() -> dict[str, str]:
    _system, _question, sha256 = prompts.read_files(prompts.VERSION)
    return {"version": prompts.VERSION, "sha256": sha256}
