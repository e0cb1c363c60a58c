"""Keyword search (BM25) over a workspace's passages: the only door to tantivy.

A replica is a directory on this host, fed from the database and thrown away
without loss: it is brought up to date before it is searched, and rebuilt when it
is missing, damaged or made by another analyser.
"""

import fcntl
import json
import math
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from documents import analysis

if TYPE_CHECKING:
    import tantivy

#: What `sync` is fed: passage id, version id, words.
Entry = tuple[str, str, Sequence[str]]
Loader = Callable[[set[str]], Iterable[Entry]]
#: A searched word, or the several forms it may be stored in.
Word = str | tuple[str, ...]

#: Raise the first number when what is fed to a replica changes: those made before are rebuilt.
_MAKER = f"2/{analysis.VERSION}"
_WRITER_MEMORY = 64 * 1024 * 1024


class ReplicaDamaged(Exception):
    """The keyword index on this host cannot be read; `sync` rebuilds it."""


@dataclass(frozen=True)
class _State:
    """What the replica holds, written after the index and read before it."""

    maker: str
    revision: int
    versions: frozenset[str]
    generation: str
    files: dict[str, int]

    def dump(self) -> str:
        return json.dumps(vars(self) | {"versions": sorted(self.versions)})

    @classmethod
    def load(cls, text: str) -> "_State":
        fields = json.loads(text)
        return cls(**fields | {"versions": frozenset(fields["versions"])})


class Replica:
    """The keyword index of one workspace in `directory`; processes share it through the file system."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._seen: tuple[int, int] | None = None
        self._state: _State | None = None
        self._searcher: tantivy.Searcher | None = None
        self._schema = _schema()
        self._noticing = threading.Lock()

    @property
    def revision(self) -> int | None:
        """The revision the replica stands at, or None when there is no readable replica."""
        self._refresh()
        return self._state.revision if self._state else None

    def sync(self, revision: int, versions: Collection[str], load: Loader) -> None:
        """Bring the replica to exactly `versions`; `load` yields the passages of those it lacks."""
        if self.revision == revision:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        with _locked(self.directory / "lock"):
            # Another process may have done the work while this one waited.
            if self.revision != revision:
                self._write(revision, frozenset(versions), load, old=self._state)
        self._refresh()

    def rebuild(self, revision: int, versions: Collection[str], load: Loader) -> None:
        """As `sync`, into fresh files, so that no word of what is gone stays on the disk. Searches go on meanwhile."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with _locked(self.directory / "lock"):
            self._write(revision, frozenset(versions), load, old=None)
        self._refresh()

    def search(
        self, words: Sequence[Word], n: int, *, versions: Collection[str] | None = None
    ) -> list[tuple[str, float]]:
        """The best `n` passage ids with their BM25 scores, best first; any of the words may match.

        `versions` restricts the search to their passages. Raises ReplicaDamaged.
        """
        import tantivy

        searcher = self._open()
        if not words or n < 1 or not searcher.num_docs:
            return []
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, self._either(word)) for word in words])
        if versions is not None:
            among = tantivy.Query.term_set_query(self._schema, "version", sorted(versions))
            required = [query, tantivy.Query.const_score_query(among, 0.0)]
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, each) for each in required])
        try:
            hits = searcher.search(query, limit=n, count=False).hits
            return [(searcher.doc(address)["id"][0], score) for score, address in hits]
        except (OSError, ValueError) as error:
            self._state_file.unlink(missing_ok=True)
            raise ReplicaDamaged("The keyword index on this host is damaged.") from error

    def weights(self, words: Sequence[Word]) -> list[float]:
        """How rare each word is here (BM25's inverse document frequency): 0 for a word in every passage."""
        searcher = self._open()
        count = searcher.num_docs
        found = [max(searcher.doc_freq("words", form) for form in _forms(word)) for word in words]
        # Deleted passages count until their segment is merged away, so a frequency may exceed the count.
        return [math.log1p(max(0.0, count - df + 0.5) / (df + 0.5)) for df in found]

    def _either(self, word: Word) -> "tantivy.Query":
        import tantivy

        terms = [tantivy.Query.term_query(self._schema, "words", form, "freq") for form in _forms(word)]
        return terms[0] if len(terms) == 1 else tantivy.Query.disjunction_max_query(terms)

    def _open(self) -> "tantivy.Searcher":
        self._refresh()
        searcher = self._searcher
        if searcher is None:
            raise ReplicaDamaged("The keyword index on this host is missing or damaged.")
        return searcher

    def _refresh(self) -> None:
        """Notice what any process wrote since; afterwards state and searcher are both there or both None."""
        with self._noticing:
            try:
                stat = self._state_file.stat()
            except FileNotFoundError:
                self._seen = self._state = self._searcher = None
                return
            if self._seen == (stat.st_ino, stat.st_mtime_ns):
                return
            self._state, self._searcher = self._read()
            self._seen = stat.st_ino, stat.st_mtime_ns

    def _read(self) -> "tuple[_State, tantivy.Searcher] | tuple[None, None]":
        import tantivy

        try:
            state = _State.load(self._state_file.read_text())
            # A file cut short under a memory map kills the process that reads it, so sizes are checked first.
            if state.maker != _MAKER or _sizes(self.directory / state.generation) != state.files:
                return None, None
            index = tantivy.Index.open(str(self.directory / state.generation))
            index.config_reader(reload_policy="manual", num_warmers=0)
            index.reload()
            return state, index.searcher()
        except (OSError, ValueError, TypeError, KeyError):
            return None, None

    def _write(self, revision: int, versions: frozenset[str], load: Loader, *, old: _State | None) -> None:
        import tantivy

        generation = old.generation if old else f"index-{uuid.uuid4().hex[:8]}"
        home = self.directory / generation
        held = old.versions if old else frozenset()
        missing = set(versions - held)
        if missing or held - versions or not old:
            home.mkdir(exist_ok=True)
            index = tantivy.Index.open(str(home)) if old else tantivy.Index(self._schema, path=str(home))
            writer = index.writer(heap_size=_WRITER_MEMORY, num_threads=1)
            # What is missing is deleted too: a process killed before it wrote the state left it half added.
            for version in (held - versions) | missing:
                writer.delete_documents_by_term("version", version)
            for passage, version, words in load(missing) if missing else ():
                writer.add_document(tantivy.Document(id=passage, version=version, words=" ".join(words)))
            writer.commit()
            writer.wait_merging_threads()
            del writer, index
        self._publish(_State(_MAKER, revision, versions, generation, _sizes(home)))
        self._remove_others(generation)

    def _publish(self, state: _State) -> None:
        fresh = self.directory / "state.new"
        fresh.write_text(state.dump())
        fresh.replace(self._state_file)

    def _remove_others(self, generation: str) -> None:
        for other in self.directory.glob("index-*"):
            if other.name != generation:
                # A reader of the old generation keeps its open files until it looks again.
                shutil.rmtree(other, ignore_errors=True)

    @property
    def _state_file(self) -> Path:
        return self.directory / "state.json"


def _schema() -> "tantivy.Schema":
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("version", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("words", tokenizer_name="whitespace", index_option="freq")
    return builder.build()


def _forms(word: Word) -> tuple[str, ...]:
    return (word,) if isinstance(word, str) else word


def _sizes(directory: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in directory.iterdir() if not file.name.startswith(".")}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
