"""Markdown: what a reader of the rendered page sees, under its headings."""

import re

from markdown_it import MarkdownIt

from .encodings import read_text
from .held import File
from .html import read_into
from .model import Parsed, assemble
from .outline import Outline

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*$\n?", re.DOTALL | re.MULTILINE)
# Read with a pattern and not as YAML: a title is all that is wanted of it.
_TITLE = re.compile(r"^title:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.MULTILINE | re.IGNORECASE)


def parse(path: File) -> Parsed:
    text = read_text(path).replace("\r\n", "\n")
    title = ""
    if front := _FRONT_MATTER.match(text):
        found = _TITLE.search(front.group(1))
        title = found.group(1) if found else ""
        text = text[front.end() :]
    outline = Outline()
    # Rendered first: HTML in it opens in one block and closes in another, and styles are about the whole.
    read_into(outline, MarkdownIt("commonmark").enable("table").render(text))
    return assemble("md", outline.parts(), title=title or outline.first_heading, hidden=outline.hidden)
