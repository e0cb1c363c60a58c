"""The prompt that asks a model whether passages say what is stated, and what may be taken from its reply."""

import re
from collections.abc import Collection, Iterable, Sequence
from string import Template

from answers.prompts import Prompt, Quotable, harmless, read_files, source_block

VERSION = "judge-1"

#: "1: supported only in part" is none: what a verdict goes on with may take it back.
_LINE = re.compile(
    r"^\W*(\d{1,3})[^\w\n]*[:.)–-][^\w\n]*(?:(supported)(?![^\S\n]*\w)|(partly|unsupported)\b)",
    re.IGNORECASE | re.MULTILINE,
)
_LOWEST_FIRST = ("unsupported", "partly", "supported")


def render(statements: Iterable[tuple[str, Collection[int]]], sources: Sequence[Quotable]) -> Prompt:
    """The prompt about `statements`, each with the numbers of the sources it cites; they are numbered from 1."""
    system, template, sha256 = read_files(VERSION)
    lines = [
        f'<statement number="{number}" passages="{", ".join(map(str, sorted(cited)))}">{harmless(text)}</statement>'
        for number, (text, cited) in enumerate(statements, start=1)
    ]
    blocks = "\n".join(source_block(source) for source in sources)
    filled = Template(template).substitute(sources=blocks, statements="\n".join(lines))
    return Prompt(VERSION, sha256, system, filled)


def taken(reply: str) -> dict[int, str]:
    """Verdicts by the number of their statement; of two for one statement the lower, of another form none.

    Whoever contradicts himself is not believed: a passage may have told him what to reply.
    """
    found: dict[int, str] = {}
    for match in _LINE.finditer(reply):
        number, verdict = int(match[1]), (match[2] or match[3]).lower()
        found[number] = min(verdict, found.get(number, verdict), key=_LOWEST_FIRST.index)
    return found
