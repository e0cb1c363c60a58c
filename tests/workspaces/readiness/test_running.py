"""A run from its asking to a signed report, and what a workspace may do by it."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from audit import verifier
from audit.chain import workspace_chain
from audit.events import EventType
from audit.models import Event
from inlock import readiness as installation
from workspaces import members
from workspaces.auditing import evidence_pack
from workspaces.exceptions import Forbidden, Hidden, ReadinessError
from workspaces.models import Notification, ReadinessResult, ReadinessRun, Rhythm, Workspace, WorkspaceReadiness
from workspaces.readiness import asking, lapsing, phases, reading, registry, report, running
from workspaces.readiness.holding import Held
from workspaces.readiness.registry import Area, Check, Found, Scene, blocked, passed
from workspaces.roles import Action, PlatformAction

pytestmark = pytest.mark.django_db


_known_checks = registry.checks()


@pytest.fixture
def looks(monkeypatch: Any) -> dict[str, Found]:
    """Three checks whose outcome a test decides."""
    found = {"rights.a": passed("All %(n)d.", n=1), "data.b": passed("Fine."), "data.c": passed("Fine.")}

    def check(code: str) -> Check:
        return Check(code, Area(code.split(".")[0]), code, lambda scene: found[code], "workspaces:people")

    monkeypatch.setattr(registry, "_checks", {code: check(code) for code in found})
    return found


def checked(workspace: Any, by: Any = None) -> ReadinessRun:
    run = asking.check(workspace, by=by) if by else asking.check_for_operator(workspace)
    running.run(run.pk)
    run.refresh_from_db()
    return run


def verified(documents: dict[str, str]) -> Any:
    return verifier.Verifier(frozenset()).run([(name, io.BytesIO(text.encode())) for name, text in documents.items()])


def test_a_run_ends_in_a_verdict_with_its_entry_and_a_report_that_verifies(looks, policies, manager):
    run = checked(policies, manager)

    assert (run.state, run.is_go, run.score, run.scores) == ("done", True, 100, {"rights": 100, "data": 100})
    event = Event.objects.get(type=EventType.READINESS_CHECKED)
    assert (event.object_id, event.actor_id) == (str(run.pk), str(manager.pk))
    told = verified({"report.json": run.report})
    assert not told.faults
    assert "go for policies by 3 checks" in told.verified[0]


def test_a_report_that_was_changed_does_not_verify(looks, policies, monkeypatch):
    looks["data.b"] = blocked("Nothing here.")
    run = checked(policies)
    monkeypatch.setattr(ReadinessRun, "is_go", True)
    ReadinessRun.objects.filter(pk=run.pk).update(report="")
    forged = ReadinessRun.objects.get(pk=run.pk)
    forged.is_go = True

    faults = {one["sentence"] for one in verified({"report.json": report.issue(forged)}).faults}

    assert faults == {"The trail names another verdict.", "The verdict does not follow from the results."}


def test_a_blocker_is_no_go_and_half_right_counts_half(looks, policies):
    looks["data.b"], looks["data.c"] = blocked("Nothing here."), Found("warn", "Look.")

    run = checked(policies)

    assert (run.is_go, run.score, run.scores["data"]) == (False, 50, 25)


def test_what_a_check_writes_is_gone_but_for_the_run_itself(looks, policies, monkeypatch):
    def write(scene: Scene) -> Found:
        members.create_workspace(slug="made", name="Made", by=None)
        return passed("Fine.")

    monkeypatch.setitem(registry._checks, "data.b", Check("data.b", Area.DATA, "b", write, ""))
    checked(policies)

    assert not Workspace.objects.filter(slug="made").exists()
    types = Event.objects.filter(chain=workspace_chain(policies.pk)).order_by("-seq").values_list("type", flat=True)[:2]
    assert list(types) == [EventType.READINESS_CHECKED, EventType.READINESS_ASKED]


def test_a_run_whose_worker_died_goes_on_behind_the_last_check_kept(looks, policies, monkeypatch):
    run = asking.check_for_operator(policies)
    asked: list[str] = []

    def dies(scene: Scene) -> Found:
        asked.append("b")
        if asked.count("b") == 1:
            raise KeyboardInterrupt
        return passed("Fine.")

    def counted(scene: Scene) -> Found:
        asked.append("a")
        return passed("Fine.")

    monkeypatch.setitem(registry._checks, "rights.a", Check("rights.a", Area.RIGHTS, "a", counted, ""))
    monkeypatch.setitem(registry._checks, "data.b", Check("data.b", Area.DATA, "b", dies, ""))
    with pytest.raises(KeyboardInterrupt):
        running.run(run.pk)

    running.run(run.pk)

    run.refresh_from_db()
    assert (run.state, asked) == ("done", ["a", "b", "b"])
    assert ReadinessResult.objects.filter(run=run).count() == 3


def test_a_run_that_somebody_holds_is_left_alone_and_one_broken_off_thrice_given_up(looks, policies):
    run = asking.check_for_operator(policies)
    rows = ReadinessRun.objects.filter(pk=run.pk)
    rows.update(state="working", attempt=1, lease_until=timezone.now() + timedelta(minutes=2))
    running.run(run.pk)
    assert not run.results.exists()

    rows.update(attempt=3, lease_until=timezone.now() - timedelta(minutes=2))
    running.run(run.pk)

    assert rows.get().state == "failed"


def test_only_one_check_is_under_way_and_none_of_an_archived_workspace(looks, policies, manager):
    asking.check(policies, by=manager)
    with pytest.raises(ReadinessError, match="at this moment"):
        asking.check(policies, by=manager)

    ReadinessRun.objects.all().delete()
    members.set_archived(policies, archived=True, by=manager)
    policies.refresh_from_db()
    with pytest.raises(ReadinessError, match="archived"):
        asking.check(policies, by=manager)


def test_who_runs_it_and_who_reads_it(looks, policies, manager, reviewer, auditor, member, contributor, stranger):
    run = checked(policies, manager)

    for person in (manager, reviewer, auditor):
        assert report.take(run, by=person) == run.report
    for person in (member, contributor):
        with pytest.raises(Forbidden):
            report.take(run, by=person)
    for person in (reviewer, auditor, member, contributor):
        with pytest.raises(Forbidden):
            asking.check(policies, by=person)
    with pytest.raises(Hidden):
        report.take(run, by=stranger)
    assert Event.objects.filter(type=EventType.READINESS_REPORT_TAKEN).count() == 3


def test_a_pilot_begins_with_a_go_and_lacks_it_once_it_is_old_or_something_blocks(looks, policies, manager):
    with pytest.raises(ReadinessError, match="needs a go"):
        phases.move(policies, "pilot", by=manager)
    run = checked(policies, manager)
    phases.move(policies, "pilot", by=manager)

    assert not phases.standing(policies).lacks_go
    event = Event.objects.get(type=EventType.PHASE_CHANGED)
    assert f'"run":"{run.pk}"' in event.body
    ReadinessRun.objects.filter(pk=run.pk).update(ended_at=timezone.now() - timedelta(days=15))
    assert phases.standing(policies).lacks_go
    with pytest.raises(ReadinessError):
        phases.move(policies, "live", by=manager)
    looks["data.b"] = blocked("Nothing here.")
    checked(policies, manager)
    assert phases.standing(policies).lacks_go


def test_only_who_manages_moves_the_phase_or_sets_the_rhythm(looks, policies, manager, reviewer, stranger):
    for person, refusal in ((reviewer, Forbidden), (stranger, Hidden)):
        with pytest.raises(refusal):
            phases.move(policies, "setup", by=person)
        with pytest.raises(refusal):
            phases.watch(policies, rhythm="daily", valid_days=9, by=person)
    for rhythm, days in (("hourly", 9), ("daily", 0), ("daily", 366)):
        with pytest.raises(ReadinessError):
            phases.watch(policies, rhythm=rhythm, valid_days=days, by=manager)


def test_a_new_blocker_in_a_workspace_in_use_is_told_once_to_managers_and_reviewers(looks, policies, manager):
    looks["data.b"] = blocked("Nothing here.")
    checked(policies)
    assert not Notification.objects.exists()  # it is being set up
    looks["data.b"] = passed("Fine.")
    checked(policies)
    phases.move(policies, "pilot", by=manager)
    looks["data.b"] = blocked("Nothing here.")

    run = checked(policies)
    checked(policies)

    told = Notification.objects.filter(kind="readiness_blocked")
    assert {one.person.username for one in told} == {"manager", "reviewer", "second-reviewer"}
    assert {one.about_id for one in told} == {run.pk}


def test_the_schedule_begins_what_is_due_and_nothing_else(looks, policies, legal, manager):
    assert asking.check_when_due() == 0  # nobody set a rhythm
    phases.watch(policies, rhythm=Rhythm.DAILY, valid_days=14, by=manager)
    phases.watch(legal, rhythm=Rhythm.OFF, valid_days=14, by=manager)

    assert (asking.check_when_due(), asking.check_when_due()) == (1, 0)
    run = ReadinessRun.objects.get()
    running.run(run.pk)
    assert asking.check_when_due() == 0
    ReadinessRun.objects.update(asked_at=timezone.now() - timedelta(hours=25))
    assert asking.check_when_due() == 1


def test_a_report_tells_what_got_better_and_worse_since_the_last(looks, policies):
    looks["data.b"] = blocked("Nothing here.")
    checked(policies)
    looks["data.b"], looks["data.c"] = passed("Fine."), Found("warn", "Look.")

    better, worse = reading.changed(reading.sections(checked(policies), reader=None))

    assert [line.result.code for line in better] == ["data.b"]
    assert [(line.result.code, line.fix) for line in worse] == [("data.c", "/w/policies/people/")]


def test_the_command_prints_the_report_and_exits_with_1_while_something_blocks(looks, policies, manager):
    looks["data.b"] = blocked("Nothing here.")
    out = io.StringIO()

    with pytest.raises(SystemExit) as end:
        call_command("readiness", "policies", "--as", "manager", "--json", stdout=out)

    said = json.loads(out.getvalue())
    assert (end.value.code, said["is_go"], said["signed"]) == (1, False, True)
    assert [(one["code"], one["outcome"]) for one in said["results"]][1] == ("data.b", "block")


def test_an_evidence_pack_holds_the_reports_of_its_period(looks, policies):
    run = checked(policies)

    ReadinessRun.objects.filter(pk=run.pk).update(report="")  # its worker died before it signed

    (name, text), *more = report.reports_of(policies, evidence_pack.period_of("", ""))

    run.refresh_from_db()
    assert (name, text, more) == (f"receipts/readiness-{run.pk}.json", run.report, [])
    assert not verified({name: text}).faults


def test_the_pages_show_where_it_stands_and_hand_the_report_out(looks, policies, manager, reviewer, member, client_of):
    looks["data.b"] = blocked("Of %(n)d none.", n=3)
    client = client_of(manager)
    client.post("/w/policies/readiness/check/")
    run = ReadinessRun.objects.get()
    page = f"/w/policies/readiness/{run.pk}/"
    assert "hx-trigger" in client.get(page).content.decode()
    running.run(run.pk)

    shown = client_of(reviewer).get(page).content.decode()

    assert "Of 3 none." in shown
    assert "/w/policies/people/" in shown
    assert "hx-trigger" not in shown
    assert client.get("/w/policies/readiness/").status_code == 200
    assert client.get(f"{page}pdf/").content.startswith(b"%PDF")
    taken = client.post(f"{page}report/")
    assert json.loads(taken.content)["signed"]["readiness"] == str(run.pk)
    for path in ("/w/policies/readiness/", page, f"{page}pdf/"):
        assert client_of(member).get(path).status_code == 403
    assert client.get("/w/legal/readiness/" + f"{run.pk}/").status_code == 404


@pytest.mark.parametrize("code", [one.code for one in _known_checks])
def test_every_check_names_the_page_where_it_is_put_right_and_who_opens_it(code, policies):
    check = registry.known(code)

    assert check.fix_in(policies).startswith("/")
    assert check.opened_by(policies) in {*Action.values, *PlatformAction.values}


def test_a_reader_is_sent_to_pages_they_may_open_and_told_who_opens_the_others(
    looks, policies, manager, auditor, admin, superuser, client_of, monkeypatch
):
    """Every page that any check names, asked for by the people it was offered to."""
    pages = {(one.fix, one.needs): one for one in _known_checks}
    monkeypatch.setattr(
        registry, "_checks",
        {one.code: replace(one, look=lambda scene: blocked("Bad.")) for one in pages.values()},
    )  # fmt: skip
    run = checked(policies)

    for person in (manager, auditor):
        lines = [line for section in reading.sections(run, reader=person) for line in section.lines]
        assert all(bool(line.fix) != bool(line.fixed_by) for line in lines)
        for path in {line.fix for line in lines if line.fix}:
            assert client_of(person).get(path).status_code == 200, (person, path)
    told = {line.result.area: line.fixed_by for line in lines}
    for person in (admin, superuser):
        offered = {line.fix for section in reading.sections(run, reader=person) for line in section.lines} - {""}
        assert "/admin/health/" in offered
        assert ("/glass/policies/" in offered) == person.is_superuser
        for path in offered:
            assert client_of(person).get(path).status_code == 200, (person, path)
    # Whom nobody asked about would be sent to a page that refuses them.
    unasked = [line for section in reading.sections(run, reader=None) for line in section.lines]
    models = next(line.fix for line in unasked if line.result.area == "models")
    assert client_of(auditor).get(models).status_code == 403
    assert told["models"] == "Who can put it right: Workspace manager."
    assert "operator" in told["operations"]


def test_a_run_that_is_given_up_says_so_in_the_trail_and_holds_nothing_up(looks, policies, manager):
    run = asking.check(policies, by=manager)
    ReadinessRun.objects.filter(pk=run.pk).update(attempt=running.MOST_ATTEMPTS)

    running.run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.is_go, run.report) == ("failed", None, "")
    (entry,) = Event.objects.filter(type=EventType.READINESS_GIVEN_UP)
    assert (entry.object_id, entry.actor_id) == (str(run.pk), str(manager.pk))
    assert checked(policies).is_go


def test_beside_no_portal_workers_and_schedule_are_not_checked_rather_than_passed_over(policies, monkeypatch):
    monkeypatch.setattr(installation, "expects_workers", lambda: False)
    for code in ("operations.workers", "operations.schedule"):
        found, _milliseconds = running.look(registry.known(code), Scene(policies))

        assert (found.outcome, found.sentence.startswith("Not checked")) == ("warn", True)


def test_a_look_that_takes_long_keeps_its_run(looks, policies, transactional_db):
    run = asking.check_for_operator(policies)
    ReadinessRun.objects.filter(pk=run.pk).update(state="working", attempt=1, lease_until=timezone.now())
    run.refresh_from_db()

    with Held(run, every=0.01):
        until = monotonic() + 20
        later = timezone.now() + timedelta(minutes=2)
        while not ReadinessRun.objects.filter(pk=run.pk, lease_until__gt=later).exists():
            assert monotonic() < until


def test_the_page_about_readiness_names_every_check():
    told = Path("docs/readiness.md").read_text(encoding="utf-8")

    missing = [check.code for check in registry.checks() if f"| `{check.code}` | {check.label} |" not in told]

    assert not missing


def test_a_door_that_asks_nobody_would_hand_the_report_to_a_stranger(looks, policies, stranger, monkeypatch):
    run = checked(policies)
    monkeypatch.setattr(reading, "require", lambda user, workspace: None)

    assert report.take(run, by=stranger) == run.report


def aged(days: float) -> None:
    """Every check was made that long ago."""
    ReadinessRun.objects.update(ended_at=timezone.now() - timedelta(days=days))


def told(kind: str) -> set[str]:
    return set(Notification.objects.filter(kind=kind).values_list("person__username", flat=True))


def test_a_go_that_became_too_old_is_told_once_and_kept_in_the_trail(looks, policies, manager):
    run = checked(policies)
    phases.move(policies, "pilot", by=manager)
    assert lapsing.notice() == 0
    aged(15)

    assert (lapsing.notice(), lapsing.notice()) == (1, 0)

    assert told("readiness_lapsed") == {"manager", "reviewer", "second-reviewer"}
    assert Notification.objects.filter(kind="readiness_lapsed").count() == 3
    event = Event.objects.get(type=EventType.GO_LAPSED)
    assert (event.object_id, event.actor_id) == (str(policies.pk), "")
    assert f'"run":"{run.pk}"' in event.body
    assert phases.standing(policies).pilot_ends is not None


def test_a_pilot_without_a_go_ends_after_its_days_of_grace_and_comes_back_with_the_next_go(looks, policies, manager):
    checked(policies)
    phases.move(policies, "pilot", by=manager)
    looks["data.b"] = blocked("Nothing here.")
    checked(policies)
    assert Event.objects.filter(type=EventType.GO_LAPSED).count() == 1
    assert not told("readiness_lapsed")  # the blocker was told
    assert lapsing.end_pilots() == 0
    WorkspaceReadiness.objects.update(lapsed_at=timezone.now() - timedelta(days=7, minutes=1))

    assert (lapsing.end_pilots(), lapsing.end_pilots()) == (1, 0)

    now = phases.standing(policies)
    assert (now.phase, now.settings.phase_changed_by, now.settings.lapsed_at) == ("setup", None, None)
    assert told("pilot_ended") == {"manager", "reviewer", "second-reviewer"}
    event = Event.objects.filter(type=EventType.PHASE_CHANGED).latest("seq")
    assert (event.actor_id, '"after":"setup"' in event.body) == ("", True)
    looks["data.b"] = passed("Fine.")
    checked(policies)
    assert phases.move(policies, "pilot", by=manager).phase == "pilot"


def test_a_go_in_time_keeps_the_pilot_and_one_that_counts_longer_too(looks, policies, manager):
    checked(policies)
    phases.move(policies, "pilot", by=manager)
    aged(15)
    lapsing.notice()
    checked(policies)
    assert phases.standing(policies).settings.lapsed_at is None

    aged(15)
    lapsing.notice()
    phases.watch(policies, rhythm="daily", valid_days=30, by=manager)
    assert phases.standing(policies).settings.lapsed_at is None
    assert lapsing.end_pilots() == 0


def test_a_live_workspace_that_lost_its_go_is_told_of_and_stays_live(looks, policies, manager):
    checked(policies)
    phases.move(policies, "pilot", by=manager)
    phases.move(policies, "live", by=manager)
    aged(15)

    assert lapsing.notice() == 1

    WorkspaceReadiness.objects.update(lapsed_at=timezone.now() - timedelta(days=99))
    assert lapsing.end_pilots() == 0
    assert phases.standing(policies).phase == "live"


def test_workspaces_being_set_up_and_archived_ones_are_left_alone(looks, policies, legal, manager):
    for place in (policies, legal):
        checked(place)
    phases.move(policies, "pilot", by=manager)
    Workspace.objects.filter(pk=policies.pk).update(archived_at=timezone.now())
    aged(15)

    assert lapsing.notice() == 0
    assert not Event.objects.filter(type=EventType.GO_LAPSED).exists()


def test_what_another_worker_found_meanwhile_is_not_found_again(looks, policies, manager):
    checked(policies)
    phases.move(policies, "pilot", by=manager)
    aged(15)
    (before,) = WorkspaceReadiness.objects.select_related("workspace")
    assert lapsing.notice() == 1

    assert not lapsing._notice(before)

    WorkspaceReadiness.objects.update(lapsed_at=timezone.now() - timedelta(days=8))
    assert lapsing.end_pilots() == 1
    assert not lapsing._end(before)
    assert Event.objects.filter(type=EventType.GO_LAPSED).count() == 1
    assert Notification.objects.filter(kind="pilot_ended").count() == 3


def test_the_page_says_when_a_pilot_without_a_go_ends(looks, policies, manager, client_of):
    checked(policies)
    phases.move(policies, "pilot", by=manager)
    aged(15)
    lapsing.notice()

    page = client_of(manager).get("/w/policies/readiness/")

    assert "The pilot ends by itself on" in page.content.decode()
