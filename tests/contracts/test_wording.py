"""What a person reads in the admin, in a form or in a refusal is marked for translation, in every app."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("inlock", "answers", "documents", "workspaces", "audit")
#: Said by name: what Django, the theme and our own classes show to people.
SHOWN = {
    "description",
    "empty_value_display",
    "help_text",
    "index_title",
    "label",
    "title",
    "verbose_name",
    "verbose_name_plural",
}
#: Calls whose sentences are shown: messages, forms' refusals, labels of fields.
SHOWING = {"success", "error", "warning", "info", "add_error", "ValidationError"}
#: Names are the same in every language.
NAMES = {"Inlock", "Chroma", "PostgreSQL", "Valkey"}
#: Written for programs (what the API says of its fields), by the demo's people, or without the portal around it.
ELSEWHERE = {
    *(f"{app}/api.py" for app in APPS),
    "answers/draft_review/api.py",
    "answers/precedents/api.py",
    "inlock/demo/questions.py",
    "audit/verifier.py",
}


def _files() -> Iterator[Path]:
    for app in APPS:
        for file in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in file.parts and str(file.relative_to(ROOT)) not in ELSEWHERE:
                yield file


def _errors() -> set[str]:
    """Every class of ours whose sentence a person reads: PortalError and what descends from it, in any app."""
    found, bases = {"PortalError"}, {}
    for app in APPS:
        for file in (ROOT / app).glob("exceptions.py"):
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    bases[node.name] = {base.id for base in node.bases if isinstance(base, ast.Name)}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


ERRORS = _errors()


def _plain(node: ast.expr) -> bool:
    """Whether words stand here unmarked, by themselves or formatted; one lower-case word is a code."""
    if isinstance(node, ast.BinOp):
        return _plain(node.left)
    if isinstance(node, ast.JoinedStr):
        return any(_plain(part) for part in node.values)
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return False
    return node.value not in NAMES and (" " in node.value.strip() or node.value[:1].isupper())


def unmarked(tree: ast.AST) -> list[int]:
    """The lines on which something is shown to a person in words that are not marked."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            lines += [node.lineno] if names & SHOWN and _plain(node.value) else []
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            shown = [keyword.value for keyword in node.keywords if keyword.arg in SHOWN]
            shown += node.args if name in SHOWING | ERRORS and not _is_log(node.func) else []
            lines += [node.lineno] if any(_plain(argument) for argument in shown) else []
    return lines


def _is_log(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and getattr(function.value, "id", "") in {"logger", "logging"}


def test_no_words_for_a_person_are_unmarked():
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in _files()
        for line in unmarked(ast.parse(file.read_text(encoding="utf-8")))
    ]

    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        'messages.success(request, f"The {x} is away.")',
        'raise MembershipError("This cannot be." % x)',
        'forms.CharField(label="Password")',
        'title = "Account"',
        'display(description="user name")',
    ],
)
def test_the_sweep_sees_unmarked_words(code):
    assert unmarked(ast.parse(code)) == [1]


@pytest.mark.parametrize(
    "code", ['messages.success(request, _("Away."))', 'label = "code"', 'logger.error("It is away.")']
)
def test_marked_words_codes_and_logs_are_no_find(code):
    assert unmarked(ast.parse(code)) == []


def _filled_at_once(tree: ast.AST, lazily: set[str]) -> Iterator[int]:
    """Lines outside of functions that put something into a sentence whose language is not chosen yet."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            continue
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Mod)
            and isinstance(node.left, ast.Call)
            and isinstance(node.left.func, ast.Name)
            and node.left.func.id in lazily
        ):
            yield node.lineno
        yield from _filled_at_once(node, lazily)


def _lazily(tree: ast.Module) -> set[str]:
    """By which names a module marks sentences that are told later."""
    return {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in {"gettext_lazy", "pgettext_lazy"}
    }


def test_no_sentence_is_filled_in_before_its_reader_is_known():
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in _files() if "_lazy" in file.read_text()}

    found = [
        f"{file.relative_to(ROOT)}:{n}" for file, tree in trees.items() for n in _filled_at_once(tree, _lazily(tree))
    ]

    assert found == []


def test_a_sentence_that_is_filled_in_at_once_would_be_found():
    tree = ast.parse('from django.utils.translation import gettext_lazy as _\nhelp = dict(text=_("%(n)d") % {"n": 1})')

    assert list(_filled_at_once(tree, _lazily(tree))) == [2]
