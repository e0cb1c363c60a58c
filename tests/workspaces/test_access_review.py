"""The access review: what it covers, how it is worked through and signed, and that nobody slips past it."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.chain import canonical, digest
from audit.events import EventType
from audit.models import Event
from documents.access import restriction
from documents.models import Document, DocumentGroupGrant, DocumentUserGrant
from tests.answers.review_scene import a_document
from tests.undone import undone
from workspaces import access, custom_roles, groups, members
from workspaces.access_review import reviewing as access_review
from workspaces.exceptions import Forbidden, Hidden, ReviewError
from workspaces.models import AccessReview, AccessReviewLine, Membership, RoleBar, Verdict, Workspace
from workspaces.roles import Action, Role

pytestmark = pytest.mark.django_db

ADDRESS = "/w/policies/access-review/"


@pytest.fixture
def secret(policies, manager, member):
    """A restricted document, granted to the manager who restricted it and to the member."""
    document = a_document(policies, title="Salary bands", text="x").document
    restriction.restrict(document, by=manager)
    document.refresh_from_db()
    restriction.grant(document, member, by=manager)
    return document


@pytest.fixture
def review(policies, manager):
    return access_review.start(policies, by=manager)


def line(review, user, code):
    return review.lines.get(user=user, code=code)


def decide(review, by, *decisions):
    access_review.decide(review, {one.pk: (verdict, note) for one, verdict, note in decisions}, by=by)


def told(type):
    return [json.loads(event.body) for event in Event.objects.filter(type=type).order_by("seq")]


# --- What it covers -----------------------------------------------------------------------------------------


def test_every_right_of_every_person_is_there_with_why_and_since_when(policies, secret, people, manager, review):
    lines = {(one.user.username, one.kind, one.label) for one in review.lines.select_related("user")}

    assert lines == {
        ("manager", "role", "Workspace manager"),
        ("contributor", "role", "Contributor"),
        ("reviewer", "role", "Reviewer"),
        ("second-reviewer", "role", "Reviewer"),
        ("member", "role", "Member"),
        ("auditor", "role", "Auditor"),
        ("manager", "document", "Salary bands"),
        ("member", "document", "Salary bands"),
    }
    granted = line(review, people["member"], str(secret.pk))
    assert granted.reason.startswith("By name, by manager, since ")
    assert told(EventType.ACCESS_REVIEW_STARTED)[0]["details"] == {"lines": 8}


def test_what_a_provider_or_a_group_gives_is_told_apart(policies, secret, admin, manager, member, contributor):
    group = policies.roles.get(role=Role.MEMBER).group
    Membership.objects.create(user=member, group=group, source="company")
    finance = groups.create_group(name="Finance", by=admin)
    groups.add_to_group(finance, contributor, by=admin)
    access.grant(restriction.OPEN_DOCUMENT, finance.group, secret)

    review = access_review.start(policies, by=manager)

    assert "By the identity provider “company”" in line(review, member, "member").reason
    assert "By hand by the operator" in line(review, member, "member").reason
    assert line(review, contributor, str(secret.pk)).reason == "Through the group “Finance”."


def test_who_may_not_open_documents_here_holds_nothing_through_a_group(policies, secret, admin, manager, stranger):
    finance = groups.create_group(name="Finance", by=admin)
    groups.add_to_group(finance, stranger, by=admin)
    access.grant(restriction.OPEN_DOCUMENT, finance.group, secret)

    assert not access_review.start(policies, by=manager).lines.filter(user=stranger).exists()


def test_there_is_one_review_at_a_time(policies, review, manager):
    with pytest.raises(ReviewError, match="under way already"):
        access_review.start(policies, by=manager)


# --- Signing ------------------------------------------------------------------------------------------------


def test_signing_carries_the_removals_out_and_keeps_the_outcome(policies, secret, manager, member, contributor):
    review = access_review.start(policies, by=manager)
    decide(
        review,
        manager,
        (line(review, contributor, "contributor"), Verdict.REMOVE, "Left the team"),
        (line(review, member, str(secret.pk)), Verdict.REMOVE, ""),
    )
    access_review.keep_the_rest(review, by=manager)

    access_review.sign(review, statement="I went through everybody.", by=manager)

    assert members.roles_of(policies, contributor) == []
    assert not DocumentUserGrant.objects.filter(user=member).exists()
    assert members.roles_of(policies, member) == [Role.MEMBER]
    review.refresh_from_db()
    assert access_review.is_as_signed(review)
    [signed] = told(EventType.ACCESS_REVIEW_SIGNED)
    assert signed["details"] == {"outcome_sha256": review.outcome_sha256, "kept": 6, "removed": 2, "gone": 0}
    assert {entry["actor_label"] for entry in told(EventType.MEMBER_REMOVED)} == {"manager"}


def test_what_a_provider_gives_is_removed_for_good_by_a_never_rule(policies, manager, member):
    place = policies.roles.get(role=Role.MEMBER).group
    Membership.objects.create(user=member, group=place, source="company")
    review = access_review.start(policies, by=manager)
    decide(review, manager, (line(review, member, "member"), Verdict.REMOVE, ""))
    access_review.keep_the_rest(review, by=manager)

    access_review.sign(review, statement="All.", by=manager)
    # The next sign-in.
    Membership.objects.create(user=member, group=place, source="company")

    assert access.actions(member, policies) == frozenset()
    rule = RoleBar.objects.get()
    assert (rule.user, rule.role) == (member, Role.MEMBER)
    assert rule.reason.startswith("Access review of ")
    assert not access_review.start(policies, by=manager).lines.filter(user=member).exists()


def test_what_a_group_opens_is_removed_for_one_person_and_stays_for_the_others(
    policies, secret, admin, manager, contributor, reviewer
):
    finance = groups.create_group(name="Finance", by=admin)
    for person in (contributor, reviewer):
        groups.add_to_group(finance, person, by=admin)
    access.grant(restriction.OPEN_DOCUMENT, finance.group, secret)
    review = access_review.start(policies, by=manager)
    decide(review, manager, (line(review, contributor, str(secret.pk)), Verdict.REMOVE, ""))
    access_review.keep_the_rest(review, by=manager)

    access_review.sign(review, statement="All.", by=manager)

    assert not access.visible(contributor, Document).filter(pk=secret.pk).exists()
    assert access.visible(reviewer, Document).filter(pk=secret.pk).exists()
    assert not access_review.start(policies, by=manager).lines.filter(user=contributor, kind="document").exists()


def test_a_manager_without_the_grant_ends_it_for_others(policies, secret, manager, member, stranger):
    """Whoever keeps a document's grants need not be able to read it."""
    members.add_member(policies, stranger, Role.MANAGER, by=None)
    review = access_review.start(policies, by=stranger)
    decide(review, stranger, (line(review, member, str(secret.pk)), Verdict.REMOVE, ""))
    access_review.keep_the_rest(review, by=stranger)

    access_review.sign(review, statement="All.", by=stranger)

    assert list(DocumentUserGrant.objects.values_list("user", flat=True)) == [manager.pk]


