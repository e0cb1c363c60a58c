"""What a notice says to its reader now: names and links only while they may see the thing, on the page and in mails."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from workspaces import access
from workspaces.models import Notification, User, Workspace
from workspaces.notifications.registry import Kind, description_of


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as its reader sees it. Without the right to the thing there is the sentence of its kind and no more."""

    notification: Notification
    name: str
    #: The path of the thing's page; "" where there is none for this person.
    address: str
    workspace: str
    by: str
    #: Whether the thing may still be seen; only then anything of it is mailed.
    is_open: bool
    name_in_mail: bool
    #: It called for something that is done by now.
    is_over: bool = False

    @property
    def sentence(self) -> str:
        """What happened, in the language that is active."""
        kind = self.notification.kind
        return str(Kind(kind).label) if kind in Kind.values else kind

    @property
    def is_read(self) -> bool:
        return self.notification.read_at is not None


def tell(notifications: Iterable[Notification], *, to: User) -> list[Told]:
    """The notices as `to` may read them at this moment, in the order given. One query for each model of thing."""
    notices = list(notifications)
    things = _things(notices, to)
    ids = {notice.workspace_id for notice in notices if notice.workspace_id}
    names = dict(access.visible(to, Workspace).filter(pk__in=ids).values_list("pk", "name")) if ids else {}
    return [_told(notice, things, names) for notice in notices]


def _told(notice: Notification, things: dict[tuple[str, Any], Any], names: dict[UUID, str]) -> Told:
    thing, description = things.get((notice.about_type, notice.about_id)), description_of(notice.about_type)
    is_open = thing is not None and description is not None
    return Told(
        notice,
        name=description.name(thing) if is_open and description else "",
        address=description.address_for(notice.kind, thing) if is_open and description else "",
        workspace=names.get(notice.workspace_id, "") if notice.workspace_id else "",
        by=notice.by.name if notice.by and is_open else "",
        is_open=is_open or not notice.about_type,
        name_in_mail=bool(description and description.name_in_mail),
        is_over=bool(is_open and description and description.is_over(notice.kind, thing)),
    )


def _things(notices: list[Notification], to: User) -> dict[tuple[str, Any], Any]:
    """The things `to` may see now, by label and id."""
    wanted: dict[str, set[Any]] = defaultdict(set)
    for notice in notices:
        wanted[notice.about_type].add(notice.about_id)
    found = {}
    for label, ids in wanted.items():
        description = description_of(label)
        if description is None:
            continue
        rows = description.prepared(access.visible(to, description.model).filter(pk__in=ids))
        found |= {(label, thing.pk): thing for thing in rows}
    return found
