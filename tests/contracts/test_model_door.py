"""No text goes to a model without the policy's word: only the policy makes a permit, only its package uses the door."""

import ast
from functools import cache
from pathlib import Path

import pytest

from answers import permit
from answers.models import EndpointKind, ModelEndpoint
from answers.prompts import Prompt
from tests.contracts.test_doors import ROOT, trees
from tests.permits import permit_for

#: They read the modules of the product, which one worker parses once.
pytestmark = pytest.mark.xdist_group("contracts-doors")

#: name → the modules that may say it.
MAY_SAY = {
    "stream_chat": {"answers/chat_models.py", "answers/governing/asking.py"},
    "_SEAL": {"answers/permit.py", "answers/governing/policy.py"},
    "Permit": {"answers/permit.py", "answers/governing/policy.py"},
}
#: Modules that may name the class in an annotation, and do nothing else with it.
ANNOTATE = {"answers/chat_models.py", "answers/governing/asking.py"}
PROMPT = Prompt("test-1", "0" * 64, "Answer.", "What is there?")


@cache
def _said(tree: ast.AST) -> set[str]:
    """Names that a module reads, calls or imports, annotations apart."""
    annotations = {
        id(inner)
        for node in ast.walk(tree)
        for note in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if note is not None
        for inner in ast.walk(note)
    }
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in annotations}
    found |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    # getattr(chat_models, "stream_chat") is the same thing.
    return found | {
        str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@cache
def _imported(tree: ast.AST) -> set[str]:
    """Names that a module imports from others."""
    return {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}


def _outside(name: str, modules: dict[str, ast.AST]) -> list[str]:
    imported = {module for module, tree in modules.items() if name in _imported(tree)}
    if name == "Permit":
        imported -= ANNOTATE
    return sorted({module for module, tree in modules.items() if name in _said(tree)} | imported - MAY_SAY[name])


def _of_the_product() -> dict[str, ast.AST]:
    return {module: tree for module, tree in trees().items() if "migrations" not in Path(module).parts}


@pytest.mark.parametrize("name", MAY_SAY)
def test_only_the_policy_opens_the_door_to_models(name: str) -> None:
    assert set(_outside(name, _of_the_product())) <= MAY_SAY[name]


@pytest.mark.parametrize(
    "code",
    [
        "from answers.chat_models import stream_chat",
        "from answers import chat_models\nchat_models.stream_chat(None, None)",
        'from answers import chat_models\ngetattr(chat_models, "stream_chat")',
    ],
)
def test_a_module_that_went_around_the_policy_would_be_seen(code: str) -> None:
    assert _outside("stream_chat", {"answers/somewhere.py": ast.parse(code)}) == ["answers/somewhere.py"]


def test_nobody_else_makes_a_permit_and_it_serves_one_prompt_once() -> None:
    endpoint = ModelEndpoint(kind=EndpointKind.EXTRACTIVE, name="x")

    with pytest.raises(TypeError, match="policy"):
        permit.Permit(endpoint, PROMPT, seal=object(), usage=None)

    made = permit_for(endpoint, PROMPT)
    with pytest.raises(permit.PermitVoid):
        made.use(Prompt("test-1", "0" * 64, "Answer.", "Something else"))
    assert made.use(PROMPT) is endpoint
    with pytest.raises(permit.PermitVoid):
        made.use(PROMPT)


def test_a_permit_is_void_once_what_it_was_decided_on_may_have_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = permit_for(ModelEndpoint(kind=EndpointKind.EXTRACTIVE, name="x"), PROMPT)
    monkeypatch.setattr(permit, "VALID_SECONDS", -1.0)

    with pytest.raises(permit.PermitVoid):
        made.use(PROMPT)


def test_the_files_that_are_named_here_are_there() -> None:
    assert all((Path(ROOT) / module).is_file() for modules in MAY_SAY.values() for module in modules)
