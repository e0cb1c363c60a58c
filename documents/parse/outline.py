"""Collect flowing text under its headings; for formats that have no pages."""

from .model import Part

PATH_SEPARATOR = " › "


class Outline:
    """Headings, blocks and list items in reading order, made into sections.

    The text of a section begins with its heading. A heading with nothing under
    it but another heading joins the section of that one.
    """

    def __init__(self) -> None:
        self.first_heading = ""
        self._path: list[tuple[int, str]] = []
        self._blocks: list[str] = []
        self._waiting: list[str] = []
        self._in_list = False
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
