"""The passages a clause is held against: found by search, and authorised for the draft's owner at that moment."""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Substr

from answers import endpoints
from answers.draft_review import ruling
from answers.draft_review.found import Found
from answers.models import Clause, ClauseSource, Examination
from answers.steps.state import Source
from audit.chain import digest
from documents.embedding.spaces import space_of
from documents.models import Document, EmbeddingEndpoint, Passage
from documents.reranking.rerankers import chosen_for
from documents.search import Hit, Mode, search
from workspaces import access
from workspaces.classification import Classification
from workspaces.models import User, Workspace

logger = logging.getLogger(__name__)

#: The beginning of a clause says what it is about.
_MOST_QUERY = 700
_KEPT = ("version_id", "text", "start", "end", "page", "locator", "language")


def find(examination: Examination, words: str) -> Sequence[Hit]:
    """What the guidance says of it, as the draft's owner finds it.

    Raises as `documents.search.search` does, and TemplateError where the template cannot be read.
    """
    workspace = examination.workspace
    return search(
        examination.asked_by,
        workspace,
        words[:_MOST_QUERY],
        k=ruling.passages_of(examination),
        mode=mode_for(workspace, examination.classification),
        within=ruling.guidance_of(examination),
    ).hits


def mode_for(workspace: Workspace, classification: str) -> Mode:
    """How words of this level are searched for: above what a server of the search may read, here, by keywords alone."""
    return Mode.HYBRID if _may_leave(workspace, Classification(classification)) else Mode.KEYWORDS


def _may_leave(workspace: Workspace, level: Classification) -> bool:
    """Whether text of this level may go to wherever questions of the workspace go to be searched."""
    space, reranker = space_of(workspace.pk), chosen_for(workspace)
    ceilings = [Classification.RESTRICTED]
    if space.remote is not None:
        ceilings.append(Classification(EmbeddingEndpoint.objects.get(pk=space.remote.endpoint).ceiling))
    if reranker is not None:
        endpoint = reranker.endpoint or endpoints.default_for(workspace)
        ceilings.append(Classification(endpoint.ceiling))
    return all(level.rank <= ceiling.rank for ceiling in ceilings)


def authorised(user: User, workspace: Workspace, hits: Sequence[Hit]) -> list[Source]:
    """The hits that `user` may open at this moment, numbered from 1; the caller's transaction uses them."""
    ids: list[UUID] = [hit.passage.pk for hit in hits]
    rows: dict[UUID, dict[str, Any]] = {
        row.pop("pk"): row
        for row in access.visible(user, Passage)
        .filter(access.is_still_open(user), pk__in=ids, workspace=workspace)
        .order_by()
        .annotate(
            document_id=F("version__document"),
            title=F("version__document__title"),
            stored=Substr("version__text", F("start") + 1, F("end") - F("start")),
        )
        .values("pk", *_KEPT, "document_id", "title", "stored")
    }
    sources: list[Source] = []
    for passage_id in ids:
        row = rows.get(passage_id)
        if row is None:
            continue
        if row.pop("stored") != row["text"]:
            logger.error("Passage %s is not what its version says; it is left out.", passage_id)
            continue
        kept = {**row, "sha256": digest(row["text"]), "scores": {}}
        sources.append(Source(number=len(sources) + 1, passage_id=passage_id, **kept))
    return sources


def still_open(user: User, workspace: Workspace, sources: Sequence[Source]) -> bool:
    """Whether `user` may open every one of them at this moment."""
    ids = {source.passage_id for source in sources}
    opened = access.visible(user, Passage).filter(access.is_still_open(user), pk__in=ids, workspace=workspace)
    return opened.order_by().count() == len(ids)


def left_open(user: User, found: Sequence[Found]) -> list[Found]:
    """Of `found` what rests on nothing, or on a document that `user` may open at this moment."""
    named = {one.source.document_id for one in found if one.source is not None}
    opened = access.visible(user, Document).filter(access.is_still_open(user), pk__in=named)
    open_ids = set(opened.order_by().values_list("pk", flat=True))
    return [one for one in found if one.source is None or one.source.document_id in open_ids]


def keep(clause: Clause, sources: Sequence[Source]) -> None:
    """Write down what the clause was held against: its findings rest on all of it."""
    ClauseSource.objects.bulk_create(
        (
            ClauseSource(
                clause=clause,
                passage_id=source.passage_id,
                document_id=source.document_id,
                version_id=source.version_id,
                sha256=source.sha256,
            )
            for source in sources
        ),
        ignore_conflicts=True,
    )
