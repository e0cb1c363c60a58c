"""The process that reads an untrusted file: shut in first, then parse, answer and exit.

`documents.parse.zygote` forks it in an empty directory, with the request as JSON on
standard input and the code it needs already loaded. The answer is one line of JSON on standard output, followed by
raw bytes when the request was for an image.
"""

import contextlib
import ctypes
import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

from documents.parse import ParseFailed, parse_file
from documents.parse.ceilings import CEILINGS

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38

Answer = tuple[dict[str, Any], bytes]


def main() -> None:
    request = json.load(sys.stdin)
    out = os.dup(1)
    # A library that prints must not end up inside the answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    work = work_of(request)
    isolated = shut_in(request["limits"])
    CEILINGS.take(request["limits"])
    header, body = attempt(work if isolated or not request["limits"]["programs"] else _refused)
    header["network_isolated"] = isolated
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
    if request["do"] in ("page", "rows"):
        remote = importlib.import_module("documents.parse.remote")
        return lambda: (getattr(remote, request["do"])(path, **request["how"]), b"")
    if request["do"] == "renew":
        old_office = importlib.import_module("documents.parse.old_office")
        return lambda: ({}, old_office.renewed(path, request["ending"]))
    if request["do"] == "recognise":
        picture = importlib.import_module("documents.parse.picture")
        return lambda: (_as_json(picture.recognise(path, request["ending"])), b"")
    return lambda: (_as_json(parse_file(path, request["name"])), b"")


def _refused() -> Answer:
    """Instead of a program that would open whatever address a file names."""
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


def shut_in(limits: dict[str, int]) -> bool:
    """Give up network, children, files and memory beyond `limits`; says whether the network is gone."""
    isolated = False
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # Root needs no user namespace, and would lose its right to read the file in one.
        isolated = any(libc.unshare(flags) == 0 for flags in (CLONE_NEWNET, CLONE_NEWUSER | CLONE_NEWNET))
        # Should memory run short, the kernel is to take this process and not the worker. A container
        # may forbid saying so, and then the other limits have to do.
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    # The first limit sends a signal that names the reason, the second one kills.
    _limit(resource.RLIMIT_CPU, limits["cpu_seconds"], grace=5)
    _limit(resource.RLIMIT_AS, limits["memory_bytes"])
    _limit(resource.RLIMIT_NOFILE, limits["open_files"])
    _limit(resource.RLIMIT_FSIZE, limits["written_bytes"])
    _limit(resource.RLIMIT_CORE, 0)
    if not limits["programs"]:
        _limit(resource.RLIMIT_NPROC, 0)
    return isolated


def _limit(what: int, value: int, grace: int = 0) -> None:
    _, hard = resource.getrlimit(what)
    most = value + grace if hard == resource.RLIM_INFINITY else min(value + grace, hard)
    try:
        resource.setrlimit(what, (min(value, most), most))
    except (ValueError, OSError):
        # macOS refuses a limit on address space; there the wall clock is what holds.
        if sys.platform == "linux":
            raise


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
    }


def _place(error: BaseException) -> str:
    """Where it happened, without the message: that may quote the file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {where}"
