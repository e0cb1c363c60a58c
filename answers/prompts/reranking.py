"""The prompt that asks a model in which order passages answer a question, and what may be taken from its reply."""

import re
from collections.abc import Sequence
from string import Template

from answers.prompts import Prompt, harmless, read_files

VERSION = "rerank-1"
#: Of a passage, what is shown: thirty whole ones would not fit into a small model.
_LONGEST_TEXT = 1200
#: More figures are no number of a passage, and could be too many for an int.
_NUMBER = re.compile(r"(?<!\d)\d{1,3}(?!\d)")


def render(question: str, texts: Sequence[str]) -> Prompt:
    """The prompt that asks for the order of `texts`, which are numbered from 1."""
    system, template, sha256 = read_files(VERSION)
    shown = "\n".join(
        f'<passage number="{number}">\n{harmless(text)[:_LONGEST_TEXT]}\n</passage>'
        for number, text in enumerate(texts, start=1)
    )
    return Prompt(VERSION, sha256, system, Template(template).substitute(passages=shown, question=harmless(question)))


def taken(reply: str, count: int) -> list[int]:
    """The numbers from 1 to `count` in the first line of a reply, each once; none where that is no list of numbers."""
    line = reply.strip().partition("\n")[0]
    if not line or re.search(r"[^\d\s,;>.\[\]()]", line):
        return []
    return list(dict.fromkeys(number for number in map(int, _NUMBER.findall(line)) if 1 <= number <= count))
