"""What the children of the actor do: the product's own verbs and doorbells, with ids in and plain data out."""

import io
from collections import Counter
from pathlib import Path
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from answers import pipeline, questions
from answers import tasks as answer_tasks
from answers.models import Answer
from answers.states import OPEN as OPEN_ANSWERS
from audit.chain import workspace_chain
from audit.models import Event
from audit.verification import verify
from documents import index, ingest, library, reconcile, search
from documents import tasks as document_tasks
from documents.deletion import erasing as deletion
from documents.embedding import spaces
from documents.embedding.vector_space import Space
from documents.indexing import checks as index_checks
from documents.indexing import soundness
from documents.ingestion import company
from documents.models import (
    OPEN_RUNS,
    Document,
    Embedding,
    EmbeddingEndpoint,
    Passage,
    Source,
    SourceItem,
    SourceRun,
    SpaceMigration,
    Version,
)
from documents.reembedding import building, steering
from documents.reembedding.spaces import kept_beside
from documents.reembedding.tasks import sweep_spaces
from documents.retrieval import legs
from documents.sources import keeping, schedule, sync
from documents.sources.keeping import Wish
from documents.stages import embedded
from documents.stages.split import passage_id
from documents.states import MIGRATION_WORKS, OPEN, WITHDRAWN, MigrationState
from inlock.tasks import sweep_engines
from tests.faults.actor import BATCH
from tests.faults.stories import SCENES, STORIES, Act, Stage
from workspaces.dispatch import inline
from workspaces.members import add_member, create_user, create_workspace
from workspaces.models import User, Workspace

#: Of what is found first; further down, passages may be equally far.
GOLDEN = 3
PEOPLE = ("manager", "contributor", "member")


def hire() -> None:
    """The accounts of all worlds."""
    for name in PEOPLE:
        create_user(username=name, password="correct-horse-battery-staple", by=None)


def found(slug: str) -> None:
    """A workspace with everybody in it."""
    workspace = create_workspace(slug=slug, name="Harbour", by=None)
    for name in PEOPLE:
        add_member(workspace, _person(name), name, by=None)


def begin(story: str, slug: str, folder: str) -> Act:
    """Found a world and tell its story up to the act that is disturbed."""
    found(slug)
    told = next(each for each in (*STORIES, *SCENES) if each.name == story)
    return told.begin(Stage(slug, Path(folder), lambda act, **given: ACTS[act](**given)))


def hasten() -> None:
    """Embed more at once for the rest of this act."""
    embedded.BATCH = 500


# --- What people do -------------------------------------------------------------------------------------------


def upload(slug: str, path: str, text: str) -> str:
    received = library.receive(
        workspace=_workspace(slug), path=path, file=io.BytesIO(text.encode()), filename=path, by=_person("contributor")
    )
    return str(received.version.pk)


def bring_in(slug: str, folder: str) -> list[bool]:
    """Take in the files of a folder, new ones together, as a command does; whether each was new."""
    workspace, contributor = _workspace(slug), _person("contributor")
    files = [library.Arriving.of(file.name, file) for file in sorted(Path(folder).iterdir())]
    versions = library.receive_new(workspace=workspace, files=files, by=contributor)
    for arriving, version in zip(files, versions, strict=True):
        if version is None:
            upload(slug, arriving.path, arriving.file.read_text())
    return [version is not None for version in versions]


def ask(slug: str, question: str) -> str:
    """Ask, as somebody does who looks first whether the question already stands there."""
    there = Answer.objects.filter(workspace__slug=slug, question__text=question).first()
    return str((there or questions.ask(workspace=_workspace(slug), text=question, by=_person("member"))).pk)


def delete(slug: str, path: str) -> str:
    """Delete, as somebody does who looks first whether the document is still there."""
    document = Document.objects.get(workspace__slug=slug, path=path)
    if document.deleted_at is None:
        library.delete(document, by=_person("manager"))
    return str(document.pk)


def retry(version: str) -> None:
    library.retry(Version.objects.get(pk=version), by=_person("contributor"))


def retry_all(slug: str) -> int:
    return library.retry_all_failed(_workspace(slug), by=_person("manager"))


def set_up_source(slug: str, folder: str) -> str:
    wish = Wish(name="Berths", options={"folder": folder}, max_removed_percent=100)
    return str(keeping.create_source(_workspace(slug), "folder", wish, by=_person("manager")).pk)


def ask_sync(source: str) -> str:
    """Ask for a sync, as somebody does who looks first whether one is on its way."""
    row = Source.objects.get(pk=source)
    there = row.runs.filter(state__in=OPEN_RUNS).first()
    return str((there or keeping.ask_run(row, "sync", by=_person("manager"))).pk)


