"""The only writer of the trail.

A protected act calls `record` inside its own transaction; when the entry cannot be written, the act did not happen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from audit import chain, context
from audit.events import EventType
from audit.exceptions import AuditError
from audit.models import Event

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to record: what happened, to which object, with which details (ids, counts, hashes; never text)."""

    type: EventType
    on: models.Model | None = None
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def record(
    type: EventType,
    *,
    on: models.Model | None = None,
    workspace: object = None,
    by: Any = None,
    reason: str = "",
    **details: Any,
) -> Event:
    """Append one entry to the workspace's chain, or to the platform's when there is no workspace.

    `by` defaults to whoever is acting (see `audit.context`), else the system. Raises AuditError for an
    unknown type, a detail that is not plain data, or a call outside a transaction.
    """
    return record_all([Entry(type, on, reason, details)], workspace=workspace, by=by)[0]


def record_all(entries: Sequence[Entry], *, workspace: object = None, by: Any = None) -> list[Event]:
    """Append several entries of one act to one chain under one lock, in order."""
    acting = context.current()
    actor = _actor(by, acting)
    bodies = [_body(entry, actor, acting) for entry in entries]
    workspace_id = getattr(workspace, "pk", workspace)
    name = chain.workspace_chain(workspace_id) if workspace_id else chain.PLATFORM
    return chain.append(name, bodies)


def _actor(by: Any, acting: context.Acting) -> Any:
    """Whoever looks at the portal as another person is the one who acts."""
    actor = by if by is not None else acting.by
    if acting.viewer is not None and getattr(actor, "pk", None) == getattr(acting.by, "pk", None):
        return acting.viewer
    return actor


def record_in(name: str, type: EventType, **details: Any) -> Event:
    """Append one entry about the chain called `name` to that chain."""
    acting = context.current()
    return chain.append(name, [_body(Entry(type, details=details), acting.by, acting)])[0]


def _body(entry: Entry, actor: Any, acting: context.Acting) -> dict[str, Any]:
    try:
        type = EventType(entry.type)
    except ValueError as error:
        raise AuditError(f"{entry.type!r} is not an event type: declare it in audit/events.py.") from error
    body: dict[str, Any] = {
        "type": type.value,
        "actor_id": "" if actor is None else str(actor.pk),
        "actor_label": SYSTEM if actor is None else str(actor.get_username())[:200],
        "request_id": acting.request_id[:64],
        "reason": entry.reason or acting.reason,
        "details": {key: _plain(value) for key, value in {**acting.part_of, **entry.details}.items()},
    }
    if acting.scope is not None and acting.scope.token:
        body["details"]["token"] = acting.scope.token
    if acting.viewer is not None and acting.by is not None:
        body["details"]["viewing_as"] = str(acting.by.pk)
    if entry.on is not None:
        body |= {
            "object_type": entry.on._meta.label_lower,
            "object_id": str(entry.on.pk),
            "object_label": str(entry.on)[:300],
        }
    return body


def _plain(value: Any) -> Any:
    """`value` as JSON can carry it: ids and times become text, containers are walked."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        raise AuditError("An audit entry holds no floating-point numbers: write them as text.")
    return str(value)
