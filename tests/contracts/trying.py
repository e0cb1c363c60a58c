"""Try an act and say what it did: which rows changed, what the trail says, which fields of the form were read."""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.messages import get_messages
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.http import HttpResponse, QueryDict
from django.urls import URLPattern, URLResolver, get_resolver

from audit import timeline
from audit.models import Event
from tests.contracts.world import World

#: How much was tried, for `python -m tests.contracts`.
TRIED: Counter[str] = Counter()

UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
#: A code of ours, or a date as machines write it, in a sentence for people.
_RAW = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b|\b\d{4}-\d\d-\d\d\b")
#: What every request may touch: the trail itself, and when a session was last used.
_NOT_COMPARED = {"audit_event", "audit_chainhead", "django_session", "usersessions_usersession"}


# --- Rows ---------------------------------------------------------------------------------------------------

_MARK = "SELECT '{name}', count(*) || ':' || coalesce(sum(hashtextextended({row}::text, 0)), 0) FROM {table} t"
#: How often rows of a table were written in this transaction, what was rolled back in it included.
_WRITTEN = """
SELECT relname, pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
    + pg_stat_get_xact_tuples_deleted(oid)
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
#: Of sessions, which there are and whose.
_SESSIONS = "sessions", "(id, session_key, user_id)", "usersessions_usersession"


@dataclass
class _Beginning:
    marks: dict[str, str]
    written: dict[str, int]


_beginnings: list[_Beginning] = []


def rows() -> dict[str, str]:
    """A fingerprint of every table; within `beginning_with` of those nobody wrote to since, the one given there."""
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} - _NOT_COMPARED
    marked = [(table, "t", table) for table in sorted(tables)] + [_SESSIONS]
    if not _beginnings:
        return _marks(marked)
    beginning, written = _beginnings[-1], _written()
    stirred = [mark for mark in marked if written[mark[2]] != beginning.written[mark[2]]]
    return beginning.marks | _marks(stirred)


@contextmanager
def beginning_with(marks: dict[str, str]) -> Iterator[None]:
    """The tables are now as `marks` says: while this lasts, `rows` reads only those that were written to meanwhile.

    Reading all of them is half of the database's work in a sweep. The caller holds one transaction around all of it.
    """
    _beginnings.append(_Beginning(marks, _written()))
    try:
        yield
    finally:
        _beginnings.pop()


def _marks(marked: list[tuple[str, str, str]]) -> dict[str, str]:
    if not marked:
        return {}
    parts = [_MARK.format(name=name, row=row, table=table) for name, row, table in marked]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


def _written() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(_WRITTEN)
        return dict(cursor.fetchall())


def changed(before: dict[str, str]) -> list[str]:
    """The tables that are not as they were."""
    return [table for table, mark in rows().items() if mark != before.get(table)]


# --- The trail ----------------------------------------------------------------------------------------------

_TRIGGER = """
CREATE FUNCTION refuse_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('tests.refuse_entries', true) = 'on' THEN RAISE EXCEPTION 'no entry can be written'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refuse_entries BEFORE INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION refuse_entries();
"""


def install_refusal() -> None:
    """Give the trail a trigger that refuses entries while `refuse_entries` says so; goes with its transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIGGER)


def refuse_entries() -> None:
    """From here to the end of the savepoint the database takes no entry."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('tests.refuse_entries', 'on', true)")


def entries_since(seen: set[Any]) -> list[dict[str, Any]]:
    """What was written to the trail that was not there before, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM audit_event WHERE id <> ALL(%s) ORDER BY chain, seq", [list(seen)])
        return [json.loads(body) for (body,) in cursor.fetchall()]


def raw_codes(told: list[dict[str, Any]]) -> list[str]:
    """The sentences of these entries that show a code of ours, or a date as machines write it, and the settings that
    they say were changed without words for them.
    """
    events = [
        Event(type=one["type"], actor_id=one["actor_id"], actor_label="–", object_label="–", body=json.dumps(one))
        for one in told
    ]
    unnamed = [
        f"{event.type}: {name}"
        for event in events
        for name in timeline.changed_by(event)
        if (event.type, name) not in timeline.spoken_settings
    ]
    # What stands in quotation marks is what people called something.
    return unnamed + [said for said in map(timeline.sentence, events) if _RAW.search(re.sub("“[^”]*”", "", said))]


