"""Put searchable documents on a workspace's shelf without parsing files: rows, embeddings and index entries."""

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db.models import F
from django.utils import timezone

from documents import index
from documents.analysis import detect_language
from documents.embedding.framing import framed
from documents.embeddings import default_space, embed_passages
from documents.models import Document, Embedding, EmbeddingSpace, Passage, Version
from documents.states import VersionState
from workspaces.models import Workspace

SPACE = default_space()


def put(
    workspace: Workspace,
    path: str,
    texts: Sequence[str],
    *,
    title: str = "",
    restricted: bool = False,
    vectors: np.ndarray | None = None,
    indexed: bool = True,
) -> Document:
    """A ready document with one passage a page, current in `workspace`."""
    title = title or path.rpartition(".")[0] or path
    document, _ = Document.objects.get_or_create(
        workspace=workspace, path=path, deleted_at=None, defaults={"title": title, "restricted": restricted}
    )
    document.versions.filter(state=VersionState.READY).update(state=VersionState.SUPERSEDED)
    version = Version.objects.create(
        document=document,
        number=document.versions.count() + 1,
        sha256=hashlib.sha256(uuid.uuid4().bytes).hexdigest(),
        size=1,
        filename=path,
        state=VersionState.READY,
        ready_at=timezone.now(),
        passage_count=len(texts),
        page_count=len(texts),
    )
    passages = [_passage(workspace, version, position, text) for position, text in enumerate(texts)]
    Passage.objects.bulk_create(passages)
    if vectors is None:
        vectors = embed_passages([framed(title, path, passage.locator, passage.text) for passage in passages], SPACE)
    space, _ = EmbeddingSpace.objects.get_or_create(
        fingerprint=SPACE.fingerprint, defaults={"name": SPACE.name, "dimension": SPACE.dimension}
    )
    Embedding.objects.bulk_create(
        Embedding(passage=passage, space=space, vector=row.astype("<f4").tobytes())
        for passage, row in zip(passages, vectors, strict=True)
    )
    if indexed:
        index.upsert(workspace.pk, SPACE, [str(passage.pk) for passage in passages], vectors)
    document.current_version = version
    document.save(update_fields=["current_version"])
    changed(workspace)
    return document


def changed(workspace: Workspace) -> None:
    """Tell keyword replicas that the set of current passages is another."""
    Workspace.objects.filter(pk=workspace.pk).update(index_revision=F("index_revision") + 1)


def take_away(document: Document, **change: Any) -> None:
    """Change a document as deletion or restriction would, leaving the indexes as they are."""
    Document.objects.filter(pk=document.pk).update(**change)


def _passage(workspace: Workspace, version: Version, position: int, text: str) -> Passage:
    return Passage(
        id=uuid.uuid5(version.pk, f"{position} {text}"),
        workspace=workspace,
        version=version,
        position=position,
        text=text,
        start=position * 10_000,
        end=position * 10_000 + len(text),
        page=position + 1,
        locator=str(position + 1),
        language=detect_language(text),
    )
