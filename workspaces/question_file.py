"""Read a file of questions or queries: one JSON object a line, with an id and a text."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from workspaces.exceptions import PortalError

#: What public collections call the two fields; the first one that is there counts.
_ID_NAMES = ("id", "_id")
_TEXT_NAMES = ("text", "question")


class QuestionFileError(PortalError):
    """A file of questions that cannot be used as it is."""


def read_questions(file: Path) -> list[tuple[str, str]]:
    """The (id, text) of every line that is not blank, in order.

    All of it is read before the first is asked: a mistake in the last line costs no answer. Raises
    QuestionFileError with the number of the line.
    """
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise QuestionFileError(
            _("%(file)s cannot be read: %(why)s.") % {"file": file, "why": error.strerror}
        ) from error
    return list(_rows(file, lines))


def _rows(file: Path, lines: list[bytes]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines, start=1):
        place = {"file": file, "number": number}
        try:
            text = line.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise QuestionFileError(_("%(file)s, line %(number)d: this is not UTF-8.") % place) from error
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except ValueError as error:
            raise QuestionFileError(_("%(file)s, line %(number)d: this is not JSON.") % place) from error
        found = _id_and_text(row)
        if found is None:
            shape = '{"id": …, "text": …}'
            raise QuestionFileError(
                _("%(file)s, line %(number)d: write an object such as %(shape)s.") % {**place, "shape": shape}
            )
        yield found


def _id_and_text(row: Any) -> tuple[str, str] | None:
    if not isinstance(row, dict):
        return None
    id = next((row[name] for name in _ID_NAMES if name in row), None)
    text = next((row[name] for name in _TEXT_NAMES if name in row), None)
    if isinstance(id, bool) or not isinstance(id, (str, int)) or not isinstance(text, str):
        return None
    return str(id), text
