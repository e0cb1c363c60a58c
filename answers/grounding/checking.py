"""Check the sentences of a text against the passages they cite."""

from collections.abc import Iterator, Sequence

from django.db.models import F
from django.db.models.functions import Substr

from answers.citations import marks
from answers.grounding.nearness import nearness_in
from answers.grounding.sentence import Nearness, Place, no_nearness, weigh_sentence
from answers.models import Answer, Evidence
from answers.steps.cite import split
from answers.steps.state import Quote, Sentence
from documents import analysis


def weigh(text: str, places: dict[int, Place], near: Nearness = no_nearness) -> list[Sentence]:
    """The sentences of a marked text, each with its share, verdict and reasons; `places` by citation number."""
    sentences = list(split(text))
    spoken = analysis.detect_language(text)
    for sentence, cited in zip(sentences, _cited(sentences), strict=True):
        own = [places[number] for number in cited if number in places]
        weighed = weigh_sentence(marks.take_out(sentence.text).text.strip(), own, near, spoken=spoken)
        sentence.grounding, sentence.verdict = weighed.share, str(weighed.verdict)
        sentence.reasons = list(weighed.reasons)
    return sentences


def check(answer: Answer, text: str) -> list[Sentence]:
    """The sentences of `text`, which may cite what `answer` cites, each with its verdict and reasons.

    Changes nothing. A sentence that stands as it stood keeps what was found then, a judge's verdict included.
    """
    known = {one["text"]: one for one in answer.sentences if one.get("verdict")}
    rests_on = set(Evidence.objects.filter(answer=answer).values_list("document", flat=True))
    sentences = weigh(text, _stored_places(answer), nearness_in(answer.workspace_id, rests_on))
    for sentence in sentences:
        before = known.get(sentence.text)
        if before is not None:
            sentence.grounding, sentence.verdict = before["grounding"], before["verdict"]
            sentence.reasons = list(before["reasons"])
    return sentences


def places_of(quotes: Sequence[Quote]) -> dict[int, Place]:
    """The places that quotes in the making point to."""
    return {
        quote.number: Place(
            quote=quote.text,
            passage=quote.source.text,
            title=quote.source.title,
            language=quote.source.language,
        )
        for quote in quotes
    }


def _stored_places(answer: Answer) -> dict[int, Place]:
    citations = answer.citations.annotate(
        title=F("document__title"),
        # What was given to the model; empty once the version's text was erased.
        passage=Substr("version__text", F("evidence__start") + 1, F("evidence__end") - F("evidence__start")),
    ).values("number", "quote", "passage", "title")
    return {
        row["number"]: Place(
            quote=row["quote"],
            passage=row["passage"] or row["quote"],
            title=row["title"],
            language=analysis.detect_language(row["passage"] or row["quote"]),
        )
        for row in citations
    }


def _cited(sentences: Sequence[Sentence]) -> Iterator[list[int]]:
    """What each sentence cites; the lead-in of a list ("You need:") rests on what its first item cites."""
    for place, sentence in enumerate(sentences):
        is_lead_in = not sentence.citations and sentence.text.rstrip().endswith(":")
        follower = sentences[place + 1] if is_lead_in and place + 1 < len(sentences) else sentence
        yield follower.citations
