"""Which actions people hold where: what roles and grants give, less what never rules take away.

The rule is written once, as rows of person, workspace, role and action; one person's rights and the sets of people
and workspaces are filters over the same rows. It is plain SQL, because it runs with every request and every search,
and having it built anew took longer than running it. Only `workspaces/access.py` asks here.
"""

from collections.abc import Sequence
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import CharField, Func, OuterRef, UUIDField, Value

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
_ANYWHERE = f"SELECT DISTINCT action FROM ({_HELD}) held WHERE person = %s"  # noqa: S608 (ours alone)
_ACTIONS = f"SELECT action FROM ({_HELD}) held WHERE person = %s AND workspace = %s"  # noqa: S608 (ours alone)


def held(person: UUID, workspace: UUID) -> frozenset[str]:
    """The actions one person holds in one workspace. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTIONS, [person, workspace])
        return frozenset(action for (action,) in cursor.fetchall())


def held_anywhere(person: UUID) -> frozenset[str]:
    """The actions one person holds in any workspace. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_ANYWHERE, [person])
        return frozenset(action for (action,) in cursor.fetchall())


def held_by(person: str, workspace: str) -> Func:
    """As `held`, of the person and in the workspace that two fields of a row name: an array with the row."""
    rows = f"SELECT action FROM ({_HELD}) held WHERE (person, workspace) = (%(expressions)s)"  # noqa: S608 (ours alone)
    return Func(
        person,
        workspace,
        template=f"ARRAY({rows})",
        arg_joiner=", ",
        output_field=ArrayField(CharField(max_length=100)),
    )


def workspaces(person: UUID, action: str) -> Func:
    """The ids of the workspaces where one person holds `action`, for an `__in`."""
    # An array, so that the rows are found once for a statement. The database guesses them to be one and else found them
    # again for each draft of 50,000.
    rows = _Rows("workspace", of="person", where=person, having="action", codes=(action,))
    return Func(rows, template="(SELECT unnest(ARRAY%(expressions)s))", output_field=UUIDField())


def people(workspace: UUID | OuterRef, *actions: str) -> Func:
    """The ids of the people who hold each of `actions` in a workspace, for an `__in`."""
    return _Rows("person", of="workspace", where=workspace, having="action", codes=actions)


def holders(workspace: UUID, role: str) -> Func:
    """The ids of the people who hold `role` in a workspace and are not barred from it, for an `__in`."""
    return _Rows("person", of="workspace", where=workspace, having="role", codes=(role,))


class _Rows(Func):
    """One column of the rows whose column `of` is `where`, and which among them have each of `codes` as `having`."""

    output_field = UUIDField()
    arg_joiner = ", "

    def __init__(self, column: str, *, of: str, where: UUID | OuterRef, having: str, codes: Sequence[str]) -> None:
        place = Value(where, output_field=UUIDField()) if isinstance(where, UUID) else where
        rows = f"SELECT {column} FROM ({_HELD}) held WHERE ({of}, {having}) IN (%(expressions)s)"  # noqa: S608 (ours)
        if len(codes) > 1:
            rows += f" GROUP BY {column} HAVING count(DISTINCT {having}) = {len(set(codes))}"
        pairs = [Func(place, Value(code), template="(%(expressions)s)") for code in codes]
        super().__init__(*pairs, template=f"({rows})")
