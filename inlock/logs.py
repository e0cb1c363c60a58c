"""One line of JSON for each record, for machines; or one readable line, for a person at a terminal.

Either way what a record says cannot look like another record, and an exception is told by its type and place: the
messages of exceptions quote rows, questions and passages.
"""

import json
import logging
import re
import traceback
from datetime import UTC, datetime

from audit import context

#: What would end a line, move a cursor or turn the writing round.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
#: No record of ours is longer; what is, carries something it should not.
_LONGEST = 4000


class JSONFormatter(logging.Formatter):
    """`time level logger message request actor process` and, for an exception, `error` and `at`."""

    def format(self, record: logging.LogRecord) -> str:
        request, actor = _who(record)
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record) if record.name != "py.warnings" else _warning(record),
            "request": request,
            "actor": actor,
            "process": record.process,
        }
        if error := _error(record):
            told |= {"error": " < ".join(type(one).__name__ for one in _chain(error)), "at": _place(error)}
        # What is empty says nothing, and ASCII alone leaves nothing to escape a second time.
        return json.dumps({name: value for name, value in told.items() if value}, ensure_ascii=True)


class LineFormatter(logging.Formatter):
    """The same on a line for a person, with the whole traceback indented below it."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        line = f"{time} {record.levelname} {record.name} {_message(record)}"
        if error := _error(record):
            trace = "".join(traceback.format_exception(error)).rstrip()
            line += "".join(f"\n    {escaped(text)}" for text in trace.splitlines())
        return line


def escaped(text: str) -> str:
    """`text` with every character written out that could end a line, move a cursor or turn the writing round."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _message(record: logging.LogRecord) -> str:
    text = record.getMessage()
    if error := _error(record):
        # Libraries put what an exception says into their message as well.
        for one in _chain(error):
            for said in (repr(one), str(one)):
                text = text.replace(said, type(one).__name__) if said else text
    return escaped(text[:_LONGEST])


def _warning(record: logging.LogRecord) -> str:
    """Place and kind of a library's warning: what it says may quote the value it stumbled over."""
    found = re.match(r"(.*?:\d+: \w+)", record.getMessage())
    return escaped(found[1] if found else "warning")


def _error(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if isinstance(record.exc_info, tuple) else None


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found:
        found.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return found


def _place(error: BaseException) -> list[str]:
    """The way to where it was raised, innermost last: files, lines and functions, and no value of any variable."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _who(record: logging.LogRecord) -> tuple[str, str]:
    """The ids of request and person, from where the record was made, or from the request it tells about."""
    acting = context.current()
    request_id = acting.request_id or getattr(getattr(record, "request", None), "request_id", "")
    return request_id, str(acting.by.pk) if acting.by is not None else ""
