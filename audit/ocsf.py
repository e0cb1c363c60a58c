"""Entries of the trail as events of the Open Cybersecurity Schema Framework, version 1.3.0.

Four classes of its category Identity & Access Management: Account Change (3001), Authentication (3002), User Access
Management (3005), and Entity Management (3004) for everything else. What has no attribute there stands in `unmapped`.
"""

from typing import Any

from audit.events import EventType
from audit.models import Event

VERSION = "1.3.0"
_CATEGORY = 3
_ACCOUNT_CHANGE, _AUTHENTICATION, _ENTITY_MANAGEMENT, _USER_ACCESS = 3001, 3002, 3004, 3005
_CREATE, _READ, _UPDATE, _DELETE, _OTHER = 1, 2, 3, 4, 99
_INFORMATIONAL, _MEDIUM = 1, 3
_SUCCESS, _FAILURE = 1, 2

#: event type → (class, activity). What is not listed is an entity's event of another kind, under its own name.
CLASSES: dict[str, tuple[int, int]] = {
    EventType.USER_CREATED: (_ACCOUNT_CHANGE, 1),
    EventType.USER_CHANGED: (_ACCOUNT_CHANGE, _OTHER),
    EventType.FACTOR_ADDED: (_ACCOUNT_CHANGE, 10),
    EventType.FACTOR_REMOVED: (_ACCOUNT_CHANGE, 11),
    EventType.USER_SIGNED_IN: (_AUTHENTICATION, 1),
    EventType.SIGN_IN_FAILED: (_AUTHENTICATION, 1),
    EventType.SIGN_IN_THROTTLED: (_AUTHENTICATION, 1),
    EventType.RECOVERY_CODE_USED: (_AUTHENTICATION, _OTHER),
    EventType.USER_SIGNED_OUT: (_AUTHENTICATION, 2),
    EventType.SESSION_ENDED: (_AUTHENTICATION, 2),
    EventType.MEMBER_ADDED: (_USER_ACCESS, 1),
    EventType.MEMBER_REMOVED: (_USER_ACCESS, 2),
    EventType.WORKSPACE_CREATED: (_ENTITY_MANAGEMENT, _CREATE),
    EventType.WORKSPACE_CHANGED: (_ENTITY_MANAGEMENT, _UPDATE),
    EventType.DOCUMENT_ADDED: (_ENTITY_MANAGEMENT, _CREATE),
    EventType.VERSION_RECEIVED: (_ENTITY_MANAGEMENT, _CREATE),
    EventType.DOCUMENT_DELETED: (_ENTITY_MANAGEMENT, _DELETE),
    EventType.DOCUMENT_ERASED: (_ENTITY_MANAGEMENT, _DELETE),
    EventType.DOCUMENT_RESTRICTED: (_ENTITY_MANAGEMENT, _UPDATE),
    EventType.DOCUMENT_UNRESTRICTED: (_ENTITY_MANAGEMENT, _UPDATE),
    EventType.DOCUMENT_GRANTED: (_ENTITY_MANAGEMENT, _UPDATE),
    EventType.DOCUMENT_REVOKED: (_ENTITY_MANAGEMENT, _UPDATE),
    EventType.DOCUMENT_OPENED: (_ENTITY_MANAGEMENT, _READ),
    EventType.VERSIONS_COMPARED: (_ENTITY_MANAGEMENT, _READ),
    EventType.ORIGINAL_DOWNLOADED: (_ENTITY_MANAGEMENT, _READ),
    EventType.QUESTION_ASKED: (_ENTITY_MANAGEMENT, _CREATE),
    EventType.ANSWER_READ: (_ENTITY_MANAGEMENT, _READ),
    EventType.SEARCHED: (_ENTITY_MANAGEMENT, _READ),
    EventType.DRAFT_OPENED: (_ENTITY_MANAGEMENT, _READ),
    EventType.DRAFT_EDITED: (_ENTITY_MANAGEMENT, _UPDATE),
    EventType.ENDPOINT_CHANGED: (_ENTITY_MANAGEMENT, _UPDATE),
    EventType.RIGHTS_READ: (_ENTITY_MANAGEMENT, _READ),
    EventType.TRAIL_READ: (_ENTITY_MANAGEMENT, _READ),
    EventType.TRAIL_EXPORTED: (_ENTITY_MANAGEMENT, _READ),
}
_FAILED = {EventType.SIGN_IN_FAILED, EventType.SIGN_IN_THROTTLED, EventType.ACCESS_DENIED, EventType.ANSWER_FAILED}


def event_of(event: Event, content: dict[str, Any]) -> dict[str, Any]:
    """The entry as an OCSF event; `content` is what its body says."""
    kind, activity = CLASSES.get(event.type, (_ENTITY_MANAGEMENT, _OTHER))
    has_failed = event.type in _FAILED
    details = content.get("details") or {}
    return {
        "category_uid": _CATEGORY,
        "class_uid": kind,
        "activity_id": activity,
        "activity_name": event.type,
        "type_uid": kind * 100 + activity,
        "time": int(event.at.timestamp() * 1000),
        "severity_id": _MEDIUM if has_failed or event.type == EventType.BREAK_GLASS else _INFORMATIONAL,
        "status_id": _FAILURE if has_failed else _SUCCESS,
        "message": event.get_type_display(),
        "comment": content.get("reason", ""),
        "metadata": {
            "version": VERSION,
            "product": {"name": "Inlock", "vendor_name": "Inlock"},
            "uid": str(event.id),
            "sequence": event.seq,
            "event_code": event.type,
            "correlation_uid": event.request_id,
            "log_name": event.chain,
        },
        "actor": {"user": {"uid": event.actor_id, "name": event.actor_label}},
        **_subject(kind, event, details),
        "unmapped": {"details": details, "hash": event.hash, "prev_hash": event.prev_hash},
    }


def _subject(kind: int, event: Event, details: dict[str, Any]) -> dict[str, Any]:
    """Whom or what it happened to, in the attributes that the class asks for."""
    thing = {"uid": event.object_id, "name": event.object_label}
    if kind == _ENTITY_MANAGEMENT:
        return {"entity": thing | {"type": event.object_type or "trail"}}
    user = thing if event.object_type == "workspaces.user" else {"uid": event.actor_id, "name": event.actor_label}
    if kind == _USER_ACCESS:
        return {"user": user, "privileges": [str(details.get("role", ""))]}
    if kind == _AUTHENTICATION:
        return {"user": user, "service": {"name": "Inlock"}}
    return {"user": user}
