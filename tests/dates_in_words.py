"""The sentences of code and templates into which a date without a time is put, and under which name.

In Serbian such a date ends with a full stop, as ordinal numbers do, and at the end of a sentence that is the only one.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
_APPS = ("inlock", "answers", "documents", "workspaces", "audit")
_FORMATS = {"DATE_FORMAT", "SHORT_DATE_FORMAT"}
_MARKS = {"_", "gettext", "gettext_lazy"}
_BLOCK = re.compile(
    r"\{% blocktranslate (?P<given>.*?) ?%\}(?P<text>.*?)\{% (?:plural|endblocktranslate) %\}", re.DOTALL
)
_DATED = re.compile(r'(\w+)=[^ ]+\|date:"(?:SHORT_)?DATE_FORMAT"')


def with_dates() -> Iterator[tuple[str, str]]:
    """Pairs of a message, as the catalogs have it, and the placeholder in it that is a date."""
    for path in sorted((ROOT / "templates").rglob("*.html")):
        for block in _BLOCK.finditer(path.read_text(encoding="utf-8")):
            message = re.sub(r"\{\{ (\w+) \}\}", r"%(\1)s", block["text"])
            yield from ((message, name) for name in _DATED.findall(block["given"]))
    modules = [ast.parse(path.read_text(encoding="utf-8")) for app in _APPS for path in (ROOT / app).rglob("*.py")]
    public = {name for module in modules for name in _that_tell_a_date(module) if not name.startswith("_")}
    for module in modules:
        yield from _of_module(module, public | _that_tell_a_date(module))


def _of_module(module: ast.Module, tell: set[str]) -> Iterator[tuple[str, str]]:
    """Where a sentence is not named beside what is put into it, all of the module are meant."""
    every = {text for node in ast.walk(module) if (text := _message(node))}
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        named = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
                text = _message(node.left)
                for name in _dates_in(node.right, named, tell):
                    yield from ((one, name) for one in ({text} if text else every) if f"%({name})s" in one)


def _dates_in(given: ast.expr | None, named: dict[str, ast.expr], tell: set[str]) -> Iterator[str]:
    if isinstance(given, ast.Name):
        yield from _dates_in(named.get(given.id), {}, tell)
    elif isinstance(given, ast.BinOp):
        yield from _dates_in(given.left, named, tell)
        yield from _dates_in(given.right, named, tell)
    elif isinstance(given, ast.Dict):
        for key, value in zip(given.keys, given.values, strict=True):
            found = named.get(value.id) if isinstance(value, ast.Name) else value
            if isinstance(key, ast.Constant) and (_is_date(found) or _called(found) in tell):
                yield str(key.value)


def _that_tell_a_date(module: ast.Module) -> set[str]:
    """Functions that answer with a date in words."""
    returned = [(node.name, node.body[-1]) for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    return {name for name, last in returned if isinstance(last, ast.Return) and _is_date(last.value)}


def _is_date(node: ast.expr | None) -> bool:
    if _called(node) != "date_format":
        return False
    assert isinstance(node, ast.Call)
    return len(node.args) < 2 or (isinstance(node.args[1], ast.Constant) and node.args[1].value in _FORMATS)


def _called(node: ast.AST | None) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def _message(node: ast.AST) -> str:
    if _called(node) in _MARKS and isinstance(node, ast.Call) and isinstance(node.args[0], ast.Constant):
        return str(node.args[0].value)
    return ""
