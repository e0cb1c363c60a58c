"""Look for copies of an erased text wherever the portal keeps bytes: tables, files, replicas, Chroma, Valkey, logs.

Nothing here knows where a copy ought to be: every text column of every table and every file below `var/` is read, so
that a feature which forgot to clean up is found by what it left. PostgreSQL's own files are read through its tables.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from psycopg import sql

from documents.deletion.probes import Probes
from documents.indexing import files as index_files
from documents.indexing import vectors
from documents.models import Deletion, Version
from documents.states import VersionState
from documents.viewer import slides

_CHUNK = 8 * 1024 * 1024
_TIMEOUT = 10.0
#: Directories below `var/` and what they are; PostgreSQL's is read through its tables.
_PLACES = {"chroma": "index", "keywords": "keywords", "valkey": "broker_files", "log": "logs"}
_SKIPPED = {"postgresql", "engines", "static"}
_TEXT = "'text', 'character varying', 'character', 'json', 'jsonb', 'bytea', 'ARRAY'"
#: Bytes that are numbers, and by far the most of them.
_NUMBERS = {("documents_embedding", "vector"), ("documents_sketch", "hashes"), ("documents_sketch", "bands")}
_COUNTS = (
    sql.SQL("count(*) FILTER (WHERE {}::text LIKE ANY(%(p)s))"),
    sql.SQL("count(*) FILTER (WHERE EXISTS (SELECT FROM unnest(%(b)s::bytea[]) one WHERE position(one IN {}) > 0))"),
)


@dataclass(slots=True)
class Looked:
    """One place that was looked into: `what` says how much of it there was, `found` where something still is."""

    place: str
    what: int = 0
    #: Name of a column, file or key → how many of the probes stand there.
    found: dict[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(self.found.values())


@dataclass(frozen=True, slots=True)
class Search:
    """What a search for one deletion's probes came to."""

    places: list[Looked]
    #: Probes looked for, by kind, and how many phrases, vectors and stored files were set aside because documents that
    #: are not erased, or kept names, have them too.
    probes: dict[str, int]
    set_aside: int
    #: Places outside of the portal's reach, by their codes.
    beyond: list[str]

    @property
    def is_clean(self) -> bool:
        return not any(looked.found for looked in self.places)

    def found_in(self, place: str) -> bool:
        return any(looked.found for looked in self.places if looked.place == place)

    def as_data(self) -> dict[str, Any]:
        """As a row and a receipt keep it."""
        return {
            "places": [asdict(looked) for looked in self.places],
            "probes": self.probes,
            "set_aside": self.set_aside,
            "beyond": self.beyond,
        }


def search(
    probes: Probes, *, but: Iterable[str] = (), names: Sequence[str] = (), renew: Callable[[], None] = lambda: None
) -> Search:
    """Look for `probes` everywhere. `but`: ids of the versions they were taken from; `names`: what is kept of them.

    `renew` is called again and again on the way: a search takes as long as there is to read.
    """
    standing = _kept(but)
    phrases = _telling(probes.phrases, standing, names)
    needles = _needles(phrases, probes)
    files, common, theirs = _files(needles, probes, standing, renew)
    places = [_database(phrases, renew), *files, _broker(needles, renew)]
    beyond = [
        code
        for code, ours in (
            ("chroma_files", settings.EMBEDDED_CHROMA),
            ("broker_files", settings.EMBEDDED_BROKER),
            ("object_store", isinstance(default_storage, FileSystemStorage)),
        )
        if not ours
    ]
    looked_for = probes.counts | {"phrases": len(phrases), "vectors": len(probes.vectors) - common}
    return Search(places, looked_for, len(probes.phrases) - len(phrases) + common + theirs, beyond)


def telling(phrases: Sequence[str], *, but: Iterable[str], names: Sequence[str]) -> list[str]:
    """The phrases that tell of a copy. `but` and `names` as for `search`.

    Those that stand in a version which was not deleted belong to it as well, and those in a title, path or file name
    are kept with it on purpose: they prove nothing.
    """
    return _telling(phrases, _standing(but), names)


