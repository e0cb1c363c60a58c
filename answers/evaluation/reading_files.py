"""Read a file of questions: a table, or a JSON object a line.

A file with a mistake is not read in part: every mistake is told with
its line, and nothing changes until there is none.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from answers.evaluation.sets import LONGEST_FACT, MOST_CASES, MOST_EXPECTED, MOST_FACTS, Case
from answers.evaluation.writing_files import BESIDE, COLUMNS, WITHIN, unguarded
from documents.models import Document, Passage
from workspaces import access
from workspaces.models import User, Workspace

MOST_BYTES = 5_000_000
_LONGEST_QUOTE = 500
_YES, _NO = frozenset({"yes", "true", "1", "x", "da", "да"}), frozenset({"", "no", "false", "0", "ne", "не"})


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in one line of a file, as a sentence."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds: its cases, or the mistakes that keep it from being taken."""

    cases: list[Case]
    mistakes: list[Mistake]


class _Wrong(Exception):
    """A line that cannot be taken; its message is a sentence."""


def read(content: bytes, *, workspace: Workspace, by: User) -> Read:
    """The cases of a file in either form, or every mistake in it. Documents are looked for among those open to `by`."""
    if len(content) > MOST_BYTES:
        return Read([], [Mistake(1, _("The file is larger than %(limit)d MB.") % {"limit": MOST_BYTES // 1_000_000})])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Read([], [Mistake(line, _("This is not UTF-8."))])
    find = _Finder(workspace, by)
    cases: list[Case] = []
    mistakes: list[Mistake] = []
    seen: dict[str, int] = {}
    for line, row in _rows(text):
        try:
            case = _case(row() if callable(row) else row, find, seen, line)
        except _Wrong as wrong:
            mistakes.append(Mistake(line, str(wrong)))
        else:
            cases.append(case)
    if not cases and not mistakes:
        mistakes.append(Mistake(1, _("The file holds no question.")))
    if len(cases) > MOST_CASES:
        mistakes.append(Mistake(1, _("A question set holds at most %(limit)d questions.") % {"limit": MOST_CASES}))
    return Read([] if mistakes else cases, mistakes)


def read_one(sent: dict[str, Any], *, workspace: Workspace, by: User) -> Read:
    """The case that a person wrote into a form: `question`, `refuse`, and a place and a fact a line."""
    places = [line.strip() for line in sent["documents"].split("\n") if line.strip()]
    cells = {
        "question": sent["question"],
        "documents": "\n".join(line for line in places if WITHIN not in line) + "\n",
        "passages": "\n".join(line for line in places if WITHIN in line) + "\n",
        "facts": sent["facts"].replace("\r", "") + "\n",
        "refuse": "yes" if sent["refuse"] else "",
    }
    try:
        return Read([_case(_from_cells(cells), _Finder(workspace, by), {}, 1)], [])
    except _Wrong as wrong:
        return Read([], [Mistake(1, str(wrong))])


_Row = dict[str, Any] | Callable[[], dict[str, Any]]


def _rows(text: str) -> Iterator[tuple[int, _Row]]:
    """Each line with what it holds; one that cannot be read raises _Wrong when it is called."""
    if text.lstrip().startswith("{"):
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield number, lambda line=line: _object(line)  # type: ignore[misc]
        return
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), strict=True)
    names: list[str] | None = None
    while True:
        began = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            yield began, _not_a_table
            return
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if names is None:
            names = [cell.strip().casefold() for cell in cells]
            if unknown := [name for name in names if name not in COLUMNS] or ([] if "question" in names else ["–"]):
                yield began, lambda unknown=unknown: _unknown(unknown)  # type: ignore[misc]
                return
        elif len(cells) > len(names):
            yield began, _too_wide
        else:
            yield began, _from_cells(dict(zip(names, map(unguarded, cells), strict=False)))


def _not_a_table() -> dict[str, Any]:
    raise _Wrong(_("From here on this is no table: a quotation mark is not closed."))


def _too_wide() -> dict[str, Any]:
    raise _Wrong(_("This row has more cells than the first one."))


def _unknown(names: list[str]) -> dict[str, Any]:
    known = ", ".join(COLUMNS)
    raise _Wrong(
        _("The first row names the columns %(known)s; this is none of them: %(names)s.")
        % {"known": known, "names": ", ".join(names)[:200]}
    )


def _object(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _Wrong(_("This is not JSON.")) from error
    if not isinstance(row, dict):
        raise _Wrong(_("This is not a JSON object."))
    if "question" not in row and "text" in row:
        row["question"] = row.pop("text")
    if unknown := set(row) - set(COLUMNS):
        raise _Wrong(_("Nobody knows the field “%(name)s”.") % {"name": sorted(unknown)[0][:50]})
    return row


def _from_cells(cells: dict[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = {"id": cells.get("id", ""), "question": cells.get("question", "")}
    row["documents"], row["facts"] = _values(cells.get("documents", "")), _values(cells.get("facts", ""))
    row["passages"] = []
    for value in _values(cells.get("passages", "")):
        parts = [part.strip() for part in value.split(WITHIN, 2)]
        page = parts[1] if len(parts) > 1 else ""
        row["passages"].append(
            {
                "document": parts[0],
                "page": int(page) if page.isdecimal() else page or None,
                "quote": parts[2] if len(parts) > 2 else "",
            }
        )
    said = cells.get("refuse", "").strip().casefold()
    row["refuse"] = True if said in _YES else False if said in _NO else said
    return row


def _values(cell: str) -> list[str]:
    values = cell.split("\n") if "\n" in cell else cell.split(BESIDE)
    return [value.strip() for value in values if value.strip()]


def _case(row: dict[str, Any], find: "_Finder", seen: dict[str, int], line: int) -> Case:
    code, question = row.get("id", ""), row.get("question")
    if isinstance(code, int) and not isinstance(code, bool):
        code = str(code)
    if not isinstance(code, str) or len(code) > 60:
        raise _Wrong(_("An id is a text or number of at most 60 characters."))
    code = code.replace("\0", "").strip()
    if code and seen.setdefault(code, line) != line:
        raise _Wrong(_("The id “%(id)s” stands in line %(line)d already.") % {"id": code, "line": seen[code]})
    if not isinstance(question, str) or not question.replace("\0", "").strip():
        raise _Wrong(_("There is no question."))
    question = question.replace("\0", "").strip()
    if len(question) > settings.MAX_QUESTION_CHARACTERS:
        limit = settings.MAX_QUESTION_CHARACTERS
        raise _Wrong(_("The question is longer than %(limit)d characters.") % {"limit": limit})
    refuse = row.get("refuse", False)
    if not isinstance(refuse, bool):
        raise _Wrong(_("“refuse” is yes or no."))
    documents = [_text(value) for value in _list(row, "documents")]
    passages = [_passage(value, find) for value in _list(row, "passages")]
    facts = [" ".join(_text(value).replace("\0", "").split()) for value in _list(row, "facts")]
    expected = [{"document": find.document(name), "page": None, "quote": ""} for name in documents] + passages
    if refuse and (expected or facts):
        raise _Wrong(_("A question that must be refused expects no documents and no facts."))
    if not refuse and not expected and not facts:
        raise _Wrong(_("Say what is expected: documents, facts, or that it must be refused."))
    if len(expected) > MOST_EXPECTED or len(facts) > MOST_FACTS:
        raise _Wrong(_("A question expects at most %(limit)d places and facts.") % {"limit": MOST_FACTS})
    if any(len(fact) > LONGEST_FACT for fact in facts):
        raise _Wrong(_("A fact is at most %(limit)d characters long.") % {"limit": LONGEST_FACT})
    return Case(question, code, refuse, expected, facts)


def _list(row: dict[str, Any], name: str) -> list[Any]:
    value = row.get(name) or []
    if not isinstance(value, list):
        raise _Wrong(_("“%(name)s” is a list.") % {"name": name})
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Wrong(_("A list holds something that is no text."))
    return value.strip()


def _passage(value: Any, find: "_Finder") -> dict[str, Any]:
    """A passage by its id, or a document narrowed down by page and words."""
    if isinstance(value, str):
        return find.passage(value.strip())
    if not isinstance(value, dict) or set(value) - {"document", "page", "quote"}:
        raise _Wrong(_("A passage is an id, or a document with a page and a quote."))
    page, quote = value.get("page"), value.get("quote", "")
    if page is not None and (isinstance(page, bool) or not isinstance(page, int) or page < 1):
        raise _Wrong(_("A page is a number from 1 up."))
    if not isinstance(quote, str) or len(quote) > _LONGEST_QUOTE:
        raise _Wrong(_("A quote is a text of at most %(limit)d characters.") % {"limit": _LONGEST_QUOTE})
    quote = " ".join(quote.replace("\0", "").split())
    return {"document": find.document(_text(value.get("document"))), "page": page, "quote": quote}


class _Finder:
    """The documents that `by` may open here, by id, path and title, read once."""

    def __init__(self, workspace: Workspace, by: User) -> None:
        self.workspace, self.by = workspace, by
        self._known: dict[str, set[str]] | None = None

    def document(self, name: str) -> str:
        """The id of the one document called so. Raises _Wrong."""
        found = self._all().get(name, set())
        if not found:
            raise _Wrong(_("No document open to you is called “%(name)s”.") % {"name": name[:100]})
        if len(found) > 1:
            raise _Wrong(_("Several documents are called “%(name)s”: give the path of one.") % {"name": name[:100]})
        return next(iter(found))

    def passage(self, id: str) -> dict[str, Any]:
        """Where the passage with this id stands, in words that outlive its version. Raises _Wrong."""
        try:
            wanted = UUID(id)
        except ValueError as error:
            raise _Wrong(_("“%(id)s” is no passage's id.") % {"id": id[:60]}) from error
        passages = access.visible(self.by, Passage).filter(workspace=self.workspace, pk=wanted).order_by()
        row = passages.values("version__document", "page", "text").first()
        if row is None:
            raise _Wrong(_("No passage open to you has the id “%(id)s”.") % {"id": id[:60]})
        quote = " ".join(row["text"].split())[:_LONGEST_QUOTE]
        return {"document": str(row["version__document"]), "page": row["page"], "quote": quote}

    def _all(self) -> dict[str, set[str]]:
        if self._known is None:
            rows = access.visible(self.by, Document).filter(workspace=self.workspace, deleted_at=None)
            self._known = {}
            found = list(rows.order_by().values_list("pk", "path", "title"))
            # A path is one document's; a title only counts where nothing is at a path of that name.
            exact = {name: {str(id)} for id, path, _title in found for name in (str(id), path)}
            for id, _path, title in found:
                if title not in exact:
                    self._known.setdefault(title, set()).add(str(id))
            self._known |= exact
        return self._known
