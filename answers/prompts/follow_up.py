"""The prompt that asks a model to turn a follow-up into a question of its own, and what may be taken from its reply."""

from collections.abc import Iterable
from string import Template
from typing import Protocol

from answers.prompts import Prompt, harmless, read_files

VERSION = "follow-up-1"
#: Of an answer, what is told of it: the beginning says what it is about.
_LONGEST_TEXT = 1500
#: No question of ours is longer; a longer reply is an answer or a sermon.
_LONGEST_REPLY = 600
_QUOTATION_MARKS = "\"'“”„«»‹›`"


class Told(Protocol):
    """An earlier turn as the prompt shows it."""

    @property
    def question(self) -> str: ...
    @property
    def text(self) -> str: ...


def render(question: str, turns: Iterable[Told]) -> Prompt:
    """The prompt that asks for `question` as one that stands alone, after `turns`, the oldest first."""
    system, template, sha256 = read_files(VERSION)
    told = "\n".join(_turn(turn) for turn in turns)
    return Prompt(VERSION, sha256, system, Template(template).substitute(turns=told, question=harmless(question)))


def taken(reply: str, question: str) -> str | None:
    """The question in a model's `reply`; "" where it is `question` itself, None where it is no question of one line."""
    text = reply.strip().strip(_QUOTATION_MARKS).strip()
    if not text or "\n" in text or len(text) > _LONGEST_REPLY + len(question):
        return None
    return "" if _bare(text) == _bare(question) else text


def _turn(turn: Told) -> str:
    said = f"\n<answer>\n{harmless(turn.text)[:_LONGEST_TEXT]}\n</answer>" if turn.text else ""
    return f"<question>\n{harmless(turn.question)}\n</question>{said}"


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(" ?.!…")
