"""Collect flowing text under its headings; for formats that have no pages."""

from collections import Counter

from .model import Part

PATH_SEPARATOR = " › "


class Outline:
    """Headings, blocks and list items in reading order, made into sections.

    The text of a section begins with its heading. A heading with nothing under
    it but another heading joins the section of that one.
    """

    def __init__(self) -> None:
        self.first_heading = ""
        #: What the file holds and a reader would not see: characters by kind.
        self.hidden: Counter[str] = Counter()
        self._path: list[tuple[int, str]] = []
        self._blocks: list[str] = []
        self._waiting: list[str] = []
        self._in_list = False
        #: Of each open list the number of its next item, or None for a list of points.
        self._lists: list[int | None] = []
        self._mark = ""
        self._parts: list[Part] = []

    def heading(self, level: int, text: str) -> None:
        """A heading; 1 is the outermost level."""
        text = " ".join(text.split())
        if not text:
            return
        self._close()
        self.first_heading = self.first_heading or text
        self._path = [(above, name) for above, name in self._path if above < level]
        self._path.append((level, text))
        self._waiting.append(text)

    def block(self, text: str) -> None:
        """A paragraph, a whole table, a piece of code."""
        if text.strip():
            self._blocks.append(text)
            self._in_list = False

    def item(self, text: str) -> None:
        """A line of a list; lines that follow each other stand together."""
        if not text.strip():
            return
        if self._in_list:
            self._blocks[-1] += "\n" + text
        else:
            self._blocks.append(text)
        self._in_list = True

    def open_list(self, first: int | None = None) -> None:
        """A list begins, inside of any that is open; numbered from `first`, or a list of points."""
        self._lists.append(first)

    def close_list(self) -> None:
        """The innermost list ends, and with it an item of which nothing was said."""
        self._lists.pop()
        self._mark = ""

    @property
    def is_in_list(self) -> bool:
        """Whether a list is open."""
        return bool(self._lists)

    def begin_item(self) -> None:
        """What is said next begins with the mark of the innermost list's next item."""
        number = self._lists[-1]
        self._mark = "•" if number is None else f"{number}."
        if number is not None:
            self._lists[-1] = number + 1

    def say(self, text: str) -> None:
        """Flowing text: an item, or more of one, where a list is open, else a paragraph."""
        if not self._lists:
            self.block(text)
            return
        indent = "  " * (len(self._lists) - 1)
        self.item(f"{indent}{self._mark or ' '} {text}")
        self._mark = ""

    def parts(self) -> list[Part]:
        """The sections; call once, at the end."""
        self._close()
        if self._waiting:
            self._add(self._waiting)
        return self._parts

    def _close(self) -> None:
        if self._blocks:
            self._add([*self._waiting, *self._blocks])
            self._waiting = []
            self._blocks = []
        self._in_list = False

    def _add(self, blocks: list[str]) -> None:
        number = len(self._parts) + 1
        heading = tuple(name for _, name in self._path)
        label = PATH_SEPARATOR.join(heading) or str(number)
        self._parts.append(Part("section", number, label, heading, "\n\n".join(blocks)))
