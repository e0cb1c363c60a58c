"""How the installation fares, for those who run it and for machines; everybody else is told nothing."""

import os
import re
import time
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.urls import reverse
from django.utils import timezone

from audit.events import EventType
from audit.models import Event
from audit.record import record
from documents import index
from documents.embedding.spaces import space_of
from documents.indexing import checks as index_checks
from documents.models import IndexCheck, Version
from documents.states import VersionState
from inlock import engines, migrating
from inlock.engines.chroma import Chroma
from inlock.health import governance, knowledge, machine
from inlock.tasks import sweep_engines
from tests.documents import factories, shelf
from workspaces.auditing import trail
from workspaces.dispatch import inline
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db


def test_life_is_told_to_anybody_and_asks_nothing(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        told = client.get("/health/live")

    assert (told.status_code, told.content) == (HTTPStatus.OK, b"ok\n")
    assert "Set-Cookie" not in told.headers


def test_readiness_is_told_to_anybody(client):
    told = client.get("/health/ready")

    assert (told.status_code, told.json()) == (HTTPStatus.OK, {"ready": True, "lacks": []})
    assert "no-store" in told["Cache-Control"]


def test_that_nothing_is_missing_is_found_out_once(client, monkeypatch):
    looks = []
    monkeypatch.setattr(migrating, "_found_current", False)
    monkeypatch.setattr(migrating, "pending", lambda: looks.append("look") or [])

    for _again in range(3):
        assert client.get("/health/ready").status_code == HTTPStatus.OK

    assert looks == ["look"]


def test_a_missing_migration_is_no_readiness(client, monkeypatch):
    monkeypatch.setattr(migrating, "_found_current", False)
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")

    told = client.get("/health/ready")

    assert (told.status_code, told.json()["lacks"]) == (HTTPStatus.SERVICE_UNAVAILABLE, ["migrations"])


def test_an_engine_that_is_down_is_named_and_nothing_of_it(client, monkeypatch, settings):
    monkeypatch.setitem(connection.settings_dict, "HOST", "/run/no-such-server")
    settings.REDIS_URL = "redis://127.0.0.1:9/0"

    told = client.get("/health/ready")

    assert told.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert told.json() == {"ready": False, "lacks": ["database", "broker"]}


def test_the_page_shows_what_doctor_knows_and_every_index(policies, legal, admin, client_of):
    shelf.put(policies, "leave.md", ["Parental leave lasts sixteen weeks."])
    index_checks.check(policies)

    shown = client_of(admin).get(reverse("admin_health")).content.decode()

    for known in ("PostgreSQL 18", "all applied", "worker ingest", "files", "indexes", "agree", policies.name):
        assert known in shown
    assert "not compared yet" in shown


def test_findings_speak_the_readers_language_and_keep_their_names_for_programs(policies, legal, admin, client_of):
    # On a Serbian page everything but the headings stood in English.
    shelf.put(policies, "leave.md", ["Parental leave lasts sixteen weeks."])
    index_checks.check(policies)

    page = client_of(admin).get(reverse("admin_health"), headers={"accept-language": "sr"})

    findings = [finding for _title, some in page.context["sections"] for finding in some]
    told = {finding.name: f"{finding.label}: {finding.state}" for finding in findings}
    assert told["worker ingest"].startswith("радник ingest: ")
    assert told["migrations"] == "миграције: све примењене"
    assert "слаже се с базом: 1, одломака: 1" in told["indexes"]
    assert "уграђен" in told["chroma"]
    assert [name for name, text in told.items() if not re.search("[а-ш]", text)] == []
    for finding in findings:
        assert finding.label in page.content.decode()


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("superuser", HTTPStatus.OK),
        ("auditor", HTTPStatus.FORBIDDEN),
        ("reviewer", HTTPStatus.FORBIDDEN),
        ("manager", HTTPStatus.FORBIDDEN),
        ("member", HTTPStatus.NOT_FOUND),
        ("stranger", HTTPStatus.NOT_FOUND),
    ],
)
def test_the_page_is_for_those_who_run_the_installation(policies, who, status, request, client_of):
    client = client_of(request.getfixturevalue(who))

    assert client.get(reverse("admin_health")).status_code == status
    asked = client.post(reverse("admin_health_compare", args=[policies.pk]))
    assert asked.status_code == (HTTPStatus.FOUND if status == HTTPStatus.OK else status)
    assert IndexCheck.objects.exists() is (status == HTTPStatus.OK)


def test_comparing_now_tells_what_came_of_it(policies, admin, client_of):
    shelf.put(policies, "leave.md", ["Parental leave lasts sixteen weeks."])

    told = client_of(admin).post(reverse("admin_health_compare", args=[policies.pk]), follow=True)

    assert "index and database agree on 1 passages" in told.content.decode()


def test_indexes_that_differ_are_a_fault_with_the_command_that_helps(policies, admin):
    check = index_checks.check(policies)
    IndexCheck.objects.filter(pk=check.pk).update(left=3)

    finding = next(one for one in knowledge.knowledge() if one.name == "indexes")

    assert policies.slug in finding.fault
    assert "index rebuild" in finding.next_step


@pytest.mark.parametrize("lose", [index.empty, index.drop], ids=["made anew", "files gone"])
def test_an_index_without_its_vectors_is_a_fault_until_it_is_whole(policies, lose):
    shelf.put(policies, "leave.md", ["Parental leave lasts sixteen weeks."])
    index_checks.check(policies)
    lose(policies.pk, space_of(policies.pk))

    finding = next(one for one in knowledge.knowledge() if one.name == "indexes")

    assert policies.slug in finding.fault
    assert "without vectors" in finding.fault


