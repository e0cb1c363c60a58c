"""Which actions people hold where: what roles and grants give, less what never rules take away.

The rule is written once, as rows of person, workspace, role and action; one person's rights and the sets of people
and workspaces are filters over the same rows. It is plain SQL, because it runs with every request and every search,
and having it built anew took longer than running it. Only `workspaces/access.py` asks here.

What is asked of one person is a function of the database: a session plans it once, where each statement it stood in
was planned with it anew, for eight times as long as it ran. It reads what the statement that calls it reads.
"""

from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import DEFAULT_DB_ALIAS, connection, connections
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
#: In the names, so that no process asks a function that says another rule than its own.
RULE = sha256(_HELD.encode()).hexdigest()[:12]
_ACTIONS, _ANYWHERE, _WORKSPACES = (f"workspaces_{what}_{RULE}" for what in ("actions", "anywhere", "allowing"))
_FUNCTIONS = (
    f"""
    CREATE OR REPLACE FUNCTION {_ACTIONS}(who uuid, place uuid) RETURNS varchar[] LANGUAGE plpgsql STABLE AS $$ BEGIN
        RETURN ARRAY(SELECT action FROM ({_HELD}) held WHERE held.person = who AND held.workspace = place);
    END $$
    """,  # noqa: S608 (ours alone)
    f"""
    CREATE OR REPLACE FUNCTION {_ANYWHERE}(who uuid) RETURNS varchar[] LANGUAGE plpgsql STABLE AS $$ BEGIN
        RETURN ARRAY(SELECT DISTINCT action FROM ({_HELD}) held WHERE held.person = who);
    END $$
    """,  # noqa: S608 (ours alone)
    f"""
    CREATE OR REPLACE FUNCTION {_WORKSPACES}(who uuid, code varchar) RETURNS uuid[] LANGUAGE plpgsql STABLE AS $$ BEGIN
        RETURN ARRAY(SELECT workspace FROM ({_HELD}) held WHERE held.person = who AND held.action = code);
    END $$
    """,  # noqa: S608 (ours alone)
)


def define(using: str = DEFAULT_DB_ALIAS) -> None:
    """Give the database the functions of this rule, for the migration of this rule; those of an earlier one stay."""
    with connections[using].cursor() as cursor:
        for function in _FUNCTIONS:
            cursor.execute(function)


def held(person: UUID, workspace: UUID) -> frozenset[str]:
    """The actions one person holds in one workspace. One query."""
    return _actions(f"SELECT {_ACTIONS}(%s, %s)", [person, workspace])


def held_anywhere(person: UUID) -> frozenset[str]:
    """The actions one person holds in any workspace. One query."""
    return _actions(f"SELECT {_ANYWHERE}(%s)", [person])


def _actions(statement: str, given: list[UUID]) -> frozenset[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        [actions] = cursor.fetchone()
        return frozenset(actions)


def held_by(person: str | Value, workspace: str) -> Func:
    """As `held`, of the person and in the workspace that two fields of a row name: an array with the row."""
    return Func(
        person,
        workspace,
        template=f"{_ACTIONS}(%(expressions)s)",
        arg_joiner=", ",
        output_field=ArrayField(CharField(max_length=100)),
    )


def allowing(person: UUID, action: str) -> Func:
    """The ids of the workspaces where one person holds `action`: an array that a statement finds once."""
    return Func(
        Value(person, output_field=UUIDField()),
        Value(action),
        # In a sub-query of its own: the database would call it for each row else.
        template=f"(SELECT {_WORKSPACES}(%(expressions)s))::uuid[]",
        arg_joiner=", ",
        output_field=ArrayField(UUIDField()),
    )


def workspaces(person: UUID, action: str) -> Func:
    """As `allowing`, for an `__in`."""
    return Func(allowing(person, action), template="(SELECT unnest(%(expressions)s))", output_field=UUIDField())


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
