"""The built-in model: answers only with sentences quoted from the evidence, chosen for the question.

A sentence scores by the question's words it holds (rare ones count more), by its meaning where the embedding model
understands its language, and by how well its passage ranked. It writes nothing of its own, so it invents nothing.
"""

import logging
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from answers.prompts import NO_EVIDENCE
from documents import analysis, embeddings
from documents.embedding.vector_space import Space
from documents.sentences import is_table_row, sentence_spans

logger = logging.getLogger(__name__)

MOST_SENTENCES = 4
#: Of a list, a further quotation is added while it scores this share of the best one.
_WORTH_LISTING = 0.5
#: How many of the best sentences by words are compared by meaning: each costs an embedding.
_COMPARED = 20
#: Of a sentence's score; the rest is the words'. Measured on 400 questions of SQuAD 2.0 with the eight nearest
#: paragraphs as evidence: the quoted sentences (2.1 on average) hold the answer for 84 %, the evidence for 95 %.
_MEANING_SHARE, _RANK_SHARE = 0.5, 0.2
#: What a word in the title, the heading or the sentence before counts, beside one in the sentence itself.
_NEAR_SHARE = 0.3
#: A sentence with a figure in it where one is asked for; one that asks itself; one that a page's end cut off.
_HAS_FIGURE, _IS_QUESTION, _IS_FRAGMENT = 1.25, 0.4, 0.6
#: A further sentence is added while it scores this share of the best one.
_WORTH_ADDING = 0.82
_SAME_WORDS = 0.8
#: A sentence of its own says at least this much; shorter ones are headings and labels.
_FEWEST_WORDS = 4
#: A line without an end in which this share of the words is capitalised is a heading.
_HEADING_CAPITALS = 0.75
_LONGEST = 700