def test_roles_of_a_closed_account_are_reviewed_too(policies, manager, member):
    member.is_active = False
    member.save()

    assert access_review.start(policies, by=manager).lines.filter(user=member, code="member").exists()


def test_the_outcome_can_be_checked_by_anybody_who_has_the_rows(policies, review, manager):
    access_review.keep_the_rest(review, by=manager)
    signed = access_review.sign(review, statement="All.", by=manager)

    kept = access_review.outcome(AccessReview.objects.get(pk=signed.pk))

    assert kept["format"] == "inlock-access-review/1"
    assert {entry["verdict"] for entry in kept["lines"]} == {"keep"}
    assert digest(canonical(kept)) == signed.outcome_sha256


def test_a_changed_outcome_is_seen(policies, review, manager, contributor, client_of, subtests):
    decide(review, manager, (line(review, contributor, "contributor"), Verdict.REMOVE, ""))
    access_review.keep_the_rest(review, by=manager)
    access_review.sign(review, statement="All.", by=manager)
    client, removed = client_of(manager), AccessReviewLine.objects.filter(review=review, user=contributor)
    assert "This is not what was signed" not in client.get(f"{ADDRESS}{review.pk}/").content.decode()

    for change in ({"verdict": "keep"}, {"note": "Nothing to see"}, {"label": "Nobody"}):
        with subtests.test(**change), undone():
            removed.update(**change)

            assert "This is not what was signed" in client.get(f"{ADDRESS}{review.pk}/").content.decode()


