"""P1's twin: a rule that hides too much is no use. What is open is found, however little it is among what is closed.

A filter on an approximate index loses finds silently; an exact scan of the open passages says what there is to find.
"""

import os
import random
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone

from documents import index
from documents.models import (
    Document,
    DocumentBar,
    DocumentGroupGrant,
    DocumentUserGrant,
    Embedding,
    EmbeddingSpace,
    Passage,
    Version,
)
from documents.retrieval import legs
from documents.retrieval.fusion import WIDTH
from documents.search import Mode, search
from documents.states import VersionState
from tests.documents.shelf import SPACE, changed
from workspaces import groups, members
from workspaces.models import PeopleGroup, User, Workspace

#: Documents, each of one passage; set by `make deep` to more.
DOCUMENTS = 12_000 if os.environ.get("INLOCK_DEEP") else 1_500
SHARES = (0.001, 0.01, 0.1, 0.5)
QUESTION = "Which pallet stands in row seven of the depot?"


def _vectors(count: int) -> np.ndarray:
    """Unit vectors in clusters, as text has them; the last one is a question's, beside one of the clusters."""
    source = np.random.default_rng(7)
    centres = source.normal(size=(20, SPACE.dimension))
    near = centres[np.arange(count + 1) % 20] + 0.6 * source.normal(size=(count + 1, SPACE.dimension))
    return (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)


class Corpus:
    """Restricted documents of one workspace, their passages' vectors, and the question's."""

    def __init__(self, workspace: Workspace) -> None:
        *rows, self.question = _vectors(DOCUMENTS)
        self.workspace, self.vectors = workspace, np.array(rows)
        self.documents = Document.objects.bulk_create(
            Document(workspace=workspace, path=f"{n}.md", title=f"Paper {n}", restricted=True) for n in range(DOCUMENTS)
        )
        made = {"number": 1, "size": 1, "state": VersionState.READY, "ready_at": timezone.now(), "passage_count": 1}
        versions = Version.objects.bulk_create(
            Version(document=one, sha256=f"{n:064}", filename=one.path, **made) for n, one in enumerate(self.documents)
        )
        for document, version in zip(self.documents, versions, strict=True):
            document.current_version = version
        Document.objects.bulk_update(self.documents, ["current_version"], batch_size=1000)
        passages = [_passage(version, n) for n, version in enumerate(versions)]
        self.ids = [str(one.pk) for one in Passage.objects.bulk_create(passages)]
        space = EmbeddingSpace.objects.create(fingerprint=SPACE.fingerprint, name=SPACE.name, dimension=SPACE.dimension)
        Embedding.objects.bulk_create(
            Embedding(passage=one, space=space, vector=row.astype("<f4").tobytes())
            for one, row in zip(passages, self.vectors, strict=True)
        )
        index.upsert(workspace.pk, SPACE, self.ids, self.vectors)
        changed(workspace)

    def nearest(self, opened: list[int]) -> list[str]:
        """The ten passages an exact scan of the open documents finds, best first."""
        cosines = self.vectors[opened] @ self.question
        return [self.ids[opened[row]] for row in np.argsort(-cosines, kind="stable")[:10]]


def _passage(version: Version, n: int) -> Passage:
    text = f"Pallet {n} stands in row {n % 40} of the depot, counted by clerk {n % 7}."
    return Passage(
        id=uuid.uuid4(),
        workspace=version.document.workspace,
        version=version,
        position=0,
        text=text,
        start=0,
        end=len(text),
        locator="",
    )


# --- Shapes of rights: each opens exactly `opened` of the corpus to one person --------------------------------


def _by_name(corpus: Corpus, person: User, group: PeopleGroup, opened: list[int]) -> None:
    opening = Permission.objects.get(codename="open_document")
    DocumentUserGrant.objects.bulk_create(
        DocumentUserGrant(content_object=corpus.documents[n], user=person, permission=opening) for n in opened
    )