_ENDS = re.compile(r"[.!?…;][\"'”’“»)\]]*$")
_BULLET = re.compile(r"\A[•◦▪‣●○·*–—-]\s+")
#: A header or footer, whatever stands before it: the number of a page is no part of what the page says.
_PAGE_NUMBER = re.compile(
    r"\b(?:page|pg|p|seite|strana|stranica|str|страна|страница|стр)\.?\s*\d{1,4}(?:\s*(?:of|/|od|von|од)\s*\d{1,4})?\W*\Z",
    re.IGNORECASE,
)
_BRACKETED_NUMBER = re.compile(r"\[(\d{1,3})\]")
_ASKS_FOR_FIGURE = re.compile(
    r"\b(how (?:many|much|long|often|old|far|soon|large|big)|when|what (?:year|date|percentage|amount|number|limit)|"
    r"koliko|kada|kad|колико|када|кад)\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Candidate:
    """One sentence of the evidence."""

    number: int
    order: int
    text: str
    words: frozenset[str]
    around: frozenset[str]
    is_fragment: bool
    language: str
    score: float = 0.0


class ExtractiveChat(BaseChatModel):
    """A langchain chat model that reads question and evidence from the last message's `additional_kwargs`."""

    @property
    def _llm_type(self) -> str:
        return "inlock-extractive"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        text = "".join(str(chunk.message.content) for chunk in self._stream(messages))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        material = messages[-1].additional_kwargs
        items = material.get("items", 0)
        space = material.get("space", embeddings.default_space)
        chosen = choose(material["question"], material["evidence"], items=items, space=space)
        if not chosen:
            yield ChatGenerationChunk(message=AIMessageChunk(NO_EVIDENCE))
        if items:
            # What it found, as a list: a table, checklist or severity would be a judgement, and it makes none.
            for place, (number, sentence) in enumerate(chosen):
                yield ChatGenerationChunk(message=AIMessageChunk(f"{chr(10) if place else ''}- {sentence} [{number}]"))
            return
        before = ""
        for number, sentence in chosen:
            gap = _gap(before, sentence)
            yield ChatGenerationChunk(message=AIMessageChunk(f"{gap}{sentence} [{number}]"))
            before = sentence


def choose(
    question: str,
    evidence: Sequence[Any],
    *,
    items: int = 0,
    space: Callable[[], Space] = embeddings.default_space,
) -> list[tuple[int, str]]:
    """The sentences that answer `question`, as (number of its source, sentence), in reading order.

    Up to `items` of them for a list, which takes weaker ones too; 0: a few that answer together. `space` says what
    compares them where the default model does not read question or evidence; a server's is left out.

    Empty when no sentence shares a word with the question and none can be compared by meaning.
    """
    candidates = _candidates(evidence)
    asked = analysis.query_words(question)
    if not candidates or not asked:
        return []
    _score(question, asked, candidates, len(evidence), space)
    best = sorted(candidates, key=lambda candidate: -candidate.score)
    if best[0].score <= 0:
        return []
    chosen: list[_Candidate] = []
    worth = _WORTH_LISTING if items else _WORTH_ADDING
    for candidate in best:
        if len(chosen) == (items or MOST_SENTENCES) or candidate.score < worth * best[0].score:
            break
        if not any(_says_the_same(candidate, other) for other in chosen):
            chosen.append(candidate)
    chosen.sort(key=lambda candidate: candidate.order)
    return [(candidate.number, candidate.text) for candidate in chosen]


def _gap(before: str, sentence: str) -> str:
    """What keeps two quotations apart: prose flows on, rows and items get paragraphs of their own."""
    if not before:
        return ""
    return " " if _ENDS.search(before) and not is_table_row(sentence) else "\n\n"


def _candidates(evidence: Sequence[Any]) -> list[_Candidate]:
    """Every sentence that can stand alone. A heading cannot; its words go with the sentences under it."""
    found: list[_Candidate] = []
    for source in evidence:
        title = frozenset(analysis.words(f"{source.title} {source.locator}", source.language))
        heading: frozenset[str] = frozenset()
        before: frozenset[str] = frozenset()
        for start, end in sentence_spans(source.text):
            raw = source.text[start:end]
            words = frozenset(analysis.words(raw, source.language))
            if not _stands_alone(raw, words):
                heading = words
                continue
            around = title | heading | before
            is_fragment = not (_ENDS.search(raw) or _BULLET.match(raw) or is_table_row(raw))
            found.append(
                _Candidate(source.number, len(found), _shown(raw), words, around, is_fragment, source.language)
            )
            before = words
    return found


def _shown(sentence: str) -> str:
    """On one line, without a list's bullet, and with no number in brackets that would read as a citation."""
    return _BRACKETED_NUMBER.sub(r"(\1)", " ".join(_BULLET.sub("", sentence).split()))


def _stands_alone(sentence: str, words: frozenset[str]) -> bool:
    """Whether it can be read without its surroundings: no heading, no lead-in to a list, no endless table."""
    if len(sentence) > _LONGEST or not words or sentence.endswith(":"):
        return False
    if _is_page_footer(sentence):
        return False
    if is_table_row(sentence) or _ENDS.search(sentence):
        return True
    spoken = [word for word in sentence.split() if word[:1].isalpha()]
    capitals = sum(word[0].isupper() for word in spoken)
    return len(words) >= _FEWEST_WORDS and capitals < _HEADING_CAPITALS * len(spoken)


def _is_page_footer(sentence: str) -> bool:
    """Whether it ends in the number of a page and is neither prose, which ends in a full stop, nor an item."""
    return bool(_PAGE_NUMBER.search(sentence)) and not (_ENDS.search(sentence) or _BULLET.match(sentence))


def _score(
    question: str,
    asked: list[tuple[str, ...]],
    candidates: list[_Candidate],
    sources: int,
    space: Callable[[], Space],
) -> None:
    """Fill in every candidate's score, 0 to about 1."""
    weights = _rarity(asked, candidates)
    wants_figure = bool(_ASKS_FOR_FIGURE.search(question))
    for candidate in candidates:
        candidate.score = _words_score(candidate, weights, wants_figure)
    ahead = sorted(candidates, key=lambda c: (-c.score, c.number))[:_COMPARED]
    meanings = dict(zip((c.order for c in ahead), _meanings(question, ahead, space), strict=True))
    for candidate in candidates:
        rank = 1 - (candidate.number - 1) / sources
        meaning = meanings.get(candidate.order)
        if candidate.order not in meanings or not (candidate.score or meaning):
            candidate.score = 0.0
        elif meaning is None:
            candidate.score = (1 - _RANK_SHARE) * candidate.score + _RANK_SHARE * rank
        else:
            share = 1 - _MEANING_SHARE - _RANK_SHARE
            candidate.score = share * candidate.score + _MEANING_SHARE * meaning + _RANK_SHARE * rank


def _words_score(candidate: _Candidate, weights: dict[tuple[str, ...], float], wants_figure: bool) -> float:
    """The share of the question's words, rare ones weighing more, that the sentence holds itself or stands near."""
    total = own = near = 0.0
    for forms, weight in weights.items():
        total += weight
        if not candidate.words.isdisjoint(forms):
            own += weight
        elif not candidate.around.isdisjoint(forms):
            near += weight
    # What stands near helps only a sentence that has a word of its own to offer.
    score = (own + _NEAR_SHARE * near) / total if own else 0.0
    if candidate.is_fragment:
        score *= _IS_FRAGMENT
    if candidate.text.endswith("?"):
        return score * _IS_QUESTION
    if wants_figure and any(letter.isdigit() for letter in candidate.text):
        return score * _HAS_FIGURE
    return score


def _meanings(question: str, candidates: Sequence[_Candidate], chosen: Callable[[], Space]) -> list[float | None]:
    """Cosine of each sentence with the question, as with the default model; None where no model reads the language."""
    asked_in = analysis.detect_language(question) or "en"
    space = _reading({asked_in, *(c.language for c in candidates)}, chosen)
    readable = [_reads(space, c.language) for c in candidates]
    if not any(readable) or not _reads(space, asked_in):
        return [None] * len(candidates)
    try:
        asked = embeddings.embed_query(question, space)
        vectors = embeddings.embed_passages([c.text for c in candidates], space)
    except embeddings.EmbeddingUnavailable as error:
        logger.warning("Sentences are chosen by their words alone: %s", error)
        return [None] * len(candidates)
    cosines = space.usual(vectors @ asked)
    return [max(0.0, float(cosine)) if can else None for cosine, can in zip(cosines, readable, strict=True)]


def _reading(languages: Collection[str], chosen: Callable[[], Space]) -> Space:
    """The default space where it reads all of these, which costs least; else the chosen one, if it runs here."""
    default = embeddings.default_space()
    if all(_reads(default, language) for language in languages):
        return default
    space = chosen()
    return default if space.remote is not None else space


def _reads(space: Space, language: str) -> bool:
    """As `Space.reads`, without credit: a sentence that shows no language is chosen by its words."""
    return bool(language) and space.reads(language)


def _rarity(asked: list[tuple[str, ...]], candidates: Sequence[_Candidate]) -> dict[tuple[str, ...], float]:
    """How much each word of the question tells, by how few sentences hold it; a word nowhere still counts."""
    counts = Counter(forms for c in candidates for forms in asked if not c.words.isdisjoint(forms))
    return {forms: math.log(1 + len(candidates) / (1 + counts[forms])) for forms in asked}


def _says_the_same(one: _Candidate, other: _Candidate) -> bool:
    union = one.words | other.words
    return bool(union) and len(one.words & other.words) / len(union) > _SAME_WORDS
