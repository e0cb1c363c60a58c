"""Rules over an identity provider's groups, as platform administrators keep them in the admin."""

from typing import Any

import pytest

from audit.events import EventType
from audit.models import Event
from workspaces import claim_rules, groups, members
from workspaces.models import ClaimRule


def test_administrator_makes_a_rule_for_a_role_and_one_for_a_group(
    client_of: Any, page: Any, admin: Any, policies: Any
) -> None:
    finance = groups.create_group(name="Finance", by=admin)
    client, add = client_of(admin), page("workspaces_claimrule_add")

    client.post(add, {"claim": " readers ", "workspace": policies.pk, "role": "member"})
    client.post(add, {"claim": "fin", "people_group": finance.pk})

    listed = client.get(page("workspaces_claimrule_changelist")).content.decode()
    assert ClaimRule.objects.filter(claim="readers", workspace=policies, role="member", provider="oidc").exists()
    assert "A place in the group “Finance”" in listed
    assert "Member in Policies" in listed
    assert Event.objects.filter(type=EventType.CLAIM_RULE_ADDED, actor_label="admin").count() == 3


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"claim": "readers"}, "either a role in a workspace"),
        ({"claim": "readers", "role": "member"}, "either a role in a workspace"),
        ({"claim": "readers", "role": "emperor"}, "Select a valid choice"),
        ({"claim": "", "role": "member"}, "required"),
    ],
)
def test_what_is_no_rule_is_refused_in_words(
    client_of: Any, page: Any, admin: Any, sent: dict[str, str], told: str
) -> None:
    shown = client_of(admin).post(page("workspaces_claimrule_add"), sent, follow=True)

    assert told in shown.content.decode()
    assert not ClaimRule.objects.exists()


def test_a_rule_is_removed_after_saying_what_that_takes(
    client_of: Any, page: Any, admin: Any, stranger: Any, policies: Any
) -> None:
    rule = claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=admin)
    claim_rules.recompute(stranger, provider="oidc", claimed=["readers"])
    client, address = client_of(admin), page("workspaces_claimrule_delete", rule.pk)

    assert "1 person loses it now." in client.get(address).content.decode()
    assert members.roles_of(policies, stranger) == ["member"]
    client.post(address)

    assert not ClaimRule.objects.exists()
    assert members.roles_of(policies, stranger) == []


def test_a_rule_is_never_changed(client_of: Any, page: Any, admin: Any, policies: Any, legal: Any) -> None:
    rule = claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=admin)

    sent = {"claim": "everybody", "workspace": legal.pk, "role": "manager"}
    answer = client_of(admin).post(page("workspaces_claimrule_change", rule.pk), sent)

    assert answer.status_code == 403
    rule.refresh_from_db()
    assert (rule.claim, rule.workspace, rule.role) == ("readers", policies, "member")


def test_nobody_else_makes_or_removes_one(client_of: Any, page: Any, manager: Any, policies: Any) -> None:
    rule = claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=None)
    client = client_of(manager)

    made = client.post(page("workspaces_claimrule_add"), {"claim": "all", "workspace": policies.pk, "role": "manager"})
    removed = client.post(page("workspaces_claimrule_delete", rule.pk))

    assert {made.status_code, removed.status_code} <= {403, 404}
    assert list(ClaimRule.objects.all()) == [rule]