def _through_a_group(corpus: Corpus, person: User, group: PeopleGroup, opened: list[int]) -> None:
    """Some by name, the rest through a group."""
    opening = Permission.objects.get(codename="open_document")
    _by_name(corpus, person, group, opened[::3])
    DocumentGroupGrant.objects.bulk_create(
        DocumentGroupGrant(content_object=corpus.documents[n], group=group.group, permission=opening)
        for n in opened
        if n not in opened[::3]
    )


def _all_but(corpus: Corpus, person: User, group: PeopleGroup, opened: list[int]) -> None:
    """Everything through a group, and never rules against the person or the group for the rest."""
    opening = Permission.objects.get(codename="open_document")
    DocumentGroupGrant.objects.bulk_create(
        DocumentGroupGrant(content_object=one, group=group.group, permission=opening) for one in corpus.documents
    )
    kept = set(opened)
    DocumentBar.objects.bulk_create(
        DocumentBar(document=one, reason="-", **({"user": person} if n % 2 else {"group": group.group}))
        for n, one in enumerate(corpus.documents)
        if n not in kept
    )


SHAPES: tuple[Callable[..., None], ...] = (_by_name, _through_a_group, _all_but)


@pytest.fixture
def corpus(policies: Workspace, monkeypatch: Any) -> Corpus:
    made = Corpus(policies)
    monkeypatch.setattr(legs, "embed_query", lambda query, space, sent: made.question)
    return made


@pytest.fixture
def askers(corpus: Corpus) -> list[tuple[User, list[int], str]]:
    """A person for each share and shape, the documents open to them, and what to call the two."""
    made = []
    for share in SHARES:
        for shape in SHAPES:
            name = f"{shape.__name__.strip('_')}-{share}".replace(".", "-").replace("_", "-")
            person, group = members.create_user(username=name, by=None), groups.create_group(name=name, by=None)
            members.add_member(corpus.workspace, person, "member", by=None)
            groups.add_to_group(group, person, by=None)
            opened = sorted(random.Random(name).sample(range(DOCUMENTS), max(1, round(DOCUMENTS * share))))
            shape(corpus, person, group, opened)
            made.append((person, opened, name))
    # No autovacuum sees rows that are not committed: without their statistics a plan for few rows is taken for all.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return made


def lost(corpus: Corpus, askers: list[tuple[User, list[int], str]]) -> list[str]:
    """Who does not find by nearness what an exact scan of their open documents finds."""
    found = {
        name: [hit.passage for hit in search(person, corpus.workspace, QUESTION, k=10, mode=Mode.VECTORS).hits]
        for person, _opened, name in askers
    }
    return [name for _, opened, name in askers if [str(one.pk) for one in found[name]] != corpus.nearest(opened)]


@pytest.mark.timeout(max(200, DOCUMENTS // 10))
def test_what_is_open_is_found_as_if_nothing_else_were_there(
    corpus: Corpus, askers: list[tuple[User, list[int], str]], monkeypatch: Any
) -> None:
    # The counter-proof first: of a hundred finds few are open, and what else is would be lost in silence.
    with monkeypatch.context() as once:
        once.setattr(legs, "ENOUGH", 0)
        assert set(lost(corpus, askers)) >= {name for _, opened, name in askers if len(opened) <= DOCUMENTS * 0.01}

    assert lost(corpus, askers) == []
    for person, opened, name in askers:
        both = search(person, corpus.workspace, QUESTION, k=2 * WIDTH)
        found = {str(hit.passage.pk) for hit in both.hits}
        assert set(corpus.nearest(opened)) <= found <= {corpus.ids[n] for n in opened}, name
        assert len(both.legs[1].finds) >= min(len(opened), legs.ENOUGH), name

    # Where too many are open to look at each, the index alone has to find them.
    monkeypatch.setattr(legs, "EXACT_UP_TO", -1)
    monkeypatch.setattr(legs, "EXACT_AT_ONCE", -1)
    assert lost(corpus, askers) == []
