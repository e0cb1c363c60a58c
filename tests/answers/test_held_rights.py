"""Rights as the trail tells them are the rights the database holds, after every kind of act; a difference is named."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission

from answers import review
from answers.access import declassification, sharing
from answers.models import Answer, AnswerUserGrant, Draft
from audit.chain import digest
from audit.models import ChainHead
from documents import library
from documents.access import bars as document_bars
from documents.access import restriction
from documents.models import Document, DocumentBar, DocumentUserGrant
from tests.answers.review_scene import CLAUSES, a_document, a_held_answer
from workspaces import custom_roles, groups, held_rights, members
from workspaces.auditing import replay, trail
from workspaces.bars import rules as bars
from workspaces.claim_rules import add_rule, recompute
from workspaces.grants import GroupGrant, UserGrant
from workspaces.models import Bar, Membership, Workspace, WorkspaceGroupGrant, WorkspaceUserGrant
from workspaces.roles import Action

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy(
    legal: Any, manager: Any, member: Any, reviewer: Any, second_reviewer: Any, contributor: Any, admin: Any
) -> Any:
    """The workspace after one act at least of every verb that gives or takes a right, some given back, some left."""
    kept, gone = (groups.create_group(name=name, by=admin) for name in ("Accountants", "Movers"))
    for group in (kept, gone):
        groups.add_to_group(group, contributor, by=admin)
        groups.add_to_group(group, member, by=admin)
    groups.remove_from_group(kept, member, by=admin)
    for code in ("archivist", "courier"):
        made = custom_roles.create_role(code=code, name=code, purpose="Keeps", actions=[Action.OPEN], by=admin)
        members.add_member(legal, contributor, code, by=manager)
    custom_roles.change_role(made, by=admin, name="Courier", purpose="Brings", actions=[Action.OPEN, Action.ASK])
    custom_roles.retire_role(made, by=admin)

    papers = [a_document(legal, title=title, text=f"{CLAUSES[0]} {CLAUSES[1]}") for title in ("A", "B", "C")]
    for paper in papers:
        restriction.restrict(paper.document, by=manager)
        for holder in (reviewer, second_reviewer, kept, gone):
            restriction.grant(paper.document, holder, by=manager)
    restriction.revoke_grant(papers[0].document, reviewer, by=manager)
    restriction.unrestrict(papers[1].document, by=manager)
    library.delete(papers[2].document, by=manager)

    bars.bar(legal, contributor, role="auditor", reason="Keeps the books", by=manager)
    bars.lift(bars.bar(legal, gone, reason="On leave", by=manager), by=manager, reason="Back")
    bars.bar(legal, gone, role="reviewer", reason="Too close", by=manager)
    document_bars.bar(papers[0].document, member, reason="A party to it", by=manager)
    passing = document_bars.bar(papers[0].document, contributor, reason="By mistake", by=manager)
    document_bars.lift(passing, by=manager, reason="It was one")
    groups.delete_group(gone, by=admin, with_its_uses=True)

    rule = add_rule(provider="staff", claim="readers", workspace=legal, role="member", by=admin)
    recompute(contributor, provider="staff", claimed=["readers"])
    recompute(member, provider="staff", claimed=["readers"])
    recompute(contributor, provider="staff", claimed=[])
    members.add_member(legal, admin, "auditor", by=manager)
    members.remove_member(legal, admin, "auditor", by=manager)
    assert rule.pk

    drafts = [a_held_answer(legal, member) for _number in range(3)]
    for draft in drafts:
        review.assign(draft, to=reviewer, by=second_reviewer)
    review.assign(drafts[1], to=second_reviewer, by=reviewer)
    review.edit(drafts[2], text=f"{drafts[2].text} Indeed. [1]", by=reviewer)
    for draft in (drafts[0], a_held_answer(legal, member), a_held_answer(legal, member)):
        draft.refresh_from_db()
        review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    first, second, third = Answer.objects.filter(released_by=reviewer).order_by("pk")
    for answer in (first, second, third):
        sharing.share(answer, to=contributor, by=member)
        sharing.share(answer, to=manager, by=member)
        declassification.declassify(answer, readers=[contributor, manager], reason="They need it", by=second_reviewer)
    sharing.unshare(first, person=manager, by=member)
    declassification.take_back(second, by=second_reviewer, reason="Read")
    declassification.take_back(third, by=second_reviewer, reason="Read")
    declassification.declassify(third, readers=[], reason="Everybody needs it", by=second_reviewer)
    # They leave, with what they were given by name and what lay on their desk.
    for role in ("contributor", "archivist"):
        members.remove_member(legal, contributor, role, by=manager)
    members.remove_member(legal, second_reviewer, "reviewer", by=manager)
    return legal


def told(workspace: Workspace | None, after: int = 0) -> dict[str, Any]:
    which = trail.Chain(workspace)
    return held_rights.over_time(which, after=after, upto=ChainHead.objects.get(chain=which.name).seq)


def test_rights_told_again_from_the_trail_are_those_the_database_holds(busy: Any) -> None:
    rights = told(busy)

    assert rights["differences"] == []
    assert rights["after"] == rights["now"]["rights"]
    left = {right["kind"] for right in rights["after"]}
    assert left == {"role", "group", "allows", "bar", "restricted", "document", "shared", "declassified"}
    ever = {right["kind"] for change in rights["changes"] for right in change["given"]}
    assert ever == {*left, "desk"}
    assert told(None)["differences"] == []


def test_state_before_and_changes_since_lead_to_the_state_after(busy: Any) -> None:
    everything = told(busy)
    length = everything["now"]["entry"]
    for after in (0, length // 3, length - 4, length):
        rights = told(busy, after)
        state = set(map(_bare, rights["before"]))
        for change in rights["changes"]:
            state -= set(map(_bare, change["taken"]))
            state |= set(map(_bare, change["given"]))

        assert state == set(map(_bare, everything["after"])), after


def _bare(right: dict[str, str]) -> tuple[str, ...]:
    """The right without the names, which are the newest ones."""
    return tuple(right.get(part, "") for part in replay.Right._fields)


def test_each_change_says_what_its_people_hold_after_it(policies: Any, manager: Any, member: Any) -> None:
    began = ChainHead.objects.get(chain=trail.Chain(policies).name).seq
    members.add_member(policies, member, "reviewer", by=manager)
    members.remove_member(policies, member, "member", by=manager)

    rights = told(policies, began)

    held = [[right["what"] for right in change["held_after"][f"person:{member.pk}"]] for change in rights["changes"]]
    assert held == [["member", "reviewer"], ["reviewer"]]
    assert [change["by"] for change in rights["changes"]] == ["manager", "manager"]
    assert {(right["holder_name"], right["what"]) for right in rights["before"]} >= {("member", "member")}


def test_people_of_a_group_that_was_never_used_here_are_not_told(policies: Any, admin: Any, member: Any) -> None:
    groups.add_to_group(groups.create_group(name="Choir", by=admin), member, by=admin)

    rights = told(policies)

    assert "group" not in {right["kind"] for right in rights["after"]}
    assert "Choir" not in str(rights)
    assert {right["what_name"] for right in told(None)["after"] if right["kind"] == "group"} == {"Choir"}


def _a_role(workspace: Any, somebody: Any) -> None:
    group = workspace.roles.get(role="manager").group
    Membership.objects.create(user=somebody, group=group)


def _a_grant(workspace: Any, somebody: Any) -> None:
    permission = Permission.objects.get(codename="open_document")
    DocumentUserGrant.objects.create(user=somebody, content_object=Document.objects.first(), permission=permission)


def _a_share(workspace: Any, somebody: Any) -> None:
    permission = Permission.objects.get(codename="read_answer")
    AnswerUserGrant.objects.create(user=somebody, content_object=Answer.objects.first(), permission=permission)


def _an_action(workspace: Any, somebody: Any) -> None:
    permission = Permission.objects.get(codename=Action.MANAGE, content_type__model="workspace")
    WorkspaceUserGrant.objects.create(user=somebody, content_object=workspace, permission=permission)


def _an_action_of_a_role(workspace: Any, somebody: Any) -> None:
    permission = Permission.objects.get(codename=Action.MANAGE, content_type__model="workspace")
    group = workspace.roles.get(role="member").group
    WorkspaceGroupGrant.objects.create(group=group, content_object=workspace, permission=permission)


def _an_open_document(workspace: Any, somebody: Any) -> None:
    Document.objects.filter(restricted=True, deleted_at=None).update(restricted=False)


def _a_lifted_bar(workspace: Any, somebody: Any) -> None:
    DocumentBar.objects.all().delete()


#: What somebody with the database could do past the product: (act, the kind that differs, where it still stands).
PAST_THE_TRAIL: list[tuple[Callable[[Any, Any], None], str, str]] = [
    (_a_role, "role", "database"),
    (_a_grant, "document", "database"),
    (_a_share, "shared", "database"),
    (_an_action, "granted", "database"),
    (_an_action_of_a_role, "granted", "database"),
    (_an_open_document, "restricted", "trail"),
    (_a_lifted_bar, "bar", "trail"),
]


def test_right_that_was_changed_past_the_trail_is_named(legal: Any, manager: Any, member: Any, stranger: Any) -> None:
    paper = a_document(legal, title="A", text=f"{CLAUSES[0]} {CLAUSES[1]}")
    restriction.restrict(paper.document, by=manager)
    document_bars.bar(paper.document, member, reason="A party to it", by=manager)
    a_held_answer(legal, member)
    assert told(legal)["differences"] == []
    known: list[dict[str, str]] = []

    for act, kind, where in PAST_THE_TRAIL:
        act(legal, stranger)

        differences = told(legal)["differences"]
        (found,) = [one for one in differences if one not in known]
        assert (found["kind"], found["only_in"]) == (kind, where)
        known = differences


def test_every_table_of_rights_is_compared() -> None:
    """A new table of grants or bars must be told of: these are the ones the tests above change past the trail."""
    tables = {model for model in apps.get_models() for base in (UserGrant, GroupGrant, Bar) if issubclass(model, base)}
    names = {model.__name__ for model in tables}

    assert names == {
        "WorkspaceUserGrant",
        "WorkspaceGroupGrant",
        "DocumentUserGrant",
        "DocumentGroupGrant",
        "AnswerUserGrant",
        "RoleBar",
        "DocumentBar",
    }


def test_whoever_leaves_is_told_of_with_all_they_were_given(busy: Any, contributor: Any) -> None:
    taken = [right for change in told(busy)["changes"] for right in change["taken"]]

    lost = {right["kind"] for right in taken if right["holder"] == f"person:{contributor.pk}"}
    assert {"role", "shared", "declassified"} <= lost
    assert Draft.objects.filter(assigned_to__isnull=False).count() <= 1