def plan_space(slug: str) -> str:
    """Plan a change to the model of a server, and have it begun."""
    server = {"base_url": "http://127.0.0.1:9", "model": "berths", "dimension": 96, "batch": BATCH}
    approved = {"state": "approved", "approved_at": timezone.now()}
    EmbeddingEndpoint.objects.get_or_create(name="berths", defaults=server | approved)
    migration = steering.plan(_workspace(slug), to="berths", by=_person("manager"))
    return str(steering.start(migration, by=_person("manager")).pk)


def switch_space(migration: str) -> None:
    """Search in the new space, as somebody does who compared both and looks first whether it is so already."""
    SpaceMigration.objects.filter(pk=migration, state=MigrationState.COMPARING).update(state=MigrationState.READY)
    row = SpaceMigration.objects.get(pk=migration)
    if row.state != MigrationState.SWITCHED:
        steering.switch(row, by=_person("manager"))


def drop_space(migration: str) -> None:
    steering.drop(SpaceMigration.objects.get(pk=migration), by=_person("manager"))


def rebuild(slug: str) -> bool:
    return reconcile.rebuild(_workspace(slug)).is_none


def find(slug: str, query: str) -> dict[str, Any]:
    """What a search finds, and what it says of itself."""
    result = search.search(_person("member"), _workspace(slug), query)
    return {"hits": _places(result), "degraded": result.degraded, "sentence": result.sentence}


def near(slug: str, query: str) -> dict[str, Any]:
    """What the vector leg alone finds, asked as for a workspace that is too large to be searched exactly."""
    legs.EXACT_AT_ONCE = legs.EXACT_UP_TO = 0
    result = search.search(_person("member"), _workspace(slug), query, mode=search.Mode.VECTORS)
    [leg] = [each for each in result.legs if each.name == "vectors"]
    return {"finds": len(leg.finds), "fault": leg.fault, "degraded": result.degraded, "hits": _places(result)}


def watch() -> int:
    """How many indexes the schedule's look at some of their vectors found damaged, and emptied."""
    index_checks.EXACT_AT_ONCE = 0
    return len(index_checks.empty_damaged())


def look_after_engines() -> None:
    """What the schedule does about files that an engine's keeper set aside."""
    with inline():
        sweep_engines()


def check(slug: str) -> int:
    """What the comparison by the clock found different."""
    return index_checks.check(_workspace(slug)).differed


# --- What workers do ------------------------------------------------------------------------------------------


def ingest_version(version: str) -> str:
    return ingest.ingest_version(version).outcome


def ingest_waiting(version: str) -> list[str]:
    """The version with those that wait beside it; who left that company is the sweep's."""
    return sorted(result.outcome for result in company.ingest_waiting(version))


def ingest_version_apart(version: str) -> str:
    """As when every stage takes long, so that each is written by itself."""
    ingest.TOGETHER_SECONDS = 0
    return ingest_version(version)


def answer(answer: str) -> None:
    pipeline.run(Answer.objects.only("pk").get(pk=answer).pk)


def erase(document: str) -> None:
    deletion.erase(document)


def build_space(migration: str) -> str:
    while (outcome := building.work(migration)) == "more":
        pass
    return outcome


def run_sync(run: str) -> str:
    return sync.work(run)


def sweep(slug: str) -> int:
    """One round of everything that looks for rows nobody works on, and of the work it rings for; what that left."""
    with inline():
        document_tasks.sweep_ingestion()
        schedule.sweep_sources()
        sweep_spaces()
        answer_tasks.sweep_answers()
    return unsettled(slug)


# --- What is there ---------------------------------------------------------------------------------------------


def look(slug: str, query: str) -> dict[str, Any]:
    """All of a world that must not depend on what was killed in it."""
    workspace = _workspace(slug)
    documents = Document.objects.filter(workspace=workspace).order_by("path", "created_at")
    differs = reconcile.compare(workspace)
    chain = workspace_chain(workspace.pk)
    events = Counter(Event.objects.filter(chain=chain).values_list("type", flat=True))
    return {
        "documents": [_document(document) for document in documents],
        "index": {
            "agrees": differs.is_none,
            "vectors": len(index.ids(workspace.pk, spaces.space_of(workspace.pk))),
        },
        "spaces": [_migration(each) for each in SpaceMigration.objects.filter(workspace=workspace)],
        "answers": [_answer(each) for each in Answer.objects.filter(workspace=workspace).order_by("created_at")],
        "runs": list(
            SourceRun.objects.filter(source__workspace=workspace)
            .order_by("asked_at")
            .values_list("state", "listed", "added", "changed", "removed", "failed", "skipped")
        ),
        "items": sorted(SourceItem.objects.filter(source__workspace=workspace).values_list("path", flat=True)),
        "golden": _places(search.search(_person("member"), workspace, query, k=GOLDEN)),
        "events": dict(sorted(events.items())),
        "trail": verify(chain).holds,
    }


