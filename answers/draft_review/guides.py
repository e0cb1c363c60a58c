"""The passages a clause is held against: found by search, and authorised for the draft's owner at that moment."""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Substr

from answers.models import Clause, ClauseSource
from answers.steps.state import Source
from audit.chain import digest
from documents.models import Passage
from documents.search import Hit, search
from workspaces import access
from workspaces.models import User, Workspace

logger = logging.getLogger(__name__)

PASSAGES = 6
#: The beginning of a clause says what it is about.
_MOST_QUERY = 700
_KEPT = ("version_id", "text", "start", "end", "page", "locator", "language")


def find(user: User, workspace: Workspace, words: str, k: int = PASSAGES) -> Sequence[Hit]:
    """What the guidance says of it. Raises as `documents.search.search` does."""
    return search(user, workspace, words[:_MOST_QUERY], k=k).hits


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