def test_nothing_is_signed_while_a_right_has_no_verdict(policies, review, manager, contributor):
    decide(review, manager, (line(review, contributor, "contributor"), Verdict.REMOVE, ""))

    with pytest.raises(ReviewError, match="5 rights have no verdict"):
        access_review.sign(review, statement="All.", by=manager)

    assert members.roles_of(policies, contributor) == [Role.CONTRIBUTOR]


def test_a_right_given_meanwhile_is_taken_in_before_the_signature(policies, review, manager, stranger):
    members.add_member(policies, stranger, Role.MEMBER, by=manager)
    access_review.keep_the_rest(review, by=manager)

    with pytest.raises(ReviewError, match="1 right was given since"):
        access_review.sign(review, statement="All.", by=manager)

    assert access_review.catch_up(review, by=manager) == 1
    with pytest.raises(ReviewError, match="1 right has no verdict"):
        access_review.sign(review, statement="All.", by=manager)


def test_a_right_that_went_meanwhile_is_shown_so_and_needs_no_verdict(
    policies, review, manager, contributor, client_of
):
    members.remove_member(policies, contributor, Role.CONTRIBUTOR, by=manager)
    access_review.keep_the_rest(review, by=manager)

    before = client_of(manager).get(f"{ADDRESS}{review.pk}/").content.decode()
    access_review.sign(review, statement="All.", by=manager)
    after = client_of(manager).get(f"{ADDRESS}{review.pk}/").content.decode()

    assert "Gone since the review began" in before
    assert "Gone before it was signed" in after
    assert told(EventType.ACCESS_REVIEW_SIGNED)[0]["details"]["gone"] == 1


def test_the_last_manager_cannot_be_reviewed_away_and_nothing_else_happens_then(policies, review, manager, contributor):
    decide(
        review,
        manager,
        (line(review, manager, "manager"), Verdict.REMOVE, ""),
        (line(review, contributor, "contributor"), Verdict.REMOVE, ""),
    )
    access_review.keep_the_rest(review, by=manager)

    with pytest.raises(ReviewError, match=r"“Workspace manager” of manager cannot be removed: .*at least one manager"):
        access_review.sign(review, statement="All.", by=manager)

    review.refresh_from_db()
    assert review.signed_at is None
    assert members.roles_of(policies, contributor) == [Role.CONTRIBUTOR]


def test_a_manager_may_remove_herself_with_others_because_her_own_right_ends_last(
    policies, manager, contributor, stranger
):
    members.add_member(policies, stranger, Role.MANAGER, by=None)
    members.add_member(policies, manager, Role.MEMBER, by=None)
    review = access_review.start(policies, by=manager)
    doomed = [
        line(review, manager, "manager"),
        line(review, manager, "member"),
        line(review, contributor, "contributor"),
    ]
    decide(review, manager, *((one, Verdict.REMOVE, "") for one in doomed))
    access_review.keep_the_rest(review, by=manager)

    access_review.sign(review, statement="All.", by=manager)

    assert members.roles_of(policies, manager) == members.roles_of(policies, contributor) == []