def why(version: str) -> dict[str, Any]:
    """What the page says of a version that did not become ready."""
    row = Version.objects.get(pk=version)
    return {
        "state": row.state,
        "code": row.failure_code,
        "sentence": row.failure_sentence,
        "retryable": row.failure_retryable,
        "deaths": row.deaths,
    }


def unsettled(slug: str) -> int:
    """How much of a world still waits for somebody to go on with it."""
    versions = Version.objects.filter(document__workspace__slug=slug)
    return (
        versions.filter(state__in=OPEN).count()
        + versions.filter(state__in=WITHDRAWN, in_index=True).count()
        + deletion.to_erase().filter(workspace__slug=slug).count()
        + _owing().filter(workspace__slug=slug).count()
        + SourceRun.objects.filter(source__workspace__slug=slug, state__in=OPEN_RUNS).count()
        + Answer.objects.filter(workspace__slug=slug, status__in=OPEN_ANSWERS).count()
    )


def _owing() -> QuerySet[SpaceMigration]:
    """Changes of the embedding model that have something to do."""
    behind = Q(covered_revision=None) | ~Q(covered_revision=F("workspace__index_revision"))
    works = Q(state__in=(MigrationState.BUILDING, MigrationState.DROPPING)) | behind
    return SpaceMigration.objects.filter(works, state__in=MIGRATION_WORKS)


def _migration(migration: SpaceMigration) -> dict[str, Any]:
    beside = {} if migration.state == MigrationState.DONE else {"beside": _held(migration, kept_beside(migration))}
    return beside | {
        "state": migration.state,
        "counted": [migration.total, migration.done, migration.computed],
        "covered": migration.covered_revision == migration.workspace.index_revision,
        "problem": migration.problem,
        "held": migration.lease_until is not None,
        "spaces": sorted(
            Embedding.objects.filter(passage__workspace=migration.workspace)
            .values_list("space__name")
            .annotate(Count("passage"))
        ),
    }


def _held(migration: SpaceMigration, space: Space) -> list[Any]:
    differs = reconcile.compare(migration.workspace, space)
    return [differs.ids_agree, soundness.look(migration.workspace_id, space, at_all=True).is_damaged]


def _document(document: Document) -> dict[str, Any]:
    current = document.current_version
    return {
        "path": document.path,
        "title": document.title,
        "gone": [document.deleted_at is not None, document.erased_at is not None],
        "answers_with": current.number if current is not None else None,
        "versions": [_version(version) for version in document.versions.order_by("number")],
    }


def _version(version: Version) -> dict[str, Any]:
    passages = list(Passage.objects.filter(version=version).order_by("position"))
    return {
        "number": version.number,
        "state": version.state,
        "sha256": version.sha256,
        "why": version.failure_code,
        "counted": [version.passage_count, version.done],
        "held": version.lease_until is not None,
        "file": bool(version.file) and version.file.storage.exists(version.file.name),
        "passages": [[each.position, each.start, each.end, each.text] for each in passages],
        "named": all(each.pk == passage_id(version.pk, each.position, each.text) for each in passages),
        "vectors": Embedding.objects.filter(passage__version=version).count(),
    }


def _answer(answer: Answer) -> dict[str, Any]:
    citations = answer.citations.order_by("number")
    places = citations.values_list("number", "document__path", "version__number", "start", "end", "quote")
    return {"status": answer.status, "text": answer.released_text, "citations": [list(each) for each in places]}


def _places(result: search.SearchResult) -> list[list[Any]]:
    return [[hit.document.path, hit.version.number, hit.passage.start, hit.passage.end] for hit in result.hits]


def _workspace(slug: str) -> Workspace:
    return Workspace.objects.get(slug=slug)


def _person(name: str) -> User:
    return User.objects.get(username=name)


ACTS = {
    act.__name__: act
    for act in (
        hire,
        begin,
        hasten,
        upload,
        bring_in,
        ask,
        delete,
        retry,
        retry_all,
        set_up_source,
        ask_sync,
        plan_space,
        switch_space,
        drop_space,
        rebuild,
        find,
        near,
        watch,
        look_after_engines,
        check,
        ingest_version,
        ingest_version_apart,
        ingest_waiting,
        answer,
        erase,
        build_space,
        run_sync,
        sweep,
        look,
        why,
    )
}
