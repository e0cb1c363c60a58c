"""Which actions people hold where: what roles and grants give, less what never rules take away.

The rule is written once, as rows of person, workspace, role and action; one person's rights and the sets of people
and workspaces are filters over the same rows. It is plain SQL, because it runs with every request and every search,
and having it built anew took longer than running it. Only `workspaces/access.py` asks here.
"""

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Func, OuterRef, UUIDField, Value

_HELD = """
    SELECT place.user_id AS person, given.workspace_id AS workspace, given.role, permission.codename AS action
    FROM workspaces_membership place
    JOIN workspaces_workspacerole given ON given.group_id = place.group_id
    JOIN workspaces_workspacegroupgrant holds
        ON holds.group_id = given.group_id AND holds.content_object_id = given.workspace_id
    JOIN auth_permission permission ON permission.id = holds.permission_id
    WHERE NOT EXISTS (
        SELECT FROM workspaces_customrole made WHERE made.code = given.role AND made.retired_at IS NOT NULL
    ) AND NOT EXISTS (
        SELECT FROM workspaces_rolebar bar
        WHERE bar.workspace_id = given.workspace_id AND bar.role IN ('', given.role) AND (
            bar.user_id = place.user_id
            OR bar.group_id IN (SELECT group_id FROM workspaces_membership WHERE user_id = place.user_id)
        )
    )
    UNION ALL
    SELECT direct.user_id, direct.content_object_id, NULL, permission.codename
    FROM workspaces_workspaceusergrant direct
    JOIN auth_permission permission ON permission.id = direct.permission_id
    WHERE NOT EXISTS (
        SELECT FROM workspaces_rolebar bar
        WHERE bar.workspace_id = direct.content_object_id AND bar.role = '' AND (
            bar.user_id = direct.user_id
            OR bar.group_id IN (SELECT group_id FROM workspaces_membership WHERE user_id = direct.user_id)
        )
    )
"""
_ACTIONS = f"SELECT action FROM ({_HELD}) held WHERE person = %s AND workspace = %s"  # noqa: S608 (ours alone)


def held(person: UUID, workspace: UUID) -> frozenset[str]:
    """The actions one person holds in one workspace. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTIONS, [person, workspace])
        return frozenset(action for (action,) in cursor.fetchall())


def workspaces(person: UUID, action: str) -> Func:
    """The ids of the workspaces where one person holds `action`, for an `__in`."""
    # An array, so that the rows are found once for a statement. The database guesses them to be one and else found them
    # again for each draft of 50,000.
    return _Rows(person, Value(action), template=f"(SELECT unnest(ARRAY{_rows('workspace', 'person', 'action')}))")


def people(workspace: UUID | OuterRef, action: str) -> Func:
    """The ids of the people who hold `action` in a workspace, for an `__in`."""
    return _Rows(workspace, Value(action), template=_rows("person", "workspace", "action"))


def holders(workspace: UUID, role: str) -> Func:
    """The ids of the people who hold `role` in a workspace and are not barred from it, for an `__in`."""
    return _Rows(workspace, Value(role), template=_rows("person", "workspace", "role"))


class _Rows(Func):
    """A column of the rows, where two others have the values given."""

    output_field = UUIDField()
    arg_joiner = ", "

    def __init__(self, place: UUID | OuterRef | F, code: Value, **options: Any) -> None:
        given = Value(place, output_field=UUIDField()) if isinstance(place, UUID) else place
        super().__init__(given, code, **options)


def _rows(column: str, first: str, second: str) -> str:
    return f"(SELECT {column} FROM ({_HELD}) held WHERE ({first}, {second}) = (%(expressions)s))"  # noqa: S608 (ours alone)
