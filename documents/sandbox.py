"""Read untrusted files in a child process that can fail, hang or crash alone.

Each call has a child of its own with limits on memory, time, output and files. Where the system allows it the child has
no network, opens no other file, and makes no call that readers have no use for; `isolation` tells.
"""

import functools
import json
import os
import selectors
import signal
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePath
from typing import IO, Any

from django.conf import settings

from documents import forking
from documents.forking import Child, ChildLost
from documents.parse import FORMATS, Parsed, ParseFailed, Section
from documents.parse.failures import gettext_noop
from documents.parse.old_office import NEWER
from documents.parse.places import Place

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. Memory is address space, which is more than what is used."""

    wall_seconds: float = settings.PARSE_SECONDS
    cpu_seconds: int = settings.PARSE_SECONDS // 2
    memory_bytes: int = settings.PARSE_MEMORY_BYTES
    #: What it may hold: `documents.parse.ceilings`.
    pages: int = settings.MAX_PAGES
    characters: int = settings.MAX_CHARACTERS
    unpacked_bytes: int = settings.MAX_UNPACKED_BYTES
    output_bytes: int = 256 * MEGABYTE
    open_files: int = 64
    #: Of each file that it writes, in a directory that is removed with it; and whether it may start programs.
    written_bytes: int = 0
    #: Of all files in that directory together, looked at twice a second.
    directory_bytes: int = 0
    programs: bool = False


DEFAULT = Limits()
#: At some three seconds a page, some hundred and ninety pages of a scan; longer ones are stopped as too slow.
RECOGNISING = Limits(wall_seconds=settings.RECOGNISE_SECONDS, cpu_seconds=settings.RECOGNISE_SECONDS * 29 // 30)
RENEWING = Limits(
    memory_bytes=6144 * MEGABYTE,
    open_files=1024,
    written_bytes=512 * MEGABYTE,
    directory_bytes=1024 * MEGABYTE,
    programs=True,
)
_LOOKING_SECONDS = 0.5
PICTURES = FORMATS["png"]
#: One page of a scan.
PLACING = Limits(wall_seconds=30, cpu_seconds=25)
DRAWING = Limits(wall_seconds=20, cpu_seconds=15, output_bytes=64 * MEGABYTE)


class HighlightMismatch(Exception):
    """The stored text is not the text of this page, so a highlight would mark the wrong words."""

    sentence = gettext_noop("The passage could not be marked on the page.")

    def __init__(self) -> None:
        super().__init__(self.sentence)


def parse(path: Path, *, name: str, limits: Limits = DEFAULT) -> Parsed:
    """The text and sections of the file at `path`, whose owner calls it `name`.

    Raises ParseFailed; never anything that the content of the file decides.
    """
    ending = _ending(name)
    request = {"do": "parse", "path": str(path.absolute()), "name": name}
    answer, _ = _run(request, limits, load=FORMATS.get(ending, ""))
    return _parsed(answer)


def recognise(path: Path, *, name: str, pages: Sequence[int] = (), limits: Limits = RECOGNISING) -> Parsed:
    """The words that text recognition finds in a scan or a picture, for which `parse` raised `scanned`.

    With `pages`, which `parse` found to be `textless`, the words of those beside the text of the others.

    Raises ParseFailed; `scanned` again where there is no engine.
    """
    request = {"do": "recognise", "path": str(path.absolute()), "ending": _ending(name), "pages": list(pages)}
    answer, _ = _run(request, limits, load=PICTURES)
    return _parsed(answer)


def renew(path: Path, *, name: str, limits: Limits = RENEWING) -> Parsed:
    """The text of an old Office file, for which `parse` raised `old_office`: LibreOffice writes it anew first.

    Raises ParseFailed; `old_office` again where there is no LibreOffice, `not_isolated` where it is not shut in.
    """
    ending = _ending(name)
    content = _written_anew(path, ending, NEWER[ending], limits)
    with tempfile.NamedTemporaryFile(prefix="inlock-renewed-") as file:
        file.write(content)
        file.flush()
        parsed = parse(Path(file.name), name=f"{PurePath(name).stem}.{NEWER[ending]}")
    return replace(parsed, format=ending)


def as_pages(path: Path, *, name: str, limits: Limits = RENEWING) -> bytes:
    """A presentation as a PDF to look at, a page for each slide, the hidden ones too.

    Raises ParseFailed; `old_office` where there is no LibreOffice, `not_isolated` where it is not shut in.
    """
    return _written_anew(path, _ending(name), "pdf", limits)


def _written_anew(path: Path, ending: str, to: str, limits: Limits) -> bytes:
    request = {"do": "renew", "path": str(path.absolute()), "ending": ending, "to": to}
    return _run(request, limits, load=FORMATS["doc"])[1]


def _ending(name: str) -> str:
    return PurePath(name).suffix.lower().removeprefix(".")


def _parsed(answer: dict[str, Any]) -> Parsed:
    return Parsed(
        text=answer["text"],
        sections=tuple(_section(row) for row in answer["sections"]),
        title=answer["title"],
        page_count=answer["page_count"],
        format=answer["format"],
        hidden=answer["hidden"],
        unread=tuple((name, code) for name, code in answer["unread"]),
        repeated=answer["repeated"],
        textless=tuple(answer["textless"]),
    )


def render_page(
    path: Path,
    *,
    page: int,
    highlight: Sequence[tuple[int, int]],
    page_text: str,
    found: Sequence[tuple[int, int]] = (),
    places: Sequence[Place] = (),
    scale: float = 2.0,
    kind: str = "pdf",
    limits: Limits = DRAWING,
) -> bytes:
    """A PNG of a page of a PDF (from 1) with ranges of its stored text marked, or of what else `kind` says.

    `highlight` and `found` hold (start, end) within `page_text`, which is the stored text of this page alone, and are
    marked in two colours; `places` say where its words stand, on a page that has no text of its own; `scale` is pixels
    per point and shrinks for very large pages. Raises HighlightMismatch when the page does not hold `page_text`
    (ask again with no highlight), ParseFailed when there is no such page.
    """
    drawing = {
        "page": page,
        "highlight": [list(span) for span in highlight],
        "found": [list(span) for span in found],
        "places": [list(place) for place in places],
        "page_text": page_text,
        "scale": scale,
        "kind": kind,
    }
    request = {"do": "render", "path": str(path.absolute()), "drawing": drawing}
    _, image = _run(request, limits, load="documents.render")
    if not image:
        raise HighlightMismatch
    return image


def word_places(path: Path, *, page: int, name: str, page_text: str, limits: Limits = PLACING) -> list[Place]:
    """Where the words of `page_text` stand on a page (from 1) whose text was recognised: see `documents.parse.places`.

    Raises ParseFailed; `scanned` where there is no engine.
    """
    how = {"page": page, "ending": _ending(name), "page_text": page_text}
    answer, _ = _run({"do": "places", "path": str(path.absolute()), "how": how}, limits, load=PICTURES)
    return [tuple(place) for place in answer["places"]]


def read_page(path: Path, *, limits: Limits = DRAWING) -> dict[str, Any]:
    """What a web page at `path` says and links to: see `documents.parse.remote.page`. Raises ParseFailed."""
    answer, _ = _run({"do": "page", "path": str(path.absolute()), "how": {}}, limits, load="documents.parse.remote")
    return answer


def read_rows(path: Path, *, row: str, names: Sequence[str], limits: Limits = DRAWING) -> dict[str, Any]:
    """The rows of an XML listing at `path`: see `documents.parse.remote.rows`. Raises ParseFailed."""
    request = {"do": "rows", "path": str(path.absolute()), "how": {"row": row, "names": list(names)}}
    answer, _ = _run(request, limits, load="documents.parse.remote")
    return answer


@dataclass(frozen=True, slots=True)
class Isolation:
    """What the kernel closes to the children. Where one is False, the operator should know."""

    #: No network, not even the loopback.
    network: bool
    #: No file but the one to read, programs and fonts (Landlock).
    files: bool
    #: No socket, no program, no look at other processes (seccomp).
    calls: bool


@functools.cache
def isolation() -> Isolation:
    """What is closed to children here. Raises ParseFailed when none can be started."""
    answer, _ = _run({"do": "probe"}, DEFAULT, load="")
    return Isolation(**answer["closed"])


def network_isolated() -> bool:
    """Whether children run without any network."""
    return isolation().network


def _run(request: dict[str, Any], limits: Limits, *, load: str) -> tuple[dict[str, Any], bytes]:
    # The request names the file and may quote it: not among the arguments, which every user of the
    # machine can read, and in a file without a name, which is gone even when we are killed.
    with tempfile.TemporaryFile() as asked:
        asked.write(json.dumps({**request, "limits": asdict(limits)}).encode())
        returncode, output = _answer(asked, load, limits)
    line, _, body = output.partition(b"\n")
    if returncode != 0 or not line:
        raise _death(returncode)
    answer = json.loads(line)
    if "failed" in answer:
        raise ParseFailed(answer["failed"], sentence=answer.get("sentence", ""), detail=answer.get("detail", ""))
    return answer, body


def _answer(asked: IO[bytes], load: str, limits: Limits) -> tuple[int, bytes]:
    """How the child ended and what it wrote. Raises ParseFailed when that takes too long or is too much."""
    for _attempt in range(2):
        asked.seek(0)
        with (
            suppress(ChildLost),
            tempfile.TemporaryDirectory(prefix="inlock-parse-") as work,
            forking.forker.child(asked, work, load=load) as child,
        ):
            return _read(child, limits, work)
    raise ParseFailed("parser_crashed", detail="lost twice")


def _read(child: Child, limits: Limits, work: str) -> tuple[int, bytes]:
    deadline = time.monotonic() + limits.wall_seconds
    pieces: list[bytes] = []
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(child.output, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise ParseFailed("too_slow", detail="wall clock")
            if limits.directory_bytes and _bytes_in(work) > limits.directory_bytes:
                raise ParseFailed("too_large", detail="written")
            if not selector.select(min(left, _LOOKING_SECONDS) if limits.directory_bytes else left):
                continue
            piece = os.read(child.output, MEGABYTE)
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
            if size > limits.output_bytes:
                raise ParseFailed("too_large", detail="output")
    returncode = child.returncode(max(0.1, deadline - time.monotonic()))
    if returncode is None:
        raise ParseFailed("too_slow", detail="exit")
    return returncode, b"".join(pieces)


def _bytes_in(directory: str) -> int:
    """What the files below a directory hold on the disk; some may come and go meanwhile."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                total += os.lstat(Path(folder, name)).st_blocks * 512
    return total


def _death(returncode: int) -> ParseFailed:
    """The failure behind an exit without an answer."""
    if returncode == -signal.SIGXCPU:
        return ParseFailed("too_slow", detail="processor time")
    if returncode == -signal.SIGKILL:
        # Not by us, since `_read` raises then: the kernel ran out of memory.
        return ParseFailed("too_much_memory", detail="killed")
    reason = signal.Signals(-returncode).name if returncode < 0 else f"exit {returncode}"
    return ParseFailed("parser_crashed", detail=reason)


def _section(row: list[Any]) -> Section:
    kind, number, label, heading, start, end = row
    return Section(kind, number, label, tuple(heading), start, end)
