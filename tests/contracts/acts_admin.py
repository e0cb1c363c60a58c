"""The rows of the table about the admin."""

from typing import Any

from answers.endpoints import built_in, choose_models
from answers.queue.order import claim
from answers.review import assign
from audit.chain import digest
from audit.events import EventType
from documents.access.restriction import grant
from documents.deletion import holds
from documents.models import LegalHold
from tests.answers.review_scene import CLAUSES
from tests.contracts.acts import BUDGET, DOCUMENT, READER, RESTRICTED, Act, Before, one, pause_the_source
from tests.contracts.world import One, World

E = EventType
ADMINISTRATORS = frozenset({"admin", "superuser"})
REVIEWERS, MANAGERS, AUDITORS = frozenset({"reviewer"}), frozenset({"manager"}), frozenset({"auditor"})
ACCOUNT = {"first_name": "A new name", "last_name": "", "email": "", "is_active": "on"}
ACCOUNT |= {"administrator": "", "new_password": "", "without_factors": ""}
EMBEDDING = {
    "name": "more-vectors",
    "base_url": "http://127.0.0.1:9/v1",
    "model": "m",
    "dimension": "8",
    "query_prefix": "",
    "passage_prefix": "",
    "languages": "*",
    "key_reference": "",
    "ceiling": "confidential",
    "price": "",
    "currency": "EUR",
    "batch": "16",
    "seconds": "5",
    "requests_per_minute": "",
    "floor": "0.3",
    "residency": "unknown",
    "owner": "",
    "purpose": "",
    "residency_note": "",
}
RERANKER = {
    "name": "another-judge",
    "protocol": "tei",
    "base_url": "http://127.0.0.1:9/v1",
    "model": "",
    "key_reference": "",
    "ceiling": "confidential",
    "price": "",
    "seconds": "3",
    "requests_per_minute": "",
    "residency": "unknown",
    "owner": "",
    "purpose": "",
    "residency_note": "",
}
ENDPOINT = {
    "name": "second",
    "kind": "openai",
    "provider": "other",
    "key_header": "bearer",
    "length_field": "max_completion_tokens",
    "sends_temperature": "on",
    "ceiling": "internal",
    "residency": "unknown",
    "base_url": "http://127.0.0.1:9/v1",
    "model": "m",
    "key_reference": "",
    "connect_seconds": "1",
    "first_token_seconds": "1",
    "total_seconds": "1",
    "max_output_tokens": "10",
    "owner": "",
    "purpose": "",
    "residency_note": "",
    "api_version": "",
    "asks_usage": "on",
    "input_price": "",
    "output_price": "",
    "training_price": "",
    "context_tokens": "",
    "requests_per_minute": "",
    "concurrent_requests": "",
}


def _at(name: str) -> dict[str, One]:
    return {"object_id": one(name)}


def _draft(
    act: str,
    event: EventType | None,
    draft: str = "draft",
    *,
    variant: str = "",
    before: Before | None = None,
    why_no_entry: str = "",
    **sent: Any,
) -> Act:
    name, sent = f"admin:answers_draft_{act}", {"reason": "", "template": "", "seen_sha256": ""} | sent
    return Act(
        name,
        "reviewer",
        event,
        {"pk": one(draft)},
        sent,
        before=before,
        may=REVIEWERS,
        why_no_entry=why_no_entry,
        variant=variant,
    )


def _admin(
    name: str, event: EventType, address: dict[str, One] | None = None, sent: dict[str, Any] | None = None, **more: Any
) -> Act:
    who, may = more.pop("who", "admin"), more.pop("may", ADMINISTRATORS)
    return Act(f"admin:{name}", who, event, address or {}, sent or {}, may=may, **more)


def _as(who: str, may: frozenset[str]) -> dict[str, Any]:
    return {"who": who, "may": may}


def _hash(world: World) -> str:
    return digest(world.own.draft.text)


def _on_the_desk(world: World) -> None:
    assign(world.own.draft, to=world.people["reviewer"], by=world.people["reviewer"])


def _claimed(world: World) -> None:
    claim(world.own.draft, by=world.people["reviewer"])


def _claimed_by_another(world: World) -> None:
    claim(world.own.draft, by=world.people["second-reviewer"])


def _with_models(world: World) -> None:
    choose_models(world.own.workspace, default=built_in(), choices=[], by=world.people["manager"])


