"""The operator's way to a workspace with people in it."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit.events import EventType
from audit.models import Event
from workspaces import access
from workspaces.members import roles_of
from workspaces.models import User, Workspace

pytestmark = pytest.mark.django_db


def create(*arguments) -> str:
    out = StringIO()
    call_command("workspace", "create", *arguments, stdout=out)
    return out.getvalue()


def test_a_workspace_is_created_with_people_in_their_roles(manager):
    create(
        "hr",
        "--name",
        "Human resources",
        "--manager",
        "manager",
        "--member",
        "ann",
        "--member",
        "ben",
        "--reviewer",
        "ann",
    )

    workspace = Workspace.objects.get(slug="hr")
    assert (workspace.name, workspace.review_policy) == ("Human resources", "open")
    assert roles_of(workspace, manager) == ["manager"]
    assert roles_of(workspace, User.objects.get(username="ann")) == ["member", "reviewer"]
    assert Event.objects.filter(type=EventType.MEMBER_ADDED).count() == 4


def test_accounts_that_do_not_exist_are_created_and_open_to_nobody():
    said = create("hr", "--manager", "ann")

    assert not User.objects.get(username="ann").has_usable_password()
    assert "New accounts without a password: ann." in said


def test_scripts_get_one_json_document():
    answer = json.loads(create("legal", "--policy", "review", "--reviewer", "ann", "--json"))

    assert answer["workspace"] == "legal"
    assert answer["policy"] == "review"
    assert answer["people"] == {"reviewer": ["ann"]}
    assert answer["created_accounts"] == ["ann"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["Not A Slug"], "lower-case letters"),
        (["policies"], "already a workspace"),
    ],
)
def test_what_cannot_be_created_is_refused_and_leaves_nothing(arguments, sentence, policies):
    before = Workspace.objects.count()
    with pytest.raises(CommandError, match=sentence) as refusal:
        create(*arguments, "--manager", "ann")

    assert refusal.value.returncode == 2
    assert Workspace.objects.count() == before
    assert not User.objects.filter(username="ann").exists()


def test_an_unknown_policy_is_bad_usage():
    with pytest.raises(CommandError, match="invalid choice"):
        create("hr", "--policy", "whatever")


def test_the_first_administrator_is_made_from_the_command_line(db):
    call_command("administrator", "root-of-trust", json=True)
    user = User.objects.get(username="root-of-trust")
    assert access.platform_actions(user)
    assert not user.has_usable_password()

    call_command("administrator", "root-of-trust", "--remove", json=True)
    assert not access.platform_actions(user)


def test_an_unknown_account_cannot_lose_the_role(db):
    with pytest.raises(CommandError, match="no active account"):
        call_command("administrator", "nobody-here", "--remove")