def entries() -> set[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM audit_event")
        return {pk for (pk,) in cursor.fetchall()}


# --- Requests -----------------------------------------------------------------------------------------------


#: Stands among the fields that were read for a view that goes through all there are.
WHOLE = "every field"


@dataclass
class Outcome:
    """What came of one request."""

    response: HttpResponse
    changed: list[str]
    entries: list[dict[str, Any]]
    read: set[str]

    @property
    def told(self) -> list[tuple[str, str]]:
        """What the person was told, as level and sentence; ids stand for all ids."""
        request = self.response.wsgi_request
        return [(message.level_tag, UUID.sub("#", str(message))) for message in get_messages(request)]

    @property
    def is_refused(self) -> bool:
        """The person learns that it was not done."""
        levels = {level for level, _sentence in self.told}
        if "success" in levels:
            return False
        context = getattr(self.response, "context", None)
        form_errors = bool(context and "errors" in context and context["errors"])  # a form of the admin, shown again
        return self.response.status_code >= 400 or "error" in levels or form_errors

    @property
    def answer(self) -> tuple[Any, ...]:
        """What two requests have in common that are answered alike."""
        return self.response.status_code, UUID.sub("#", self.response.headers.get("Location", "")), self.told

    def denials(self, user: Any) -> list[dict[str, Any]]:
        return [one for one in self.entries if one["type"] == "access.denied" and one["actor_id"] == str(user.pk)]


class _ReadPost(QueryDict):
    """A form that remembers which of its fields were asked for."""

    noted: set[str]

    def __getitem__(self, key: str) -> Any:
        self.noted.add(UUID.sub("#", key))
        return super().__getitem__(key)

    def _getlist(self, key: str, *args: Any, **kwargs: Any) -> Any:
        self.noted.add(UUID.sub("#", key))
        return super()._getlist(key, *args, **kwargs)

    def __contains__(self, key: object) -> bool:
        self.noted.add(UUID.sub("#", str(key)))
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        # Every request is looked through for characters that no text has; that is no use of a field.
        if sys._getframe(1).f_globals["__name__"] != "inlock.characters":
            self.noted.add(WHOLE)
        return super().__iter__()

    def lists(self) -> Any:
        if sys._getframe(1).f_globals["__name__"] != "inlock.characters":
            self.noted.add(WHOLE)
        return super().lists()


@contextmanager
def noting_fields() -> Iterator[set[str]]:
    """The names of the fields that views read from the body, while this lasts."""
    noted: set[str] = set()
    plain = WSGIRequest.POST

    def read(request: Any) -> QueryDict:
        sent = plain.fget(request)
        kept = request.__dict__.setdefault("_noting", {})
        if id(sent) not in kept:
            copy = _ReadPost("", mutable=True)
            copy.noted = noted
            for key, values in sent.lists():
                dict.__setitem__(copy, key, list(values))
            copy._mutable = False
            kept[id(sent)] = copy
        return kept[id(sent)]

    WSGIRequest.POST = property(read, plain.fset)
    try:
        yield noted
    finally:
        WSGIRequest.POST = plain


def send(world: World, who: str | None, method: str, path: str, sent: dict[str, Any], **options: Any) -> Outcome:
    """One request of `who`, and what it did; the caller undoes it."""
    client = options.pop("client", None) or world.client(who)
    before, seen = options.pop("before", None) or rows(), entries()
    with noting_fields() as read:
        response = getattr(client, method)(path, sent, **options)
        if getattr(response, "streaming", False):
            b"".join(response.streaming_content)
    return Outcome(response, changed(before), entries_since(seen), set(read))


# --- Addresses ----------------------------------------------------------------------------------------------


def patterns(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the portal and its admin, with its full name; the API's are operations, see `tests/api`."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            if entry.app_name != "ninja":
                yield from patterns(entry, f"{entry.namespace}:" if entry.namespace else namespace)
        else:
            yield f"{namespace}{entry.name or ''}", entry


def view_of(name: str) -> Any:
    """The view behind a name."""
    return next(pattern.callback for found, pattern in patterns() if found == name)
