"""Markdown: what a reader of the rendered page sees, under its headings."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from . import tables
from .encodings import read_text
from .held import File
from .hidden import weight
from .html import visible_text
from .html_hidden import hides
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
    _Reader(outline).read(MarkdownIt("commonmark").enable("table").parse(text))
    return assemble("md", outline.parts(), title=title or outline.first_heading, hidden=outline.hidden)


class _Reader:
    """Walks the tokens, which are flat: every opening has its closing."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.rows: list[list[str]] = []

    def read(self, tokens: Sequence[Token]) -> None:
        previous = None
        for token in tokens:
            self._one(token, previous)
            previous = token

    def _one(self, token: Token, previous: Token | None) -> None:
        match token.type:
            case "bullet_list_open":
                self.outline.open_list()
            case "ordered_list_open":
                self.outline.open_list(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                self.outline.close_list()
            case "list_item_open":
                self.outline.begin_item()
            case "fence" | "code_block":
                self.outline.block(token.content)
            case "html_block":
                self._page(token.content)
            case "table_open":
                self.rows = []
            case "tr_open":
                self.rows.append([])
            case "table_close":
                self.outline.block(tables.as_text(self.rows))
            case "inline":
                self._inline(token, previous)

    def _page(self, source: str) -> None:
        text, hidden = visible_text(source)
        self.outline.block(text)
        self.outline.hidden.update(hidden)

    def _inline(self, token: Token, previous: Token | None) -> None:
        text = "".join(_words(token.children or [], self.outline.hidden))
        opened = previous.type if previous else ""
        if opened == "heading_open" and previous is not None:
            self.outline.heading(int(previous.tag[1]), text)
        elif opened in {"th_open", "td_open"}:
            self.rows[-1].append(text)
        else:
            self.outline.say(text)


def _words(children: Sequence[Token], hidden: Counter[str]) -> Iterator[str]:
    kind, depth = "", 0
    for child in children:
        source = child.content if child.type == "html_inline" else ""
        if kind:
            # Tags that close nothing keep it hidden: a browser would do no other.
            depth += 0 if not source or source.endswith("/>") else -1 if source.startswith("</") else 1
            kind = kind if depth else ""
            hidden[kind or "unseen"] += 0 if source else weight(child.content)
            continue
        match child.type:
            case "text" | "code_inline" | "text_special":
                yield child.content
            case "softbreak":
                yield " "
            case "hardbreak":
                yield "\n"
            case "html_inline" if source.lower().startswith("<br"):
                yield "\n"
            case "html_inline" if (found := hides(source)) and not source.startswith("</"):
                kind, depth = found, 1
