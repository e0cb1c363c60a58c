"""Help for who has lost a second factor, the rule that demands one, and the names browsers are listed by."""

import json

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.urls import reverse

from audit.events import EventType
from audit.models import Event
from tests.workspaces.sign_in_scene import browser, give_app, is_signed_in, set_up_app, sign_in
from workspaces import policy
from workspaces.exceptions import Forbidden, RoleError
from workspaces.identity import factors
from workspaces.models import PlatformPolicy
from workspaces.templatetags.browsers import browser_name
from workspaces.tokens import keeping as tokens

pytestmark = pytest.mark.django_db
POLICY = reverse("admin:workspaces_platformpolicy_changelist")


def page_of(user) -> str:
    return reverse("admin:workspaces_user_change", args=[user.pk])


def form_of(user, **changed: str) -> dict[str, str]:
    return {"first_name": "", "last_name": "", "email": "", "is_active": "on", "new_password": "", **changed}


def test_an_administrator_removes_the_factors_of_who_has_lost_them(client_of, admin, member, policies):
    lost = browser("member")
    set_up_app(lost)
    token, _text = tokens.create(by=member, name="Report", workspaces=[policies], actions=["ask_questions"])

    client_of(admin).post(page_of(member), form_of(member, without_factors="on"))

    assert not Authenticator.objects.filter(user=member).exists()
    assert not is_signed_in(lost)
    token.refresh_from_db()
    assert token.revoked_by == admin
    assert is_signed_in(browser("member"))
    removed = Event.objects.filter(type=EventType.FACTOR_REMOVED)
    assert {(entry.actor_id, entry.object_id) for entry in removed} == {(str(admin.pk), str(member.pk))}


def test_saving_an_account_otherwise_leaves_its_factors(client_of, admin, member):
    give_app(member)

    client_of(admin).post(page_of(member), form_of(member, first_name="Named"))

    assert factors.kinds(member) == ["totp", "recovery_codes"]


def test_nobody_else_removes_factors(manager, member, policies):
    give_app(member)

    with pytest.raises(Forbidden):
        factors.remove_all(member, by=manager)

    assert factors.kinds(member) == ["totp", "recovery_codes"]


def test_an_administrator_does_not_remove_those_of_a_superuser(admin, member):
    member.is_superuser = True
    member.save()
    give_app(member)

    with pytest.raises(Forbidden):
        factors.remove_all(member, by=admin)


def test_the_list_of_people_tells_who_has_a_factor(client_of, admin, member):
    give_app(member)

    people = client_of(admin).get(reverse("admin:workspaces_user_changelist")).context["cl"].result_list

    assert {person.username: person.has_factor for person in people} == {"admin": False, "member": True}


def test_the_operator_sees_and_removes_factors_from_a_terminal(member, capsys):
    give_app(member)

    call_command("factors", "member", "--json")
    shown = json.loads(capsys.readouterr().out)
    call_command("factors", "member", "--remove", "--json")
    removed = json.loads(capsys.readouterr().out)

    assert shown == {"user": "member", "factors": ["totp", "recovery_codes"]}
    assert removed == {"user": "member", "removed": ["totp", "recovery_codes"]}
    assert factors.kinds(member) == []
    assert Event.objects.filter(type=EventType.FACTOR_REMOVED, actor_id="").count() == 2


def test_an_administrator_demands_a_second_factor_for_roles(client_of, admin, reviewer, policies):
    client = client_of(admin)
    assert client.get(POLICY).status_code == 200

    client.post(POLICY, {"second_factor_roles": ["reviewer", "manager"]})

    assert PlatformPolicy.objects.get().second_factor_roles == ["manager", "reviewer"]
    (entry,) = Event.objects.filter(type=EventType.POLICY_CHANGED)
    details = json.loads(entry.body)["details"]
    assert details == {"setting": "second_factor_roles", "before": [], "after": ["manager", "reviewer"]}
    assert browser("reviewer").get("/")["Location"].startswith("/account/?next=")


def test_the_rules_pages_open_before_a_first_rule_was_made(client_of, admin):
    client = client_of(admin)

    for name, key in (("change", "1"), ("history", "1"), ("change", "2")):
        status = client.get(reverse(f"admin:workspaces_platformpolicy_{name}", args=[key])).status_code
        assert status == (200 if key == "1" else 404), (name, key)


def test_demanding_the_same_again_is_no_entry(admin):
    for _ in range(2):
        policy.require_second_factor(["reviewer"], by=admin)

    assert Event.objects.filter(type=EventType.POLICY_CHANGED).count() == 1


def test_only_administrators_demand_factors_and_only_for_roles(admin, manager, policies):
    with pytest.raises(Forbidden):
        policy.require_second_factor(["reviewer"], by=manager)
    with pytest.raises(RoleError):
        policy.require_second_factor(["emperor"], by=admin)

    assert not PlatformPolicy.objects.filter(second_factor_roles__contains=["reviewer"]).exists()


@pytest.mark.parametrize(
    ("says", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140 Safari/537 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18) AppleWebKit/605 Version/18 Safari/604", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537 Chrome/140 Mobile Safari/537", "Chrome on Android"),
        ("curl/8.0", "curl/8.0"),
        ("", "Unknown"),
    ],
)
def test_browsers_are_named_as_people_do(says, name):
    assert browser_name(says) == name


def test_what_a_browser_calls_itself_is_text_on_the_page(member):
    client = browser("member", HTTP_USER_AGENT="<script>alert(1)</script>")

    page = client.get("/account/sessions/").content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_account_page_is_reached_from_every_page(client_of, member, policies):
    assert 'href="/account/"' in client_of(member).get("/w/policies/ask/").content.decode()
    assert sign_in(browser("member"), "member").status_code == 302
