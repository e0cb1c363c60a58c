"""Find passages the asker may open, and authorise them once more before they become the answer's sources."""

import logging
from math import isclose
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Substr

from answers import leases
from answers.checks import settings as checks
from answers.checks.answerability import LEAST_CHANCE, signs_of
from answers.exceptions import Ended
from answers.rag_templates import filters
from answers.states import AnswerStatus
from answers.steps import evidence
from answers.steps.state import Outcome, Source, State
from audit.chain import digest
from documents.embeddings import EmbeddingUnavailable
from documents.models import Document, Passage
from documents.reranking.rerankers import chosen_for
from documents.search import Hit, SearchResult, search
from workspaces import access
from workspaces.exceptions import Refused

logger = logging.getLogger(__name__)

#: Passages a model is given.
PASSAGES = 8
#: What a source takes from its passage.
_KEPT = ("version_id", "text", "start", "end", "page", "locator", "language")


def retrieve(state: State) -> Outcome:
    """Ends the answer when nothing the asker may open bears on the question: no model is asked then."""
    result = _search(state)
    state.limited = result.degraded
    found: dict[str, Any] = {
        "found": len(result.hits),
        "degraded": result.degraded,
        "cosine": result.evidence.cosine,
        "coverage": result.evidence.coverage,
    }
    tried = state.trial.checks if state.trial else None
    state.checks = tried or checks.as_loaded(state.workspace)
    signs, strictness = signs_of(state.workspace, result), state.checks.strictness
    found |= {"chance": signs.chance, "strictness": strictness, "least_chance": LEAST_CHANCE[strictness]}
    if result.reranked:
        found["reranker"] = {"name": result.reranked.name, "failed": bool(result.reranked.fault)}
    if not signs.are_enough(strictness):
        # An index that is down is not an absence of evidence.
        raise Ended(AnswerStatus.FAILED_SEARCH if result.degraded else AnswerStatus.REFUSED_NO_EVIDENCE, **found)
    with transaction.atomic():
        leases.renew(state.answer)
        state.sources = _authorised(state, result)
        if not state.sources:
            raise Ended(AnswerStatus.REFUSED_NO_EVIDENCE, **found, authorised=0)
        if state.trial is None:
            evidence.store(state)
    return Outcome(detail={**found, "authorised": len(state.sources)})


def _search(state: State) -> SearchResult:
    try:
        space = state.trial.space if state.trial else None
        return search(
            state.asker,
            state.workspace,
            state.question,
            k=state.template.passages if state.template else PASSAGES,
            space=space,
            within=_within(state),
            reranker=state.trial.reranker if state.trial else chosen_for,
        )
    except Refused as error:
        raise Ended(AnswerStatus.REFUSED_NO_RIGHT, at="search") from error
    except EmbeddingUnavailable as error:
        raise Ended(AnswerStatus.FAILED_SEARCH, reason=str(error)) from error


def _within(state: State) -> Q | None:
    """The documents the template looks at, which narrows what is open to the asker; None: all of that."""
    if state.template is None or not state.template.filters:
        return None
    return filters.condition(filters.read(state.template.filters), state.workspace)


def _still_within(state: State) -> Q:
    found = _within(state)
    return Q() if found is None else Q(version__document__in=Document.objects.filter(found).order_by().values("pk"))


def _authorised(state: State, result: SearchResult) -> list[Source]:
    """The hits the asker may open at this moment, in the order they were found."""
    hits = {hit.passage.pk: hit for hit in result.hits}
    passages = (
        access.visible(state.asker, Passage)
        .filter(access.is_still_open(state.asker), _still_within(state), pk__in=hits, workspace=state.workspace)
        .order_by()
        .annotate(
            document_id=F("version__document"),
            title=F("version__document__title"),
            stored=Substr("version__text", F("start") + 1, F("end") - F("start")),
        )
        .values("pk", *_KEPT, "document_id", "title", "stored")
    )
    rows = {row.pop("pk"): row for row in passages}
    sources: list[Source] = []
    for passage_id, hit in hits.items():
        row = rows.get(passage_id)
        if row is None:
            continue
        if row.pop("stored") != row["text"]:
            logger.error("Passage %s is not what its version says; it is left out.", passage_id)
            continue
        sources.append(
            Source(
                number=len(sources) + 1,
                passage_id=passage_id,
                sha256=digest(row["text"]),
                scores=_scores(hit, result),
                **row,
            )
        )
    return sources


def _scores(hit: Hit, result: SearchResult) -> dict[str, Any]:
    scores = {"rank": hit.rank, "score": hit.score, "cosine": hit.cosine, "keywords": hit.keywords}
    if hit.cosine is not None and not isclose(usual := result.evidence.usual(hit.cosine), hit.cosine, abs_tol=1e-6):
        # For the words on it: another model's cosines lie elsewhere.
        scores["usual"] = usual
    return scores if hit.rerank is None else scores | {"rerank": hit.rerank}
