"""Weigh one sentence against the places it cites: how much of it they hold, the verdict, and the reasons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from answers.grounding import figures
from answers.grounding.exclusive import opposite
from answers.grounding.moved import moved
from answers.grounding.names import missing, names
from answers.grounding.polarity import denial_differs, spelled_out
from answers.models import Grounding
from documents import analysis
from documents.sentences import sentence_spans

#: Shares of a sentence's words that its quotes hold: from here on it stands, and from here on it stands in part.
STANDS, STANDS_PARTLY = 0.8, 0.5
#: The quote is a part of the passage: words that stand only in the rest of it count when nearly all of them do.
_STANDS_IN_PASSAGE = 0.9
#: Cosines of a sentence with its quote that make up for other words, and for another language. Sentences of other
#: paragraphs about the same subject reach 0.6.
NEAR, NEAR_ACROSS = 0.78, 0.8

Reason = dict[str, str]
#: Cosine of two texts, the second from this place; None where there is no model that could say.
Nearness = Callable[[str, "Place"], float | None]


@dataclass(frozen=True, slots=True)
class Place:
    """What a citation points to: the quote, the passage around it, and the document's title."""

    quote: str
    passage: str
    title: str
    language: str

    @property
    def stated(self) -> str:
        """The quote with the whole of the sentences that it begins or ends in: a quotation may be cut out of one."""
        start = self.passage.find(self.quote)
        if start < 0:
            return self.quote
        end = start + len(self.quote)
        spans = [(first, last) for first, last in sentence_spans(self.passage) if first < end and start < last]
        return self.passage[min(start, spans[0][0]) : max(end, spans[-1][1])] if spans else self.quote


@dataclass(frozen=True, slots=True)
class Weighed:
    """`share` is None where words cannot be compared. Reasons come with the weightiest first."""

    share: float | None
    verdict: str
    reasons: tuple[Reason, ...] = ()


def no_nearness(_text: str, _place: Place) -> None:
    """For callers without an embedding model at hand."""


def weigh_sentence(text: str, places: Sequence[Place], near: Nearness = no_nearness, *, spoken: str = "") -> Weighed:
    """Weigh the unmarked `text` of a sentence against the places it cites.

    `spoken`: the language of the whole answer, for a sentence that is too short to show its own.
    """
    if not places:
        return Weighed(0.0, Grounding.UNSUPPORTED, (_reason("uncited"),))
    if any(_stands_verbatim(text, place) for place in places):
        return Weighed(1.0, Grounding.SUPPORTED)
    language = analysis.detect_language(text) or spoken
    comparable = [place for place in places if not language or place.language in {"", language}]
    if not comparable:
        return _across_languages(text, places, near)
    share, of_passage = _shares(text, comparable)
    if share is None:
        return Weighed(None, *_verdict_of_figures(text, places))
    contradictions = [*_wrong_figures(text, places), *_wrong_names(text, language, places)]
    if share >= STANDS_PARTLY:
        contradictions += _wrong_sense(text, comparable)
    if contradictions:
        return Weighed(share, _worst(contradictions), tuple(contradictions))
    if share >= STANDS or (share >= STANDS_PARTLY and of_passage >= _STANDS_IN_PASSAGE):
        return Weighed(share, Grounding.SUPPORTED)
    nearness = max((cosine for place in comparable if (cosine := near(text, place)) is not None), default=None)
    if share >= STANDS_PARTLY and nearness is not None and nearness >= NEAR:
        return Weighed(share, Grounding.SUPPORTED, (_reason("near"),))
    if share >= STANDS_PARTLY or (nearness is not None and nearness >= NEAR):
        return Weighed(share, Grounding.PARTLY, (_reason("words", f"{round(share * 100)}"),))
    return Weighed(share, Grounding.UNSUPPORTED, (_reason("words", f"{round(share * 100)}"),))


# --- Inside -----------------------------------------------------------------------------------------------------

#: A figure that stands in the passage, though not in the sentence that is cited, makes a sentence doubtful, not wrong.
_DOUBTS = frozenset({"number_elsewhere", "date_elsewhere", "figure_moved", "opposite"})


def _reason(code: str, what: str = "", instead: str = "") -> Reason:
    return {"code": code, "what": what} | ({"instead": instead} if instead else {})


def _worst(reasons: Sequence[Reason]) -> str:
    return Grounding.PARTLY if all(reason["code"] in _DOUBTS for reason in reasons) else Grounding.UNSUPPORTED