@pytest.fixture
def set_aside(settings, tmp_path) -> str:
    """The name of a directory that was set aside in this installation."""
    settings.VAR = tmp_path
    (tmp_path / "engines").mkdir()
    (tmp_path / "chroma").mkdir()
    return engines.set_aside.set_aside(Chroma(tmp_path), "Chroma ended by itself 3 times.").directory.name


def test_files_that_were_set_aside_are_shown_with_what_is_to_be_done(set_aside):
    [finding] = machine.files_set_aside()

    assert set_aside in finding.state
    assert "Chroma ended by itself 3 times." in finding.state
    assert "Delete the directory" in finding.next_step


def test_files_that_were_set_aside_are_in_the_trail_once_and_the_indexes_looked_at(
    set_aside, policies, django_capture_on_commit_callbacks
):
    shelf.put(policies, "leave.md", ["Parental leave lasts sixteen weeks."])
    index_checks.check(policies)
    index.drop(policies.pk, space_of(policies.pk))

    for _again in range(2):
        with inline(), django_capture_on_commit_callbacks(execute=True):
            sweep_engines()

    entry = Event.objects.get(type=EventType.ENGINE_SET_ASIDE)
    assert (entry.chain, entry.actor_label) == ("platform", "system")
    assert f'"directory":"{set_aside}"' in entry.body
    assert index.is_whole(policies.pk, space_of(policies.pk))


@pytest.mark.parametrize("compared_days_ago", [90, None])
def test_indexes_nobody_compared_for_long_are_a_fault(compared_days_ago, policies, legal):
    now = timezone.now()
    Workspace.objects.filter(pk=policies.pk).update(created_at=now - timedelta(days=100))
    for workspace in (policies, legal):
        index_checks.check(workspace)
    if compared_days_ago:
        IndexCheck.objects.filter(workspace=policies).update(started_at=now - timedelta(days=compared_days_ago))
    else:
        IndexCheck.objects.filter(workspace=policies).delete()

    finding = next(one for one in knowledge.knowledge() if one.name == "indexes")

    assert policies.slug in finding.fault
    assert legal.slug not in finding.fault
    assert "schedule" in finding.next_step


def test_what_the_portal_knows_costs_the_same_with_more_in_it(policies, legal, django_assert_num_queries):
    for workspace in (policies, legal):
        index_checks.check(workspace)

    with django_assert_num_queries(10):
        knowledge.knowledge()


def test_what_was_begun_again_and_what_nobody_took_up_is_told(policies, contributor):
    now = timezone.now()
    document = factories.document(policies, by=contributor)
    version = factories.add_version(document, "new bytes", by=contributor, state=VersionState.RECEIVED)
    Version.objects.filter(pk=version.pk).update(attempt=2, lease_until=now - timedelta(minutes=2))
    told = {one.name: one for one in knowledge.knowledge()}

    Version.objects.filter(pk=version.pk).update(lease_until=now - timedelta(hours=2))
    left = {one.name: one for one in knowledge.knowledge()}["leases"]
    Version.objects.filter(pk=version.pk).update(lease_until=now + timedelta(minutes=1))
    held = {one.name: one for one in knowledge.knowledge()}["leases"]

    assert "1 on their way were begun twice or more" in told["files"].state
    assert told["leases"].state.startswith("1 have expired")
    assert told["leases"].fault == ""
    assert "more than an hour" in left.fault
    assert (held.state, held.fault) == ("none has expired", "")


@pytest.mark.parametrize("ahead", [-60, 60])
def test_a_clock_that_differs_from_the_databases_is_a_fault(ahead, monkeypatch):
    agrees = machine.clock()
    real = time.time
    monkeypatch.setattr(machine.time, "time", lambda: real() + ahead)

    differs = machine.clock()

    assert agrees.fault == ""
    assert "differ" in differs.fault
    assert differs.state.startswith(f"{-ahead}.0 seconds")


def test_the_last_entry_that_was_read_through_is_told(policies, legal):
    nobody = governance.verification()
    verified = trail.verify(trail.Chain(policies), by=None)

    told = governance.verification()

    assert nobody.state == "no chain was read through yet"
    assert f"up to entry {verified.events} on " in told.state
    assert "1 were read through" in told.state
    assert told.fault == ""


def test_a_chain_that_did_not_hold_stays_a_fault_until_it_does(policies):
    with transaction.atomic():
        record(EventType.TRAIL_VERIFIED, workspace=policies, events=2, holds=False, head_hash="", faults=1)
    damaged = governance.verification()
    trail.verify(trail.Chain(policies), by=None)

    assert str(policies.pk) in damaged.fault
    assert governance.verification().fault == ""


@pytest.mark.parametrize(
    ("hours_ago", "state", "fault"),
    [(5, "5 hours old", ""), (200, "200 hours old", "too old"), (-48, "not known", "dated in the future")],
)
def test_the_age_of_the_last_backup_is_told(hours_ago, state, fault, settings, tmp_path):
    marker = tmp_path / "backup"
    marker.touch()
    at = time.time() - 3600 * hours_ago - 60
    os.utime(marker, (at, at))
    settings.BACKUP_MARKER = str(marker)

    [found] = machine.backup()

    assert state in found.state
    assert fault in found.fault
    assert bool(found.fault) is bool(fault)


def test_a_backup_nothing_tells_of_is_not_invented(settings, tmp_path):
    settings.BACKUP_MARKER = ""
    assert machine.backup() == []

    settings.BACKUP_MARKER = str(tmp_path / "nowhere")
    [found] = machine.backup()
    assert "cannot be looked at" in found.fault
