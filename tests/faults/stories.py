"""What happens in a world, undisturbed or not: each story has one act that is disturbed, at points it passes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BERTHS = 8
#: Named one more in each passage and edition, so that no two are equally near to a question.
CARGO = ("timber", "grain", "cement", "salt", "copper", "wool", "cocoa", "glass", "paper", "cork", "tea")
QUESTION = "How many tonnes does the crane of berth 5 lift?"


def text(edition: int = 1) -> str:
    """A document of eight passages, each other in every edition."""
    return "# Harbour rules\n\n" + "\n\n".join(
        f"## Berth {number}\n\n"
        f"The crane of berth {number} lifts {number * 7} tonnes. "
        f"Its fender is looked at every {number + 2} days by the harbour office. "
        f"Ships here carry {', '.join(CARGO[: number + edition - 1])}."
        for number in range(1, BERTHS + 1)
    )


#: An act's name and what it is given.
Act = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Stage:
    """An empty workspace, an empty folder for a source, and a way to do an act of `acts.py` at once."""

    slug: str
    folder: Path
    do: Callable[..., Any]

    def ready(self, path: str, edition: int = 1) -> None:
        """Bring a document in."""
        version = self.do("upload", slug=self.slug, path=path, text=text(edition))
        assert self.do("ingest_version", version=version) == "ready"


@dataclass(frozen=True, repr=False)
class Story:
    """`begin` brings a stage to the act that is disturbed, and returns that act, which passes each of `points`.

    What a worker began is finished by the sweep; a person whose act failed does it again.
    """

    name: str
    begin: Callable[[Stage], Act]
    points: tuple[str, ...]
    #: Points inside a transaction: whoever stands still there makes everybody wait who comes after.
    locked: tuple[str, ...] = ()
    by_a_person: bool = False


def _upload(stage: Stage) -> Act:
    return "upload", {"slug": stage.slug, "path": "harbour.md", "text": text()}


def _arrive(stage: Stage) -> Act:
    """A folder of three files, all of them new."""
    for edition, name in enumerate(("harbour", "annex", "tariff"), 1):
        (stage.folder / f"{name}.md").write_text(text(edition))
    return "bring_in", {"slug": stage.slug, "folder": str(stage.folder)}


def _ingest(stage: Stage) -> Act:
    return "ingest_version", {"version": stage.do("upload", slug=stage.slug, path="harbour.md", text=text())}


def _apart(stage: Stage) -> Act:
    _act, given = _ingest(stage)
    return "ingest_version_apart", given


def _replace(stage: Stage) -> Act:
    stage.ready("harbour.md")
    return "ingest_version", {"version": stage.do("upload", slug=stage.slug, path="harbour.md", text=text(2))}


def _ask(stage: Stage) -> Act:
    stage.ready("harbour.md")
    return "ask", {"slug": stage.slug, "question": QUESTION}


def _answer(stage: Stage) -> Act:
    act, given = _ask(stage)
    return "answer", {"answer": stage.do(act, **given)}


def _delete(stage: Stage) -> Act:
    stage.ready("harbour.md")
    stage.ready("annex.md", edition=3)
    return "delete", {"slug": stage.slug, "path": "harbour.md"}


def _erase(stage: Stage) -> Act:
    act, given = _delete(stage)
    return "erase", {"document": stage.do(act, **given)}


def _sync(stage: Stage) -> Act:
    for name in ("north", "south", "west"):
        (stage.folder / f"{name}.md").write_text(text())
    source = stage.do("set_up_source", slug=stage.slug, folder=str(stage.folder))
    assert stage.do("run_sync", run=stage.do("ask_sync", source=source)) == "done"
    assert stage.do("sweep", slug=stage.slug) == 0
    (stage.folder / "north.md").write_text(text(2))
    (stage.folder / "south.md").unlink()
    (stage.folder / "east.md").write_text(text(3))
    return "run_sync", {"run": stage.do("ask_sync", source=source)}


def _sync_new(stage: Stage) -> Act:
    """Three small files that are new in a folder."""
    (stage.folder / "north.md").write_text(text())
    source = stage.do("set_up_source", slug=stage.slug, folder=str(stage.folder))
    assert stage.do("run_sync", run=stage.do("ask_sync", source=source)) == "done"
    assert stage.do("sweep", slug=stage.slug) == 0
    for edition, name in enumerate(("south", "west", "east"), 2):
        (stage.folder / f"{name}.md").write_text(text(edition))
    return "run_sync", {"run": stage.do("ask_sync", source=source)}


def _rebuild(stage: Stage) -> Act:
    stage.ready("harbour.md")
    stage.ready("annex.md", edition=3)
    return "rebuild", {"slug": stage.slug}


def _reembed(stage: Stage) -> Act:
    stage.ready("harbour.md")
    stage.ready("annex.md", edition=3)
    return "build_space", {"migration": stage.do("plan_space", slug=stage.slug)}


def _switch(stage: Stage) -> Act:
    act, given = _reembed(stage)
    stage.do(act, **given)
    return "switch_space", given


def _drop_space(stage: Stage) -> Act:
    act, given = _switch(stage)
    stage.do(act, **given)
    stage.do("drop_space", **given)
    return "build_space", given


def _many(stage: Stage) -> Act:
    """Three documents, a bell each."""
    paths = ("harbour.md", "annex.md", "tariff.md")
    texts = [text(edition) for edition in (1, 2, 3)]
    pairs = zip(paths, texts, strict=True)
    return "ingest", {"versions": [stage.do("upload", slug=stage.slug, path=path, text=each) for path, each in pairs]}


def _company(stage: Stage) -> Act:
    """Three documents that wait, and a bell for one of them."""
    _act, given = _many(stage)
    return "ingest_waiting", {"version": given["versions"][1]}


def _company_newer(stage: Stage) -> Act:
    """Newer versions of two documents that answer, and a new document; a bell for one of them."""
    stage.ready("harbour.md")
    stage.ready("annex.md", edition=2)
    for path, edition in (("harbour.md", 3), ("tariff.md", 4)):
        stage.do("upload", slug=stage.slug, path=path, text=text(edition))
    return "ingest_waiting", {"version": stage.do("upload", slug=stage.slug, path="annex.md", text=text(5))}


def _editions(stage: Stage) -> Act:
    """Two versions of one document, a bell each."""
    texts = [text(edition) for edition in (1, 2)]
    return "ingest", {"versions": [stage.do("upload", slug=stage.slug, path="harbour.md", text=each) for each in texts]}


def _large(stage: Stage) -> Act:
    """More passages than Chroma keeps outside of its segment files."""
    sections = (
        f"## Berth {number} of quay {number // 40}\n\nThe crane of berth {number} lifts {number * 7} tonnes. "
        f"Ships here carry {', '.join(CARGO[: number % len(CARGO) + 1])} and moor at bollard {number * 31 % 977}."
        for number in range(1, 1301)
    )
    version = stage.do("upload", slug=stage.slug, path="harbour.md", text="# Harbour\n\n" + "\n\n".join(sections))
    stage.do("hasten")
    assert stage.do("ingest_version", version=version) == "ready"
    return "", {}


_STAGES = tuple(
    f"{when}_{state}"
    for state in ("stored", "parsed", "split", "embedded", "indexed", "ready")
    for when in ("before", "after")
)
_STEPS = tuple(f"before_{step}" for step in ("scope", "retrieve", "compose", "cite", "ground", "route"))
_ENTRY = ("before_append", "after_append")
_BELL = ("before_bell", "after_bell")
_EMBEDDING = tuple(
    f"{point}{nth}" for point in ("before_embedding", "after_embedding", "embedding_batch") for nth in ("", ":2")
)

STORIES = (
    Story(
        "upload",
        _upload,
        ("receiving", "received_file", "file_kept", *_ENTRY, "row_committed", *_BELL),
        locked=("file_kept", *_ENTRY),
        by_a_person=True,
    ),
    Story(
        "arrive",
        _arrive,
        ("receiving:2", "received_file:3", "file_kept", *_ENTRY, "row_committed", "after_bell:2"),
        locked=("file_kept", *_ENTRY),
        by_a_person=True,
    ),
    Story(
        "ingest",
        _ingest,
        (
            "lease_taken",
            *_STAGES,
            "before_parsing",
            "after_parsing",
            *_EMBEDDING,
            "before_upsert",
            "after_upsert",
            "upserted",
            *_ENTRY,
        ),
        locked=_ENTRY,
    ),
    Story(
        "company",
        _company,
        (
            "company_taken",
            "before_parsing:2",
            "after_parsing:3",
            "company_read",
            "company_split",
            # Batches of three: the third begins in one document and ends in the next; the seventh is of the last, which
            # is read while the first two are embedded.
            "after_embedding:3",
            "before_embedding:5",
            "embedding_batch:6",
            "company_embedded",
            "company_read:2",
            "company_split:2",
            "before_embedding:7",
            "company_embedded:2",
            "before_upsert",
            "after_upsert",
            "upserted",
            "company_indexed",
            *_ENTRY,
            "company_ready",
        ),
        # The third is read beside the thread that writes the first two.
        locked=("after_parsing:3", *_ENTRY),
    ),
    Story(
        "company-newer",
        _company_newer,
        (
            "company_split",
            "embedding_batch:7",
            "company_indexed",
            # All go to the index, and the new document answers, in one transaction; then each of the others by itself.
            "company_switched",
            "before_ready:2",
            "after_append:2",
            "after_ready",
            "after_unindexing",
            "company_ready",
        ),
        locked=("after_append:2", "after_unindexing"),
    ),
    Story(
        "apart",
        _apart,
        ("after_stored", "before_parsed", "after_parsed", "before_split", "after_split", "after_indexed"),
    ),
    Story(
        "replace",
        _replace,
        ("before_ready", *_ENTRY, "after_ready", "before_unindexing", "after_unindexing"),
        locked=(*_ENTRY, "before_unindexing", "after_unindexing"),
    ),
    Story("ask", _ask, (*_ENTRY, *_BELL), locked=_ENTRY, by_a_person=True),
    Story(
        "answer",
        _answer,
        (*_STEPS, *_ENTRY, "before_ending", "before_append:2", "after_append:2", "after_ending"),
        locked=(*_ENTRY, "before_append:2", "after_append:2"),
    ),
    Story("delete", _delete, (*_ENTRY, *_BELL), locked=_ENTRY, by_a_person=True),
    Story(
        "erase",
        _erase,
        (
            "before_erasing",
            "before_unindexing",
            "after_unindexing",
            "before_purge",
            "erased_vectors",
            "erased_files",
            *_ENTRY,
            "after_erasing",
        ),
        locked=_ENTRY,
    ),
    Story(
        "sync",
        _sync,
        (
            "source_listing",
            "source_listed",
            "source_item_brought",
            "source_item_brought:2",
            "source_before_removals",
            "source_item_removed",
            "source_before_end",
            "source_end_recorded",
        ),
        locked=("source_end_recorded",),
    ),
    Story(
        "sync-new",
        _sync_new,
        ("received_file:2", "file_kept", *_ENTRY, "source_items_brought"),
        locked=("file_kept", *_ENTRY),
    ),
    Story(
        "rebuild",
        _rebuild,
        ("before_drop", "after_drop", "before_upsert", "after_upsert", *_ENTRY),
        locked=_ENTRY,
        by_a_person=True,
    ),
    Story(
        "reembed",
        _reembed,
        (
            # The first time it is asked for the sentence by which its model is known again.
            "before_embedding",
            "before_embedding:2",
            "after_embedding:2",
            "space_batch",
            "after_embedding:4",
            "space_batch:4",
            "before_upsert",
            "after_upsert",
            "space_indexed",
            *_ENTRY,
        ),
        locked=_ENTRY,
    ),
    Story("switch", _switch, _ENTRY, locked=_ENTRY, by_a_person=True),
    Story(
        "drop",
        _drop_space,
        (
            "before_drop",
            "after_drop",
            "space_collection_dropped",
            "space_vectors_dropped",
            "space_vectors_dropped:3",
            *_ENTRY,
        ),
        locked=_ENTRY,
    ),
)

#: Worlds of other tests, without an act of their own.
SCENES = (
    Story("empty", lambda stage: ("", {}), ()),
    Story("many", _many, ()),
    Story("editions", _editions, ()),
    Story("large", _large, ()),
)