def _stands_verbatim(text: str, place: Place) -> bool:
    said = " ".join(text.split())
    return bool(said) and said in " ".join(place.passage.split())


def _shares(text: str, places: Sequence[Place]) -> tuple[float | None, float]:
    """The share of the sentence's words that stand in its quotes, and in the passages around them."""
    stemmed_as = places[0].language
    said = set(analysis.words(figures.without(spelled_out(text)), stemmed_as))
    if not said:
        return None, 0.0
    quoted = {word for place in places for word in analysis.words(place.stated, stemmed_as)}
    share = round(len(said & quoted) / len(said), 3)
    if share >= STANDS:
        return share, 1.0
    around = {word for place in places for word in analysis.words(f"{place.title}\n{place.passage}", stemmed_as)}
    return share, len(said & (quoted | around)) / len(said)


def _verdict_of_figures(text: str, places: Sequence[Place]) -> tuple[str, tuple[Reason, ...]]:
    wrong = tuple(_wrong_figures(text, places))
    return (_worst(wrong) if wrong else Grounding.SUPPORTED), wrong


def _wrong_figures(text: str, places: Sequence[Place]) -> list[Reason]:
    claimed = figures.read(text, only_claimed=True)
    if not claimed.numbers and not claimed.dates:
        return []
    quoted = figures.read("\n".join(place.stated for place in places))
    around = figures.read("\n".join(f"{place.title}\n{place.passage}" for place in places))
    # Converted, figures of the whole passage would meet by chance: "28 days of leave", asked for "four weeks ahead".
    closest = figures.read(_closest(text, places)[1])
    found: list[Reason] = []
    for number in claimed.numbers:
        if number.is_same_amount(closest.numbers):
            continue
        if not number.agrees(around.numbers):
            found.append(_reason("number", number.text))
        elif number.has_other_unit(around.numbers):
            found.append(_reason("unit", number.text))
        elif not number.agrees(quoted.numbers):
            found.append(_reason("number_elsewhere", number.text))
    for date in claimed.dates:
        if not date.agrees(around.dates, around.numbers):
            found.append(_reason("date", date.text))
        elif not date.agrees(quoted.dates, around.numbers):
            found.append(_reason("date_elsewhere", date.text))
    if not found and (of_another := moved(text, "\n".join(place.stated for place in places), places[0].language)):
        found.append(_reason("figure_moved", of_another))
    return sorted(found, key=lambda reason: reason["code"] in _DOUBTS)


def _wrong_names(text: str, language: str, places: Sequence[Place]) -> list[Reason]:
    claimed = names(figures.without(text), language)
    source = "\n".join(f"{place.title}\n{place.passage}" for place in places)
    return [_reason("name", name) for name in missing(claimed, source, language)]


def _wrong_sense(text: str, places: Sequence[Place]) -> list[Reason]:
    """Of the sentence in the sources that is most like this one."""
    place, closest = _closest(text, places)
    if denial_differs(text, closest, place.language):
        return [_reason("negation")]
    pair = opposite(spelled_out(text), spelled_out(closest))
    return [_reason("opposite", *pair)] if pair else []


def _closest(text: str, places: Sequence[Place]) -> tuple[Place, str]:
    best, share, whose = places[0].quote, -1.0, places[0]
    for place in places:
        said, stated = set(analysis.words(text, place.language)), place.stated
        for start, end in sentence_spans(stated):
            sentence = stated[start:end]
            found = len(said.intersection(analysis.words(sentence, place.language))) / max(1, len(said))
            if found > share:
                best, share, whose = sentence, found, place
    return whose, best


def _across_languages(text: str, places: Sequence[Place], near: Nearness) -> Weighed:
    """Words cannot be compared with those of another language: figures can, and meaning where a model reads both."""
    wrong = [reason for reason in _wrong_figures(text, places) if reason["code"] not in _DOUBTS]
    if wrong:
        return Weighed(None, Grounding.UNSUPPORTED, tuple(wrong))
    nearness = max((cosine for place in places if (cosine := near(text, place)) is not None), default=None)
    if nearness is not None and nearness >= NEAR_ACROSS:
        return Weighed(None, Grounding.SUPPORTED, (_reason("near"),))
    return Weighed(None, Grounding.PARTLY, (_reason("language"),))
