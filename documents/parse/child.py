"""The process that reads an untrusted file: shut in first, then parse, answer and exit.

`documents.parse.zygote` forks it in an empty directory, with the request as JSON on
standard input and the code it needs already loaded. The answer is one line of JSON on standard output, followed by
raw bytes when the request was for an image.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

from documents.parse import ParseFailed, parse_file
from documents.parse.ceilings import CEILINGS
from documents.parse.confinement import shut_in

Answer = tuple[dict[str, Any], bytes]


def main() -> None:
    request = json.load(sys.stdin)
    out = os.dup(1)
    # A library that prints must not end up inside the answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    work = work_of(request)
    closed = shut_in(request["limits"], Path(request["path"]) if "path" in request else None)
    CEILINGS.take(request["limits"])
    shut = closed["network"] and closed["files"]
    header, body = attempt(work if shut or not request["limits"]["programs"] else _refused)
    header["closed"] = closed
    with os.fdopen(out, "wb") as pipe:
        pipe.write(json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        pipe.write(body)
    # Native libraries may crash while they are torn down, after the answer is out.
    os._exit(0)


def work_of(request: dict[str, Any]) -> Callable[[], Answer]:
    """What the request asks for, to be done once nothing else can be."""
    if request["do"] == "probe":
        return lambda: ({}, b"")
    path = Path(request["path"])
    if request["do"] == "render":
        drawing = importlib.import_module("documents.render")
        return lambda: ({}, drawing.draw(path, **request["drawing"]))
    if request["do"] == "places":
        places = importlib.import_module("documents.parse.places")
        return lambda: ({"places": places.word_places(path, **request["how"])}, b"")
    if request["do"] in ("page", "rows"):
        remote = importlib.import_module("documents.parse.remote")
        return lambda: (getattr(remote, request["do"])(path, **request["how"]), b"")
    if request["do"] == "renew":
        old_office = importlib.import_module("documents.parse.old_office")
        return lambda: ({}, old_office.renewed(path, request["ending"], request["to"]))
    if request["do"] == "recognise":
        picture = importlib.import_module("documents.parse.picture")
        if request["pages"]:
            return lambda: (_as_json(picture.complete(path, request["pages"])), b"")
        return lambda: (_as_json(picture.recognise(path, request["ending"])), b"")
    return lambda: (_as_json(parse_file(path, request["name"])), b"")


def _refused() -> Answer:
    """Instead of a program that would open whatever address a file names, or look into other processes."""
    raise ParseFailed("not_isolated")


def attempt(work: Callable[[], Answer]) -> Answer:
    try:
        return work()
    except ParseFailed as failure:
        return {"failed": failure.code, "sentence": failure.sentence, "detail": failure.detail}, b""
    except MemoryError:
        return {"failed": "too_much_memory"}, b""
    except Exception as error:
        # The edge of the process: whatever it was becomes a named failure for the parent.
        return {"failed": "parser_crashed", "detail": _place(error)}, b""


def _as_json(parsed: Any) -> dict[str, Any]:
    return {
        "text": parsed.text,
        "sections": [astuple(section) for section in parsed.sections],
        "title": parsed.title,
        "page_count": parsed.page_count,
        "format": parsed.format,
        "hidden": parsed.hidden,
        "unread": parsed.unread,
        "repeated": parsed.repeated,
        "textless": parsed.textless,
    }


def _place(error: BaseException) -> str:
    """Where it happened, without the message: that may quote the file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {where}"
