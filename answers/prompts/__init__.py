"""The prompts, as versioned text files, and how documents are put into them.

Documents, their titles and the question are untrusted: they are delimited, cannot close their delimiter, and lose
characters nobody can see. A changed file is a new version in a new folder.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Protocol

from audit.chain import digest

VERSION = "answer-1"
#: The frame around what a template's author wrote. Its rules stand behind the task and cannot be written away.
FRAME = "template-1"
#: A model replies with this, and nothing else, when the sources hold no answer.
NO_EVIDENCE = "NO_EVIDENCE"

_LONGEST_TITLE = 200
# One character for one, so that nothing moves; no text can open or close an element.
_BRACKETS = str.maketrans("<>", "‹›")
_INVISIBLE = frozenset({"Cf", "Co", "Cn", "Cs"})
_SPACES = frozenset("\n\t")


class Quotable(Protocol):
    """A source as the prompt shows it."""

    @property
    def number(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def locator(self) -> str: ...
    @property
    def text(self) -> str: ...


class Task(Protocol):
    """What a template adds to the rules that always hold: `form` is told to a model, `items` to the built-in one."""

    @property
    def instructions(self) -> str: ...
    @property
    def form(self) -> str: ...
    @property
    def items(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """Exactly what a model is sent, and its hash over both parts."""

    version: str
    template_sha256: str
    system: str
    question: str
    #: Up to so many quotations as a list, by the built-in model; 0: a few sentences.
    items: int = 0

    @property
    def sha256(self) -> str:
        return digest(f"{self.system}\0{self.question}")


def render(question: str, sources: Iterable[Quotable], task: Task | None = None) -> Prompt:
    """The prompt that asks `question` of `sources`, and does `task` with them where there is one.

    The words of a task are written by a manager: they are delimited like a source, and the rules follow them.
    """
    version = VERSION if task is None else FRAME
    system, template, sha256 = read_files(version)
    if task is not None:
        system = Template(system).substitute(instructions=harmless(task.instructions), form=harmless(task.form))
    blocks = "\n".join(source_block(source) for source in sources)
    filled = Template(template).substitute(sources=blocks, question=harmless(question))
    return Prompt(version, sha256, system, filled, task.items if task else 0)


def harmless(text: str) -> str:
    """`text` as it may stand in a prompt: no angle brackets, no invisible or control characters."""
    shown = "".join(c for c in text if c in _SPACES or unicodedata.category(c) not in _INVISIBLE | {"Cc"})
    return shown.translate(_BRACKETS)


def source_block(source: Quotable) -> str:
    """A source between its delimiters, which nothing in it can close."""
    title = " ".join(harmless(source.title).replace('"', "'").split())[:_LONGEST_TITLE]
    where = " ".join(harmless(source.locator).replace('"', "'").split())[:_LONGEST_TITLE]
    return f'<source number="{source.number}" title="{title}" where="{where}">\n{harmless(source.text)}\n</source>'


@cache
def read_files(version: str) -> tuple[str, str, str]:
    """System part, template of the question, and the hash over both, of one version."""
    folder = Path(__file__).parent / version
    system = (folder / "system.txt").read_text(encoding="utf-8")
    question = (folder / "question.txt").read_text(encoding="utf-8")
    return system, question, digest(f"{system}\0{question}")