def test_two_managers_at_once_make_one_signature(policies, review, manager, stranger):
    members.add_member(policies, stranger, Role.MANAGER, by=None)
    access_review.catch_up(review, by=manager)
    access_review.keep_the_rest(review, by=manager)
    stale = AccessReview.objects.get(pk=review.pk)

    access_review.sign(review, statement="Mine.", by=manager)

    with pytest.raises(ReviewError, match="manager has signed"):
        access_review.sign(stale, statement="No, mine.", by=stranger)
    with pytest.raises(ReviewError, match="has signed"):
        decide(stale, stranger, (stale.lines.first(), Verdict.REMOVE, ""))
    assert len(told(EventType.ACCESS_REVIEW_SIGNED)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_signatures_in_the_same_moment_leave_one(policies, manager, stranger):
    members.add_member(policies, stranger, Role.MANAGER, by=None)
    review = access_review.start(policies, by=manager)
    access_review.keep_the_rest(review, by=manager)
    together, outcomes = threading.Barrier(2), []

    def sign(by):
        together.wait()
        try:
            access_review.sign(AccessReview.objects.get(pk=review.pk), statement="Mine.", by=by)
            outcomes.append("signed")
        except ReviewError:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=sign, args=(by,)) for by in (manager, stranger)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["refused", "signed"]
    assert len(told(EventType.ACCESS_REVIEW_SIGNED)) == 1


def test_nothing_is_signed_or_removed_when_the_trail_cannot_be_written(
    policies, review, manager, contributor, monkeypatch
):
    decide(review, manager, (line(review, contributor, "contributor"), Verdict.REMOVE, ""))
    access_review.keep_the_rest(review, by=manager)

    def fail(*args, **kwargs):
        raise RuntimeError("no trail")

    monkeypatch.setattr("workspaces.access_review.reviewing.record", fail)
    with pytest.raises(RuntimeError):
        access_review.sign(review, statement="All.", by=manager)

    review.refresh_from_db()
    assert review.signed_at is None
    assert members.roles_of(policies, contributor) == [Role.CONTRIBUTOR]


# --- Who may ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["contributor", "reviewer", "member", "auditor", "admin", "stranger"])
def test_nobody_else_reviews(who, review, policies, request, client_of):
    somebody = request.getfixturevalue(who)
    inside = who not in {"admin", "stranger"}
    client, one = client_of(somebody), review.lines.first()

    for address in ("", f"{review.pk}/"):
        assert client.get(ADDRESS + address).status_code == (403 if inside else 404)
    for address in ("start/", *(f"{review.pk}/{act}/" for act in ("decide", "catch-up", "sign"))):
        assert client.post(ADDRESS + address, {f"note-{one.pk}": ""}).status_code == (403 if inside else 404)
    for act in (
        lambda: access_review.start(policies, by=somebody),
        lambda: decide(review, somebody, (one, Verdict.REMOVE, "")),
        lambda: access_review.keep_the_rest(review, by=somebody),
        lambda: access_review.catch_up(review, by=somebody),
        lambda: access_review.sign(review, statement="x", by=somebody),
    ):
        with pytest.raises(Forbidden if inside else Hidden):
            act()


def test_a_review_of_another_workspace_does_not_exist_in_mine(make_workspace, policies, manager, stranger, client_of):
    foreign = access_review.start(make_workspace("other", manager=stranger), by=stranger)
    client = client_of(manager)

    assert client.get(f"{ADDRESS}{foreign.pk}/").status_code == 404
    for act in ("decide", "catch-up", "sign"):
        assert client.post(f"{ADDRESS}{foreign.pk}/{act}/", {"statement": "Mine now"}).status_code == 404


def test_lines_of_another_review_are_not_decided_through_mine(make_workspace, review, manager, stranger, client_of):
    foreign = access_review.start(make_workspace("other", manager=stranger), by=stranger)
    theirs = foreign.lines.first()

    client_of(manager).post(
        f"{ADDRESS}{review.pk}/decide/", {f"note-{theirs.pk}": "x", f"verdict-{theirs.pk}": "remove"}
    )

    theirs.refresh_from_db()
    assert theirs.verdict == ""


def test_a_restricted_title_is_not_told_to_who_manages_people_alone(policies, secret, admin, stranger, client_of):
    custom_roles.create_role(code="people", name="Staffing", purpose="x", actions=[Action.MANAGE_PEOPLE], by=admin)
    members.add_member(policies, stranger, "people", by=None)
    review = access_review.start(policies, by=stranger)

    shown = client_of(stranger).get(f"{ADDRESS}{review.pk}/").content.decode()

    assert "Salary bands" not in shown
    assert "Restricted document" in shown


# --- The pages ----------------------------------------------------------------------------------------------


