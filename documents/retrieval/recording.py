"""Search as a person or their program does it: recorded, because who searches reads passages; and as a document."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents.reranking.rerankers import Reranked
from documents.search import Hit, Mode, SearchResult, is_usable, search
from workspaces.models import User, Workspace


def retrieve(user: User, workspace: Workspace, query: str, k: int, *, mode: str = Mode.HYBRID) -> SearchResult:
    """What `documents.search.search` finds, once the trail has who read which passages; raises as that does."""
    result = search(user, workspace, query, k, mode=mode)
    record_search(workspace, [query], [result.hits])
    return result


def record_search(workspace: Workspace, queries: Sequence[str], found: Sequence[Sequence[Hit]]) -> None:
    """Who read which documents' passages, before they are shown; the queries only by their hash."""
    documents = {str(hit.document.pk) for hits in found for hit in hits}
    with transaction.atomic():
        record(
            EventType.SEARCHED,
            on=workspace,
            workspace=workspace,
            queries=len(queries),
            queries_sha256=digest("\n".join(queries)),
            passages=sum(len(hits) for hits in found),
            documents=sorted(documents),
        )


def as_document(result: SearchResult) -> dict[str, Any]:
    """The result as the command line and other programs get it.

    Keyword weights stay inside: they count words over the whole workspace, closed documents included. So does what a
    leg was asked for and kept, which tells how much that is closed lies as near.
    """
    return {
        "query": result.query,
        "language": result.language,
        "usable": is_usable(result),
        "evidence": {"cosine": result.evidence.cosine},
        "degraded": result.degraded,
        "sentence": result.sentence,
        "legs": [{"name": leg.name, "fault": leg.fault} for leg in result.legs],
        "reranker": _reranker(result.reranked),
        "hits": [_hit(hit) for hit in result.hits],
    }


def _reranker(reranked: Reranked | None) -> dict[str, Any] | None:
    if reranked is None:
        return None
    return {
        "name": reranked.name,
        "scored": len(reranked.scores),
        "kept_back": reranked.kept_back,
        "fault": reranked.fault,
    }


def _hit(hit: Hit) -> dict[str, Any]:
    return {
        "rank": hit.rank,
        "score": hit.score,
        "cosine": hit.cosine,
        "rerank": hit.rerank,
        "document": hit.document.path,
        "document_id": hit.document.pk,
        "title": hit.document.title,
        "version": hit.version.number,
        "version_id": hit.version.pk,
        "passage_id": hit.passage.pk,
        "page": hit.page,
        "locator": hit.locator,
        "start": hit.passage.start,
        "end": hit.passage.end,
        "text": hit.passage.text,
        "valid_until": hit.document.valid_until,
        "is_expired": hit.document.is_expired,
    }