def _standing(but: Iterable[str]) -> QuerySet[Version]:
    """The versions that were not deleted, without those with the ids of `but`."""
    there = Version.objects.filter(document__deleted_at=None).exclude(state=VersionState.DELETED)
    return there.exclude(pk__in=set(but)).order_by()


def _kept(but: Iterable[str]) -> QuerySet[Version]:
    """The versions whose bytes are kept by right, without those with the ids of `but`: whose erasing has not begun.

    What waits in the bin, or is kept from erasing by a legal hold, is no trace of another document with the same
    bytes. Once its own erasing has begun it is, and its own search looks for the same.
    """
    whole = Q(version=None) | Q(version=OuterRef("pk"))
    begun = Deletion.objects.filter(whole, document=OuterRef("document"), restored_at=None, begun_at__isnull=False)
    return Version.objects.filter(~Exists(begun)).exclude(pk__in=set(but)).order_by()


def _telling(phrases: Sequence[str], standing: QuerySet[Version], names: Sequence[str]) -> list[str]:
    elsewhere = _also_in(standing, phrases)
    return [phrase for phrase in phrases if phrase not in elsewhere and not any(phrase in name for name in names)]


# --- The database -------------------------------------------------------------------------------------------


def _also_in(standing: QuerySet[Version], phrases: Sequence[str]) -> set[str]:
    if not phrases:
        return set()
    query, arguments = standing.values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT phrase FROM unnest(%s::text[]) AS phrase WHERE EXISTS (SELECT 1 FROM documents_version AS version "  # noqa: S608 (ours alone)
            f"WHERE version.id IN ({query}) AND position(phrase IN version.text) > 0)",
            [list(phrases), *arguments],
        )
        return {row[0] for row in cursor.fetchall()}


def _database(phrases: Sequence[str], renew: Callable[[], None]) -> Looked:
    """Every column that can hold text of every table, as it can be read by SQL: what a dump would hold."""
    looked = Looked("database")
    sought = {"p": [f"%{_literally(phrase)}%" for phrase in phrases], "b": [phrase.encode() for phrase in phrases]}
    with connection.cursor() as cursor:
        for table, columns in _columns(cursor).items():
            looked.what += len(columns)
            if not phrases:
                continue
            renew()
            counts = sql.SQL(", ").join(
                _COUNTS[kind == "bytea"].format(sql.Identifier(column)) for column, kind in columns.items()
            )
            cursor.execute(sql.SQL("SELECT {} FROM {}").format(counts, sql.Identifier(table)).as_string(), sought)
            for column, count in zip(columns, cursor.fetchone() or (), strict=True):
                if count:
                    looked.found[f"{table}.{column}"] = count
    return looked


def _columns(cursor: Any) -> dict[str, dict[str, str]]:
    """Table → column → type, of all that text can be in."""
    cursor.execute(
        "SELECT columns.table_name, column_name, data_type "  # noqa: S608 (ours alone)
        "FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name) "
        f"WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND data_type IN ({_TEXT}) "
        "ORDER BY columns.table_name, ordinal_position"
    )
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in cursor.fetchall():
        if (table, column) not in _NUMBERS:
            found.setdefault(table, {})[column] = kind
    return found


def _literally(phrase: str) -> str:
    return phrase.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


# --- Files --------------------------------------------------------------------------------------------------


def _needles(phrases: Sequence[str], probes: Probes) -> list[bytes]:
    """What is looked for in raw bytes: phrases as they are written, and as JSON writes them; parts of files; ids."""
    spelled = [phrase.encode() for phrase in phrases] + [json.dumps(phrase)[1:-1].encode() for phrase in phrases]
    return list(dict.fromkeys([*spelled, *probes.blobs, *(id.encode() for id in probes.passage_ids)]))


