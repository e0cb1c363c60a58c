"""RTF: paragraphs, lists and tables under their headings.

Ours, because the libraries for it give the words alone: no heading, no table, and what is hidden with the rest.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from . import hidden, rtf_packed, tables
from .ceilings import CEILINGS
from .encodings import read_bytes
from .failures import ParseFailed
from .held import File
from .model import Parsed, assemble
from .outline import Outline

_TOKEN = re.compile(
    r"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|\\'(?P<byte>[0-9a-fA-F]{2})|\\(?P<symbol>[^a-zA-Z])"
    r"|(?P<brace>[{}])|(?P<text>[^\\{}\r\n]+)|[\r\n]+|\\",
    re.DOTALL,
)
_SYMBOLS = {"~": "\u00a0", "_": "-", "-": "", "\\": "\\", "{": "{", "}": "}", "\n": "\n", "\r": "\n"}
_WORDS = {
    "line": "\n",
    "tab": "\t",
    "emdash": "—",
    "endash": "–",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
    "emspace": " ",
    "enspace": " ",
    "qmspace": " ",
    "nestcell": " | ",
    "nestrow": "\n",
}
# Groups that a reader does not see on the page, and furniture that is the same on every page.
_UNSHOWN_WORDS = """
    pict object header headerl headerr headerf footer footerl footerr footerf ftnsep ftnsepc aftnsep aftnsepc xe tc
    private revtbl listtable listoverridetable rsidtbl themedata colorschememapping datastore latentstyles sp
    nonesttables fldinst atnid atnauthor annotation
"""
_UNSHOWN = frozenset(_UNSHOWN_WORDS.split())
_TABLES = frozenset({"fonttbl", "colortbl", "stylesheet", "info"})
# Shown, although a reader that does not know them is told to leave them out.
_SHOWN = frozenset({"shpinst", "shptxt", "nesttableprops"})
_CODE_PAGES = {0: 1252, 128: 932, 134: 936, 161: 1253, 162: 1254, 177: 1255, 178: 1256, 186: 1257, 204: 1251, 238: 1250}
_BULLETS = frozenset("·•o§\uf0b7\uf0a7\u2013-")


def parse(path: File) -> Parsed:
    reader = _Reader(read_bytes(path).decode("latin-1"))
    outline = reader.read()
    title = " ".join(reader.title.split()) or outline.first_heading
    return assemble("rtf", outline.parts(), title=title, hidden=outline.hidden)


def letter(packed: bytes) -> str:
    """The text of a mail's body in packed RTF; "" when there is none."""
    unpacked = rtf_packed.unpacked(packed)
    return "\n\n".join(part.text for part in _Reader(unpacked.decode("latin-1")).read().parts()) if unpacked else ""


@dataclass(slots=True)
class _Group:
    """What holds until the closing brace."""

    destination: str = ""
    code_page: int = 1252
    fallback: int = 1  # characters after a \u that stand for it in old programs
    unseen: bool = False
    deleted: bool = False
    white: bool = False
    shaded: bool = False
    tiny: bool = False
    in_html_markup: bool = False


@dataclass(slots=True)
class _Paragraph:
    level: int = 0
    in_table: bool = False
    style: int = 0


