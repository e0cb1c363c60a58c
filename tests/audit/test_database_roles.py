"""The role the portal runs as in production can add to the trail and do nothing else to it."""

import secrets
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.db.utils import ProgrammingError

from audit import checkpoints, database_roles
from audit.chain import PLATFORM
from audit.events import EventType
from audit.models import Event
from audit.record import record
from audit.verification import verify
from inlock import health
from tests import engines
from workspaces.members import create_user, create_workspace

pytestmark = pytest.mark.django_db(transaction=True)

OWNER, APPLICATION = f'owner of "{engines.WORKER}"', f"application-{engines.WORKER}"

FORBIDDEN = (
    "UPDATE audit_event SET actor_label = 'nobody'",
    "DELETE FROM audit_event",
    "TRUNCATE audit_event",
    "UPDATE audit_checkpoint SET root = ''",
    "DELETE FROM audit_checkpoint",
    "TRUNCATE audit_checkpoint",
    "DELETE FROM audit_chainhead",
    "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_event_no_change ON audit_event",
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "ALTER TABLE audit_event DROP CONSTRAINT event_chain_seq",
    "ALTER TABLE audit_event OWNER TO CURRENT_USER",
    "ALTER TABLE audit_event ADD COLUMN more text",
    "CREATE RULE quiet AS ON INSERT TO audit_event DO INSTEAD NOTHING",
    "DROP TABLE audit_event",
    "CREATE TABLE public.another (n int)",
    "CREATE SCHEMA another",
    "SET session_replication_role = replica",
    "DELETE FROM django_migrations",
)


@pytest.fixture
def divided(as_superuser: psycopg.Connection) -> Iterator[Callable[[str], None]]:
    """divided("role") → Django's own connection is that role's from here on, in a database that the script divided."""
    with transaction.atomic():
        record(EventType.SEARCHED)
    out = StringIO()
    call_command("audit", "roles", "--owner", OWNER, "--application", APPLICATION, stdout=out)
    as_superuser.execute(out.getvalue())
    password, settings = secrets.token_hex(8), connections["default"].settings_dict
    ordinary = dict(settings)
    for role in (OWNER, APPLICATION):
        quoted = psycopg.sql.Identifier(role).as_string()
        as_superuser.execute(f"ALTER ROLE {quoted} PASSWORD '{password}'")  # type: ignore[arg-type]

    def become(role: str) -> None:
        connection.close()
        settings.update({"USER": role, "PASSWORD": password})

    try:
        yield become
    finally:
        connection.close()
        settings.update({"USER": ordinary["USER"], "PASSWORD": ordinary["PASSWORD"]})


@pytest.fixture
def application(divided: Callable[[str], None]) -> None:
    divided(APPLICATION)


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_application_works_and_its_trail_holds(application: None) -> None:
    with transaction.atomic():
        create_user(username="keeper", by=None)
        create_workspace(slug="archive", name="Archive", by=None)

    assert checkpoints.make(PLATFORM) is not None
    assert verify(PLATFORM).holds
    assert database_roles.powers_over_the_trail() == []
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)


def test_application_can_do_nothing_else_to_the_trail(application: None) -> None:
    before = list(Event.objects.values_list("hash", flat=True))

    for statement in FORBIDDEN:
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner|must be able to SET ROLE"):
            run(statement)

    assert list(Event.objects.values_list("hash", flat=True)) == before


def test_owner_migrates_and_could_switch_the_triggers_off(divided: Callable[[str], None]) -> None:
    """The counter-proof: what the application is refused is real, and is the owner's."""
    divided(OWNER)

    call_command("migrate", verbosity=0)
    assert database_roles.powers_over_the_trail() == ["owns the table of the trail"]
    run("ALTER TABLE audit_event DISABLE TRIGGER ALL")
    run("UPDATE audit_event SET actor_label = 'nobody'")


def test_undivided_role_is_told_what_it_could_do() -> None:
    assert database_roles.powers_over_the_trail() == ["owns the table of the trail"]


def test_script_can_be_run_again(divided: Callable[[str], None], as_superuser: psycopg.Connection) -> None:
    as_superuser.execute(database_roles.script(owner=OWNER, application=APPLICATION))  # type: ignore[arg-type]

    divided(APPLICATION)
    with transaction.atomic():
        record(EventType.SEARCHED)
    assert verify(PLATFORM).events == 2


@pytest.mark.parametrize("arguments", [(), ("--owner", "a"), ("--owner", "a", "--application", "a")])
def test_script_without_two_names_is_refused(arguments: Any) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("audit", "roles", *arguments)

    assert refused.value.returncode == 2


def test_doctor_in_production_names_a_role_that_owns_the_trail(settings: Any) -> None:
    findings = {finding.name: finding for finding in health.governance.trail()}
    assert "trail" not in findings

    settings.PRODUCTION, settings.EMBEDDED_DATABASE = True, False

    finding = {finding.name: finding for finding in health.governance.trail()}["trail"]
    assert "owns the table of the trail" in finding.fault
    assert "audit roles" in finding.next_step