def test_a_manager_works_through_a_review_on_the_page(policies, manager, contributor, member, client_of):
    client = client_of(manager)
    client.post(f"{ADDRESS}start/")
    review = AccessReview.objects.get()
    address = f"{ADDRESS}{review.pk}/"
    doomed = line(review, contributor, "contributor")
    sent = {f"note-{doomed.pk}": "Left", f"verdict-{doomed.pk}": "remove", "keep_rest": "yes", "page": "1"}

    saved = client.post(f"{address}decide/", sent, follow=True).content.decode()
    unsigned = client.post(f"{address}sign/", {"statement": " "})
    signed = client.post(f"{address}sign/", {"statement": "I looked at <everybody>."}, follow=True).content.decode()
    listed = client.get(ADDRESS).content.decode()

    assert "Saved 6 verdicts." in saved
    assert unsigned.status_code == 409
    assert "Say in a sentence" in unsigned.content.decode()
    assert "I looked at &lt;everybody&gt;." in signed
    assert "Removed" in signed
    assert AccessReview.objects.get().outcome_sha256 in signed
    assert f"{address}" in listed
    assert members.roles_of(policies, contributor) == []


@pytest.mark.parametrize(
    "sent",
    [
        {"note-nonsense": "x"},
        {"note-0b0c9a4e-6d2f-4a43-9f3b-1f3c2f1c7a10": "x"},
        {"verdict": "remove"},
        {"page": "999", "verdict-x": "keep"},
    ],
)
def test_a_made_up_form_changes_nothing(review, manager, client_of, sent):
    response = client_of(manager).post(f"{ADDRESS}{review.pk}/decide/", sent, follow=True)

    assert response.status_code == 200
    assert not review.lines.exclude(verdict="").exists()


def test_a_verdict_that_is_none_is_refused(review, manager, client_of):
    one = review.lines.first()

    response = client_of(manager).post(
        f"{ADDRESS}{review.pk}/decide/", {f"note-{one.pk}": "", f"verdict-{one.pk}": "promote"}, follow=True
    )

    assert "do not belong to this review" in response.content.decode()


def test_the_page_asks_as_many_queries_for_many_as_for_few(policies, review, manager, make_user, client_of):
    client = client_of(manager)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{ADDRESS}{review.pk}/").status_code == 200
        return len(captured)

    few = queries()
    for number in range(12):
        members.add_member(policies, make_user(f"person-{number}"), Role.MEMBER, by=manager)
    access_review.catch_up(review, by=manager)

    assert queries() == few


# --- The reminder -------------------------------------------------------------------------------------------


def aged(workspace, days):
    Workspace.objects.filter(pk=workspace.pk).update(created_at=timezone.now() - timedelta(days=days))


def test_the_people_page_reminds_managers_when_the_last_review_is_too_long_ago(
    policies, manager, member, client_of, settings
):
    def is_reminded(person):
        return "has been due since" in client_of(person).get("/w/policies/people/").content.decode()

    assert not is_reminded(manager)
    aged(policies, settings.ACCESS_REVIEW_DAYS + 1)
    assert is_reminded(manager)
    assert not is_reminded(member)

    policies.refresh_from_db()
    review = access_review.start(policies, by=manager)
    access_review.keep_the_rest(review, by=manager)
    access_review.sign(review, statement="All.", by=manager)
    assert not is_reminded(manager)

    AccessReview.objects.update(signed_at=timezone.now() - timedelta(days=settings.ACCESS_REVIEW_DAYS + 1))
    assert is_reminded(manager)


def test_group_grants_are_shown_even_when_the_group_was_granted_nothing_else(policies, secret, admin, manager, member):
    """A person granted by name and through a group holds one right for two reasons."""
    finance = groups.create_group(name="Finance", by=admin)
    groups.add_to_group(finance, member, by=admin)
    access.grant(restriction.OPEN_DOCUMENT, finance.group, secret)
    assert DocumentGroupGrant.objects.count() == 1

    review = access_review.start(policies, by=manager)

    reason = line(review, member, str(secret.pk)).reason
    assert reason.startswith("By name, by manager")
    assert reason.endswith("Through the group “Finance”.")
