"""The prompt that holds a clause of a draft against passages, and what may be taken from the reply.

Of a reply only what has the demanded form is taken, and of that only what can be verified: words of the clause and of
a passage that was given, letter by letter. What else a model says is dropped and counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from string import Template
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from answers.prompts import Prompt, Quotable, harmless, read_files, source_block

VERSION = "draft-review-1"
MOST_FINDINGS = 5


class Claim(BaseModel):
    """One finding as a model writes it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    severity: Literal["blocker", "major", "minor", "style"]
    category: Literal["conflict", "missing", "deviation", "risk", "clarity"]
    draft: str = Field(min_length=1, max_length=4_000)
    source: int
    quote: str = Field(min_length=1, max_length=4_000)
    explanation: str = Field(min_length=1, max_length=1_000)
    suggestion: str = Field(default="", max_length=4_000)


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    findings: list[object]


@dataclass(frozen=True, slots=True)
class Verified:
    """A claim whose words are where it says: `draft` within the clause, `quote` within the passage `number`."""

    claim: Claim
    draft: tuple[int, int]
    number: int
    quote: tuple[int, int]


def render(label: str, clause: str, sources: Sequence[Quotable]) -> Prompt:
    """The prompt about one clause."""
    system, template, sha256 = read_files(VERSION)
    blocks = "\n".join(source_block(source) for source in sources)
    named = " ".join(harmless(label).replace('"', "'").split())
    filled = Template(template).substitute(sources=blocks, label=named, clause=harmless(clause))
    return Prompt(VERSION, sha256, system, filled)


def taken(reply: str, clause: str, sources: Sequence[Quotable]) -> tuple[list[Verified], int]:
    """What can be verified of a reply, and how many claims were dropped; a reply of another form is one."""
    start, end = reply.find("{"), reply.rfind("}")
    try:
        findings = _Reply.model_validate_json(reply[start : end + 1] if start >= 0 else "").findings
    except ValidationError:
        return [], 1
    given = {source.number: source.text for source in sources}
    verified = [found for one in findings[:MOST_FINDINGS] if (found := _verified(one, clause, given)) is not None]
    return verified, len(findings) - len(verified)


def _verified(one: object, clause: str, given: dict[int, str]) -> Verified | None:
    try:
        claim = Claim.model_validate(one)
    except ValidationError:
        return None
    draft, quote = locate(claim.draft, clause), locate(claim.quote, given.get(claim.source, ""))
    if draft is None or quote is None:
        return None
    return Verified(claim, draft, claim.source, quote)


def locate(words: str, text: str) -> tuple[int, int] | None:
    """Where `words`, as a model was shown them, stand in `text`; None where they do not, letter by letter."""
    shown, places = _as_shown(text)
    wanted = words.strip()
    at = shown.find(wanted) if wanted else -1
    return None if at < 0 else (places[at], places[at + len(wanted) - 1] + 1)


def _as_shown(text: str) -> tuple[str, list[int]]:
    """`harmless(text)`, and for each of its characters where it stands in `text`."""
    kept = [(harmless(letter), place) for place, letter in enumerate(text)]
    return "".join(letter for letter, _place in kept), [place for letter, place in kept if letter]