def _files(
    needles: Sequence[bytes], probes: Probes, standing: QuerySet[Version], renew: Callable[[], None]
) -> tuple[list[Looked], int, int]:
    """Every file of the installation on this host, by the place it belongs to, and how many vectors and files were set
    aside.
    """
    var, originals = Path(settings.VAR), Path(settings.MEDIA_ROOT)
    places = {name: Looked(name) for name in ("originals", *_PLACES.values(), "other_files")}
    for file in _walk(originals):
        renew()
        _look_into(file, originals, needles, places["originals"])
    theirs = _pass_over_their_own(places["originals"], originals, standing, renew)
    for entry in sorted(var.iterdir()) if var.is_dir() else ():
        if entry.name in _SKIPPED or entry == originals:
            continue
        place = places[_PLACES.get(entry.name, "other_files")]
        for file in _walk(entry) if entry.is_dir() else [entry]:
            if originals not in file.parents:
                renew()
                _look_into(file, var, needles, place)
    renew()
    held = index_files.vectors_held(probes.vectors)
    common = vectors.also_of(standing, held) if held else []
    if len(held) > len(common):
        places["index"].found["vectors"] = len(held) - len(common)
    return list(places.values()), len(common), theirs


def _pass_over_their_own(
    looked: Looked, originals: Path, standing: QuerySet[Version], renew: Callable[[], None]
) -> int:
    """Forget what was found in files of versions that are not erased: the bytes are theirs, as they were received.

    The same bytes anywhere else are a copy that nobody owns, and remain found. How many such files there were.
    """
    theirs = 0
    for version in standing.filter(file__in=list(looked.found)).only("file", "sha256"):
        renew()
        if _sha256(originals / str(version.file)) == version.sha256:
            del looked.found[str(version.file)]
            theirs += 1
            # Drawn from these bytes, of which pictures come through unchanged.
            looked.found.pop(slides.name_of(version), None)
    return theirs


def _sha256(file: Path) -> str:
    """The hash of the file; empty where it is gone by now."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _walk(place: Path) -> Iterator[Path]:
    if place.is_dir():
        yield from (path for path in sorted(place.rglob("*")) if path.is_file() and not path.is_symlink())


def _look_into(file: Path, root: Path, needles: Sequence[bytes], looked: Looked) -> None:
    longest = max(map(len, needles), default=1)
    found: set[bytes] = set()
    try:
        with file.open("rb") as stream:
            tail = b""
            while chunk := stream.read(_CHUNK):
                data = tail + chunk
                found.update(needle for needle in needles if needle not in found and needle in data)
                tail = data[-longest:]
    except FileNotFoundError:
        # Gone while we looked, as files of engines and half uploads go.
        return
    looked.what += 1
    if found:
        looked.found[str(file.relative_to(root))] = len(found)


# --- Valkey -------------------------------------------------------------------------------------------------


def _broker(needles: Sequence[bytes], renew: Callable[[], None]) -> Looked:
    """Everything that Valkey holds now: streams, messages, caches. Raises redis.RedisError when it does not answer."""
    looked = Looked("broker")
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT) as client:
        for key in client.scan_iter(count=1000):
            renew()
            looked.what += 1
            data = b"\0".join(_values(client, key))
            count = sum(needle in data for needle in needles)
            if count:
                looked.found[key.decode(errors="replace")[:200]] = count
    return looked


def _values(client: "redis.Redis", key: bytes) -> Iterator[bytes]:
    match client.type(key):
        case b"string":
            yield client.get(key) or b""
        case b"list":
            yield from client.lrange(key, 0, -1)
        case b"set":
            yield from client.smembers(key)
        case b"zset":
            yield from client.zrange(key, 0, -1)
        case b"hash":
            for name, value in client.hgetall(key).items():
                yield from (name, value)
        case b"stream":
            for _id, fields in client.xrange(key):
                for name, value in fields.items():
                    yield from (name, value)
