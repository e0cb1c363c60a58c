"""An answer as Markdown. Only our own lines are markup: every other character that could be is escaped."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from answers.export.content import Content, Source

#: What is markup wherever it stands; some readers also make links of bare addresses and formulas of dollar signs.
_MEANING = re.compile(r"[\\`*_\[\]<>#|~&@$]|:(?=//)|(?<=www)\.", re.IGNORECASE)
#: What is markup where a line begins: lists, rules, and what underlines a heading.
_LIST = re.compile(r"^(\s*\d*)([-+=.)])", re.MULTILINE)


def write(content: Content) -> bytes:
    """The file, in UTF-8."""
    return ("\n".join(_lines(content)).rstrip() + "\n").encode()


def plain(text: str) -> str:
    """`text` so that a reader of Markdown shows exactly it."""
    escaped = _MEANING.sub(r"\\\g<0>", text)
    return _LIST.sub(r"\1\\\2", escaped)


def _lines(content: Content) -> Iterator[str]:
    yield f"# {_one_line(content.question)}"
    yield ""
    yield plain(content.origin)
    yield ""
    yield f"**{plain(content.label)}** {plain(content.status)}"
    yield ""
    for paragraph in content.paragraphs:
        yield _broken(paragraph)
        yield ""
    yield f"## {plain(content.heading)}"
    yield ""
    for source in content.sources:
        yield from _source(source)
        yield ""
    yield "---"
    yield ""
    yield f"{plain(content.proof)}\\"
    yield f"{plain(content.taken)} <{content.url}>"


def _source(source: Source) -> Iterator[str]:
    if source.is_closed:
        closed = plain(_("This source is not open to you."))
        yield rf"\[{source.number}\] {closed}"
        return
    # Angle brackets hold an address of ours whole; it carries no quotation mark or bracket of anybody's.
    link = f"[{plain(source.title)}](<{source.url}>)"
    yield rf"\[{source.number}\] {link}, {plain(source.place)}, {plain(source.version)}"
    yield ""
    yield "> " + "\n> ".join(_broken(source.quote).split("\n"))


def _broken(text: str) -> str:
    """Lines stay lines; no space at the beginning of one makes code of it."""
    return "\\\n".join(plain(line.strip()) for line in text.split("\n") if line.strip())


def _one_line(text: str) -> str:
    return plain(" ".join(text.split()))
