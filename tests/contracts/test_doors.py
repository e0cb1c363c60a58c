"""One door per thing: a library behind a door is imported nowhere else."""

import ast
from functools import cache
from pathlib import Path

import pytest

#: They read the modules of the product, which one worker parses once.
pytestmark = pytest.mark.xdist_group("contracts-doors")

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("inlock", "answers", "documents", "workspaces", "audit")

#: library → the modules that may import it, as path prefixes.
DOORS = {
    "guardian": ("workspaces/",),
    "allauth": ("workspaces/identity/",),
    "limits": (
        "workspaces/counting.py",
        "workspaces/tokens/limits.py",
        "workspaces/identity/throttle.py",
        "workspaces/endpoints/rate.py",
    ),
    "chromadb": ("documents/index.py",),
    "tantivy": ("documents/keywords.py",),
    "onnxruntime": ("documents/embeddings.py",),
    "tokenizers": ("documents/embeddings.py",),
    "langchain_core": ("answers/chat_models.py", "answers/extractive.py"),
    "langchain_openai": ("answers/chat_models.py",),
    "openai": ("answers/chat_models.py",),
    "ninja": (
        "inlock/api.py",
        "answers/api.py",
        "answers/draft_review/api.py",
        "answers/precedents/api.py",
        "documents/api.py",
        "workspaces/api.py",
    ),
    # The identity provider, and no other host: workspaces/identity/provider_http.py.
    "requests": ("workspaces/identity/provider_http.py", "workspaces/identity/single_sign_on.py"),
    "jwt": ("workspaces/identity/id_token.py",),
    "aiohttp": (),
    "smtplib": ("workspaces/notifications/mail.py",),
    "django.core.mail": ("workspaces/notifications/mail.py",),
    "urllib.request": (),
    "http.client": ("inlock/engines/", "inlock/supervisor.py"),  # ask our own children whether they answer
    # The last names it in an annotation only.
    "httpx": ("documents/index.py", "answers/chat_models.py", "answers/registry/pinned.py", "answers/registry/wire.py"),
    # Whatever people type into sources goes out here; the other protocols get their connections from it.
    "httpcore": ("documents/fetch.py",),
    "ssl": ("documents/sources/imap.py", "answers/registry/pinned.py"),  # the second names it in an annotation only
    "imaplib": ("documents/sources/imap.py",),
    "dulwich": ("documents/sources/git.py",),
    "twisted": ("documents/sources/ssh.py",),
    "urllib3": (),
    "pypdfium2": ("documents/parse/", "documents/render.py"),
    "lxml": ("documents/parse/",),
    "docx": (
        "documents/parse/",
        "inlock/demo/make_documents.py",
        "answers/export/word.py",
        "answers/draft_review/export/word.py",
    ),
    "reportlab": ("inlock/demo/make_documents.py", "answers/export/pdf.py", "workspaces/readiness/pdf.py"),
    "pptx": ("documents/parse/", "inlock/demo/make_documents.py"),
    "olefile": ("documents/parse/msg.py",),
    "openpyxl": ("documents/parse/", "inlock/demo/make_documents.py"),
}


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the product; read by the tests that look, not by each process that collects them."""
    files = [file for app in APPS for file in sorted((ROOT / app).rglob("*.py"))]
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in files}


def _imports(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@cache
def _modules() -> dict[str, set[str]]:
    """What each module imports."""
    return {module: _imports(tree) for module, tree in trees().items()}


@pytest.mark.parametrize("library", DOORS)
def test_a_library_is_imported_only_behind_its_door(library):
    outside = [
        module
        for module, names in _modules().items()
        if any(name == library or name.startswith(f"{library}.") for name in names)
        and not module.startswith(DOORS[library] or "nowhere")
    ]

    assert outside == []


def test_the_trail_knows_none_of_the_apps_above_it():
    ours = tuple(app for app in APPS if app != "audit")
    above = {
        module: name
        for module, names in _modules().items()
        if module.startswith("audit/")
        for name in names
        if name.split(".")[0] in ours
    }

    assert above == {}