@dataclass(slots=True)
class _Header:
    """What the tables at the beginning of the file say."""

    code_pages: dict[int, int] = field(default_factory=dict)
    white: set[int] = field(default_factory=set)
    levels: dict[int, int] = field(default_factory=dict)
    font: int = 0
    style: int = 0
    colour: int = 0
    channels: dict[str, int] = field(default_factory=dict)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.outline = Outline()
        self.title = ""
        self._header = _Header()
        self._group = _Group()
        self._groups: list[_Group] = []
        self._paragraph = _Paragraph()
        self._said: list[str] = []
        self._mark: list[str] = []
        self._row: list[str] = []
        self._rows: list[list[str]] = []
        self._to_skip = 0
        self._starred = False
        self._characters = 0

    def read(self) -> Outline:
        for token in self._tokens():
            if brace := token["brace"]:
                self._brace(brace)
            elif word := token["word"]:
                self._word(word, int(token["number"]) if token["number"] else None)
            elif token["byte"]:
                self._bytes(bytes.fromhex(token["byte"]))
            elif symbol := token["symbol"]:
                self._symbol(symbol)
            elif text := token["text"]:
                self._bytes(text.encode("latin-1"))
        self._end_of_paragraph()
        self._end_of_table()
        return self.outline

    def _tokens(self) -> Iterator[re.Match[str]]:
        place = 0
        while token := _TOKEN.match(self.text, place):
            place = token.end()
            # Raw bytes may look like anything; their number is said before them.
            if token["word"] == "bin" and token["number"]:
                place += max(0, int(token["number"]))
            yield token

    def _brace(self, brace: str) -> None:
        self._starred = False
        self._to_skip = 0
        if brace == "{":
            self._groups.append(self._group)
            self._group = replace(self._group)
        elif self._groups:
            self._group = self._groups.pop()

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._starred = True
        elif symbol in "\r\n":
            self._end_of_paragraph()
        else:
            self._say(_SYMBOLS.get(symbol, ""))

    def _word(self, word: str, number: int | None) -> None:
        starred, self._starred = self._starred, False
        group = self._group
        if group.destination == "unshown":
            # What an embedded object looks like on the page.
            group.destination = "" if word == "result" else "unshown"
        elif (starred and word not in _SHOWN) or word in _UNSHOWN:
            group.destination = "unshown"
        elif word in _TABLES or (word == "title" and group.destination == "info"):
            group.destination = word
        elif group.destination in _TABLES:
            self._header_word(word, 1 if number is None else number)
        elif word in {"listtext", "pntext"}:
            group.destination = "mark"
            self._mark = []
        elif word == "u" and number is not None:
            self._say(chr(number % 0x10000))
            self._to_skip = group.fallback
        elif word in _WORDS:
            self._say(_WORDS[word])
        elif word in {"par", "sect", "page"}:
            self._end_of_paragraph()
        elif word == "cell":
            self._row.append(self._taken())
        elif word == "row":
            self._end_of_row()
        elif word in {"pard", "intbl", "s", "outlinelevel"}:
            self._paragraph_word(word, number or 0)
        else:
            self._format(word, number)

    def _header_word(self, word: str, number: int) -> None:
        header = self._header
        if word == "f":
            header.font = number
        elif word == "fcharset":
            header.code_pages[header.font] = _CODE_PAGES.get(number, self._group.code_page)
        elif word == "s":
            header.style = number
        elif word == "outlinelevel":
            header.levels[header.style] = number + 1
        elif word in {"red", "green", "blue"}:
            header.channels[word] = number

    def _paragraph_word(self, word: str, number: int) -> None:
        if word == "pard":
            self._paragraph = _Paragraph()
        elif word == "intbl":
            self._paragraph.in_table = True
        elif word == "s":
            self._paragraph.level = self._header.levels.get(number, 0)
        else:
            # Nine is the level of body text.
            self._paragraph.level = number + 1 if number < 9 else 0

    def _format(self, word: str, number: int | None) -> None:
        group = self._group
        match word:
            case "ansicpg":
                group.code_page = number or 1252
            case "f":
                group.code_page = self._header.code_pages.get(number or 0, group.code_page)
            case "uc":
                group.fallback = max(0, number or 0)
            case "v":
                group.unseen = number != 0
            case "deleted":
                group.deleted = number != 0
            case "htmlrtf":
                group.in_html_markup = number != 0
            case "cf":
                group.white = (number or 0) in self._header.white
            case "cb" | "chcbpat" | "highlight" | "cbpat":
                group.shaded = bool(number) and number not in self._header.white
            case "fs":
                group.tiny = (24 if number is None else number) / 2 < hidden.TINY
            case "plain":
                group.unseen = group.white = group.tiny = False

    def _bytes(self, data: bytes) -> None:
        if self._to_skip:
            skipped = min(self._to_skip, len(data))
            self._to_skip -= skipped
            data = data[skipped:]
        if data:
            try:
                self._say(data.decode(f"cp{self._group.code_page}", errors="replace"))
            except LookupError:
                self._say(data.decode("cp1252", errors="replace"))

    def _say(self, text: str) -> None:
        group = self._group
        if group.destination == "colortbl" and ";" in text:
            self._end_of_colour()
        elif group.destination == "title":
            self.title += text
        elif group.destination == "mark":
            self._mark.append(text)
        elif not group.destination and not group.in_html_markup:
            if kind := self._unseen_by(group):
                self.outline.hidden[kind] += hidden.weight(text)
                return
            self._characters += len(text)
            if self._characters > CEILINGS.characters:
                raise ParseFailed("too_large", detail="characters")
            self._said.append(text)

    def _unseen_by(self, group: _Group) -> str:
        if group.unseen or group.deleted:
            return "unseen"
        if group.tiny:
            return "tiny"
        # A cell may have a colour of its own, which stands in the row and not in the text.
        return "white" if group.white and not group.shaded and not self._paragraph.in_table else ""

    def _end_of_colour(self) -> None:
        header = self._header
        colour = "".join(f"{header.channels.get(each, 0) % 256:02x}" for each in ("red", "green", "blue"))
        if header.channels and hidden.is_white(colour):
            header.white.add(header.colour)
        header.channels = {}
        header.colour += 1

    def _taken(self) -> str:
        """What was said since the last paragraph or cell; two halves of a character made one."""
        text = "".join(self._said).encode("utf-16-le", errors="surrogatepass").decode("utf-16-le", errors="replace")
        self._said = []
        return text

    def _end_of_paragraph(self) -> None:
        if self._group.destination:
            return
        if self._paragraph.in_table:
            self._said.append("\n")
            return
        self._end_of_table()
        text = self._taken().strip()
        mark = "".join(self._mark).strip()
        self._mark = []
        if self._paragraph.level:
            self.outline.heading(self._paragraph.level, f"{mark} {text}" if mark else text)
        elif mark and text:
            self.outline.item(f"{'•' if mark in _BULLETS else mark} {text}")
        else:
            self.outline.block(text)

    def _end_of_row(self) -> None:
        if self._row:
            self._rows.append(self._row)
            self._row = []

    def _end_of_table(self) -> None:
        self._end_of_row()
        if self._rows:
            self.outline.block(tables.as_text(self._rows))
            self._rows = []