def _granted_to_the_group(world: World) -> None:
    grant(world.own.restricted, world.group, by=world.people["manager"])


def _hold_whole(world: World) -> None:
    holds.place(world.own.workspace, by=world.people["admin"], reason="Court order.")


def _whole(world: World) -> str:
    """The hold that was placed before, which would keep every other act from deleting if it always stood."""
    hold = LegalHold.objects.filter(workspace=world.own.workspace, document=None, lifted_at=None).first()
    return str(hold.pk) if hold else ""


MANAGER, REVIEWER, AUDITOR = _as("manager", MANAGERS), _as("reviewer", REVIEWERS), _as("auditor", AUDITORS)
#: The four buttons share a form.
NOBODY = {"person": "", "group": ""}
OPENED = {"declassify": "on", "declassify_why": "It is printed.", "readers": [READER]}
SEEN = {"reason": "Each sentence stands in its source.", "seen_sha256": _hash}

ADMIN = [
    _admin("logout", E.USER_SIGNED_OUT, sent={"next": ""}, may=REVIEWERS | MANAGERS | AUDITORS | ADMINISTRATORS),
    _draft("approve", E.DRAFT_APPROVED, then="next", **SEEN),
    _draft("approve", E.ANSWER_DECLASSIFIED, variant="declassify", **OPENED, **SEEN),
    _draft("return", E.DRAFT_RETURNED, questions="Which carrier?", then="", **SEEN),
    _draft("reject", E.DRAFT_REJECTED, then="", **SEEN),
    _draft("edit", E.DRAFT_EDITED, text=f"{CLAUSES[1]} [2]", why="Shorter.", seen_sha256=_hash),
    _draft("edit", E.DRAFT_EDITED, variant="approve", then="approve", text=f"{CLAUSES[1]} [2]", seen_sha256=_hash),
    _draft("submit", E.DRAFT_SUBMITTED, "returned"),
    _draft("assign", E.DRAFT_ASSIGNED),
    _draft("claim", E.DRAFT_CLAIMED),
    _draft("claim", E.DRAFT_CLAIMED, variant="take-over", before=_claimed_by_another, take_over="yes"),
    _draft("let_go", E.DRAFT_CLAIM_ENDED, before=_claimed),
    _draft(
        "alike",
        E.DRAFTS_BULK_APPROVED,
        drafts=[one("draft")],
        reason="Each is the same.",
        seen_sha256=_hash,
    ),
    _draft("rank", E.DRAFT_RANKED, priority="4", due_at="2030-01-31T12:00"),
    _draft("comment", E.DRAFT_COMMENTED, comment="Look at the second clause, @second-reviewer."),
    _draft(
        "check",
        None,
        text=f"{CLAUSES[1]} [2]",
        was="",
        why_no_entry="It looks at a text being typed, keeps nothing of it and tells nothing of the draft's own.",
    ),
    _admin("answers_draft_next", E.DRAFT_CLAIMED, sent={"but": ""}, **REVIEWER),
    _admin(
        "answers_draft_save_view",
        E.VIEW_SAVED,
        sent={"name": "Urgent", "filters": "state=waiting&priority=4", "is_default": "on"},
        **REVIEWER,
    ),
    _admin("answers_draft_delete_view", E.VIEW_DELETED, {"pk": one("view")}, **REVIEWER),
    _admin("answers_examination_next", E.EXAMINATION_CLAIMED, sent={"but": ""}, **REVIEWER),
    _admin(
        "answers_examination_save_view",
        E.VIEW_SAVED,
        sent={"name": "Urgent", "filters": "state=held&priority=4", "is_default": "on"},
        **REVIEWER,
    ),
    _admin("answers_examination_delete_view", E.VIEW_DELETED, {"pk": one("view")}, **REVIEWER),
    _draft("release", E.DRAFT_ASSIGNED, before=_on_the_desk),
    _admin(
        "answers_answer_declassify",
        E.ANSWER_DECLASSIFIED,
        {"pk": one("released")},
        {"reason": "Printed.", "readers": [READER]},
        **REVIEWER,
    ),
    _admin(
        "answers_answer_classify",
        E.DECLASSIFICATION_ENDED,
        {"pk": one("declassified")},
        {"reason": "A mistake."},
        **REVIEWER,
    ),
    Act("admin_health_compare", "admin", E.INDEX_CHECKED, {"pk": one("workspace")}, may=ADMINISTRATORS),
    _admin("documents_embeddingendpoint_add", E.ENDPOINT_CHANGED, sent=EMBEDDING),
    _admin("documents_embeddingendpoint_change", E.ENDPOINT_CHANGED, _at("embedding"), EMBEDDING | {"name": "vectors"}),
    _admin("documents_rerankendpoint_add", E.ENDPOINT_CHANGED, sent=RERANKER),
    _admin("documents_rerankendpoint_change", E.ENDPOINT_CHANGED, _at("reranker"), RERANKER | {"name": "judge"}),
    _admin("answers_modelendpoint_add", E.ENDPOINT_CHANGED, sent=ENDPOINT),
    _admin("answers_modelendpoint_change", E.ENDPOINT_CHANGED, _at("endpoint"), ENDPOINT),
    _admin("answers_modelendpoint_test", E.ENDPOINT_TESTED, {"pk": one("built_in")}),
    *(
        _admin(f"{kind}_state", E.ENDPOINT_RETIRED, {"pk": one(name), "state": one(name, lambda _thing: "retired")})
        for kind, name in (
            ("answers_modelendpoint", "endpoint"),
            ("documents_embeddingendpoint", "embedding"),
            ("documents_rerankendpoint", "reranker"),
        )
    ),
    _admin(
        "answers_workspacemodels_add",
        E.WORKSPACE_CHANGED,
        sent={"workspace": one("workspace"), "default_endpoint": one("endpoint"), "choices": [one("endpoint")]},
        **MANAGER,
    ),
    _admin(
        "answers_workspacemodels_change",
        E.WORKSPACE_CHANGED,
        _at("workspace"),
        {"default_endpoint": one("endpoint"), "choices": [one("endpoint")]},
        before=_with_models,
        **MANAGER,
    ),
    _admin("documents_document_restrict", E.DOCUMENT_RESTRICTED, DOCUMENT, NOBODY, **MANAGER),
    _admin("documents_document_unrestrict", E.DOCUMENT_UNRESTRICTED, RESTRICTED, NOBODY, **MANAGER),
    _admin(
        "documents_document_grant",
        E.DOCUMENT_GRANTED,
        RESTRICTED,
        {"person": one("reader", lambda user: user.username), "group": ""},
        **MANAGER,
    ),
    _admin(
        "documents_document_grant", E.DOCUMENT_GRANTED, RESTRICTED, {"group": one("group")}, variant="group", **MANAGER
    ),
    _admin(
        "documents_document_revoke",
        E.DOCUMENT_REVOKED,
        RESTRICTED,
        {"person": one("person", lambda user: user.username)},
        **MANAGER,
    ),
    _admin(
        "documents_document_revoke",
        E.DOCUMENT_REVOKED,
        RESTRICTED,
        {"group": one("group")},
        before=_granted_to_the_group,
        variant="group",
        **MANAGER,
    ),
    _admin("documents_legalhold_place", E.HOLD_PLACED, {"pk": one("workspace")}, {"reason": "Court order."}),
    _admin(
        "documents_legalhold_lift",
        E.HOLD_LIFTED,
        {"pk": one("workspace")},
        {"hold": _whole, "reason": "It is over."},
        before=_hold_whole,
    ),
    _admin("documents_source_run", E.SOURCE_RUN_ASKED, {"pk": one("source")}, **MANAGER),
    _admin("documents_source_pause", E.SOURCE_PAUSED, {"pk": one("source")}, **MANAGER),
    _admin("documents_source_resume", E.SOURCE_RESUMED, {"pk": one("source")}, before=pause_the_source, **MANAGER),
    _admin("audit_event_verify", E.TRAIL_VERIFIED, sent={"chain": one("workspace", lambda w: w.slug)}, **AUDITOR),
    _admin(
        "audit_event_export",
        E.TRAIL_EXPORTED,
        sent={"chain": one("workspace", lambda w: w.slug), "kind": "jsonl", "after": ""},
        **AUDITOR,
    ),
    _admin(
        "audit_event_pack",
        E.TRAIL_PACKED,
        sent={"chain": [one("workspace", lambda w: w.slug)], "since": "", "until": ""},
        may_stay=frozenset({"audit_checkpoint"}),
        **AUDITOR,
    ),
    _admin(
        "workspaces_workspace_add",
        E.WORKSPACE_CREATED,
        sent={"name": "Travel", "slug": "travel", "description": "", "review_policy": "open", "manager": one("person")},
        may=ADMINISTRATORS | MANAGERS,
    ),
    _admin(
        "workspaces_workspace_change",
        E.WORKSPACE_CHANGED,
        _at("workspace"),
        {
            "name": "Rules",
            "description": "",
            "review_policy": "open",
            "archived": "on",
            "second_approver_from": "",
            "uploader_may_approve": "on",
        },
        **MANAGER,
    ),
    _admin(
        "workspaces_workspace_people",
        E.MEMBER_ADDED,
        {"pk": one("workspace")},
        {"username": "newcomer", "roles": ["member"]},
        may=ADMINISTRATORS | MANAGERS,
    ),
    _admin(
        "workspaces_workspace_people",
        E.MEMBER_ADDED,
        {"pk": one("workspace")},
        {"person": one("reader"), "roles": ["member", "contributor"]},
        variant="person",
        may=ADMINISTRATORS | MANAGERS,
    ),
    _admin(
        "workspaces_claimrule_add",
        E.CLAIM_RULE_ADDED,
        sent={"claim": "staff-hr", "workspace": one("workspace"), "role": "member", "people_group": ""},
    ),
    _admin(
        "workspaces_claimrule_add",
        E.CLAIM_RULE_ADDED,
        sent={"claim": "staff-hr", "people_group": one("group")},
        variant="group",
    ),
    _admin("workspaces_claimrule_delete", E.CLAIM_RULE_REMOVED, _at("rule")),
    _admin("workspaces_peoplegroup_add", E.GROUP_CREATED, sent={"name": "Tax", "description": ""}),
    _admin("workspaces_peoplegroup_change", E.GROUP_CHANGED, _at("group"), {"name": "Tax", "description": ""}),
    _admin("workspaces_peoplegroup_delete", E.GROUP_DELETED, _at("group"), {"with_its_uses": "on"}),
    _admin("workspaces_peoplegroup_add_person", E.GROUP_MEMBER_ADDED, {"pk": one("group")}, {"username": "newcomer"}),
    _admin("workspaces_peoplegroup_remove_person", E.GROUP_MEMBER_REMOVED, {"pk": one("group")}, {"person": READER}),
    _admin(
        "workspaces_user_add",
        E.USER_CREATED,
        sent={"username": "somebody.new", "first_name": "", "email": "", "password": "a-long-enough-one-9"},
    ),
    _admin("workspaces_user_change", E.USER_CHANGED, _at("person"), ACCOUNT),
    _admin(
        "workspaces_user_change",
        E.USER_CHANGED,
        _at("person"),
        ACCOUNT | {"new_password": "a-long-enough-one-9", "administrator": "on", "without_factors": "on"},
        variant="all",
    ),
    _admin("workspaces_user_view_as", E.VIEW_AS_STARTED, {"pk": one("person")}, {"reason": "Ticket 4711"}),
    _admin(
        "workspaces_customrole_add",
        E.ROLE_CREATED,
        sent={"name": "Clerk", "code": "clerk", "purpose": "Files.", "actions": ["open_documents"]},
    ),
    _admin(
        "workspaces_customrole_change",
        E.ROLE_CHANGED,
        _at("role"),
        {"name": "Clerk", "purpose": "Files.", "actions": ["open_documents", "add_documents"]},
    ),
    _admin("workspaces_customrole_retire", E.ROLE_RETIRED, {"pk": one("role")}),
    _admin("workspaces_apitoken_revoke", E.TOKEN_REVOKED, {"pk": one("token")}),
    _admin("workspaces_platformpolicy_changelist", E.POLICY_CHANGED, sent={"second_factor_roles": ["manager"]}),
    _admin("answers_budget_changelist", E.BUDGET_CHANGED, sent=BUDGET),
    _admin(
        "answers_budget_change",
        E.BUDGET_CHANGED,
        {"object_id": one("workspace", lambda w: "1")},
        BUDGET,
    ),
    _admin(
        "workspaces_platformpolicy_change",
        E.POLICY_CHANGED,
        {"object_id": one("workspace", lambda w: "1")},
        {"second_factor_roles": ["manager"]},
    ),
]
