"""The prompt that asks a model to turn a follow-up into a question of its own, and what may be taken from its reply."""

from collections.abc import Iterable
from string import Template
from typing import Protocol

from answers.prompts import Prompt, harmless, read_files
from documents import analysis

VERSION = "follow-up-1"
#: Of an answer, what is told of it: the beginning says what it is about.
_LONGEST_TEXT = 1500
#: No question of ours is longer; a longer reply is an answer or a sermon.
_LONGEST_REPLY = 600
#: Of the words of a reply, the share that has to stand in what the model was sent. A question that was only put into
#: context says little of its own, and its asker reads it before any reviewer does.
_LEAST_KNOWN = 0.5
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


def taken(reply: str, question: str, turns: Iterable[Told]) -> str | None:
    """The question in a model's `reply` to `question` after `turns`; "" where it is `question` itself.

    None where it is no question of one line, or one of the model's own making.
    """
    text = reply.strip().strip(_QUOTATION_MARKS).strip()
    if not text or "\n" in text or len(text) > _LONGEST_REPLY + len(question):
        return None
    if _bare(text) == _bare(question):
        return ""
    return text if _known(text, [question, *(said for turn in turns for said in (turn.question, turn.text))]) else None


def _turn(turn: Told) -> str:
    said = f"\n<answer>\n{harmless(turn.text)[:_LONGEST_TEXT]}\n</answer>" if turn.text else ""
    return f"<question>\n{harmless(turn.question)}\n</question>{said}"


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(" ?.!…")


def _known(text: str, told: Iterable[str]) -> bool:
    language = analysis.detect_language(text)
    own = analysis.words(text, language)
    known = set(analysis.words(" ".join(told), language))
    return sum(word in known for word in own) >= _LEAST_KNOWN * len(own)
