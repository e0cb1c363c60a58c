"""The table the sweeps read: everything a request can change, who does it, what it names, what the trail says of it.

An address that changes something and has no row here fails `test_acts.py`. To add one, copy a neighbour.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from answers.chat import feedback
from answers.draft_review import desk, releasing
from answers.endpoints import BUILT_IN
from answers.evaluation import runs, terms
from answers.finetuning import sealing
from answers.models import Answer, FineTuningJob, ModelEndpoint, TrainingExample, WorkspaceGate, WorkspaceModels
from answers.queue import order as queue
from audit.events import EventType
from documents.models import EmbeddingEndpoint, SpaceComparison, SpaceMigration, WorkspaceSpace
from documents.sources.keeping import pause_source
from tests.contracts import training
from tests.contracts.world import FEED, VISITORS, One, World
from workspaces import members
from workspaces.access_review import reviewing as access_review
from workspaces.glass import breaking as glass
from workspaces.models import AccessReview, AccessReviewLine, Workspace
from workspaces.notifications.registry import MANNERS, Kind
from workspaces.roles import Role

Before = Callable[[World], Any]


@dataclass(frozen=True)
class Act:
    """One thing a request can do."""

    name: str
    who: str | None
    event: EventType | None
    address: dict[str, One] = field(default_factory=dict)
    #: What is sent; a `One` is a thing of the world, a function is called with the world.
    sent: dict[str, Any] = field(default_factory=dict)
    #: What has to be so first.
    before: Before | None = None
    #: Who else may do it; the others of the cast are refused. None: the right its view declares decides.
    may: frozenset[str] | None = None
    #: Why an act leaves no entry.
    why_no_entry: str = ""
    #: Tables in which something may stay although the entry could not be written.
    may_stay: frozenset[str] = frozenset()
    #: The browser it happens in, where a session of `who` alone is not enough.
    client: Callable[[World], Client] | None = None
    #: What follows the path.
    query: str = ""
    #: The same address more than once.
    variant: str = ""

    def __str__(self) -> str:
        return f"{self.name}{f'-{self.variant}' if self.variant else ''}"

    def fields(self) -> set[str]:
        """The names it sends, with # for an id."""
        return {name.replace("{line}", "#") for name in self.sent}

    def ones(self) -> dict[str, One]:
        """What its body names, by field."""
        found = {}
        for name, value in self.sent.items():
            single = value[0] if isinstance(value, list) and value else value
            if isinstance(single, One):
                found[name] = single
        return found

    def path(self, world: World, **instead: str) -> str:
        arguments = {key: one.written(world) for key, one in self.address.items()} | instead
        if self.is_inside:
            arguments = {"slug": "policies", **arguments}
        if self.name.startswith("admin:") and "object_id" in arguments:
            return reverse(self.name, args=[arguments["object_id"]])
        return reverse(self.name, kwargs=arguments) + self.query

    @property
    def is_inside(self) -> bool:
        """Whether its address lies in a workspace."""
        app = self.name.partition(":")[0]
        return app in {"documents", "answers"} or (app == "workspaces" and self.name not in OUTSIDE)

    def body(self, world: World, **instead: Any) -> dict[str, Any]:
        """The fields as a browser sends them. A field may have the id of a thing in its name, as `note-{line}`."""
        sent = {}
        for key, value in (self.sent | instead).items():
            name = key.replace("{line}", str(world.own.line.pk))
            sent[name] = _written(value, world)
        return sent


def _written(value: Any, world: World) -> Any:
    if isinstance(value, One):
        return value.written(world)
    if isinstance(value, list):
        return [_written(one, world) for one in value]
    return value(world) if callable(value) else value


BUDGET = {
    "day_tokens": "1000",
    "day_cost": "",
    "month_tokens": "",
    "month_cost": "12.50",
    "person_day_tokens": "",
    "person_day_cost": "",
}
OUTSIDE = {
    "workspaces:open_notification",
    "workspaces:read_notifications",
    "workspaces:notification_choices",
    "workspaces:tokens",
    "workspaces:revoke_token",
    "workspaces:create",
    "workspaces:glass",
    "workspaces:end_glass",
    "workspaces:end_view",
}


def one(name: str, spelled: Callable[[Any], Any] | None = None) -> One:
    return One(name, spelled) if spelled else One(name)


STAND_INS = {"place_1": one("built_in"), **dict.fromkeys(("place_2", "place_3", "place_4"), "")}


def _person(user: Any) -> str:
    return f"p:{user.pk}"


#: All that the form of a case reads, and that of the gate.
CASE = {"question": "Why?", "refuse": "on", "documents": "", "facts": ""}
_SHARES = ("recall", "precision", "grounding", "refusal", "facts")
GATE = {
    "enabled": "",
    "question_set": one("question_set"),
    **{f"limit_{metric}": "70" for metric in _SHARES},
    **{f"worse_{metric}": "5" for metric in _SHARES},
    **{f"limit_{metric}": "60" for metric in ("p50", "p95", "cost")},
    **{f"bound_{metric}": "" for metric in (*_SHARES, "p50", "p95", "cost")},
}


ASSESSED = {"name": "Tone", "note": "", **training.CHOICES}


#: When the gate was wanted to be off.
SINCE = timezone.now()


def _findings_released(world: World) -> None:
    releasing.approve(world.own.held_examination, by=world.people["second-reviewer"])


def _findings_claimed(world: World) -> None:
    queue.claim(world.own.held_examination, by=world.people["reviewer"])


def _findings_claimed_by_another(world: World) -> None:
    queue.claim(world.own.held_examination, by=world.people["second-reviewer"])


def _findings_on_the_desk(world: World) -> None:
    desk.assign(world.own.held_examination, to=world.people["reviewer"], by=world.people["reviewer"])


def _gate_on(world: World) -> None:
    WorkspaceGate.objects.create(
        workspace=world.own.workspace,
        enabled=True,
        question_set=world.own.question_set,
        set_version=world.own.question_set.version,
        thresholds=[{"metric": "refusal", "limit": 0.8, "by_bound": False, "worse_by": None}],
        changed_by=world.people["manager"],
    )


def _gate_off_wanted(world: World) -> None:
    """By somebody who managed here, so that whoever acts is another person."""
    _gate_on(world)
    stored = WorkspaceGate.objects.get(workspace=world.own.workspace)
    stored.wanted = {**terms.asked(stored), "enabled": False}
    stored.wanted_reason, stored.wanted_at, stored.wanted_by = "It holds up.", SINCE, world.people["reader"]
    stored.save()


def _seen_of_the_gate(world: World) -> str:
    stored = WorkspaceGate.objects.filter(workspace=world.own.workspace).first()
    return terms.mark_of(stored) if stored else ""


def _names_a_person(world: World) -> None:
    TrainingExample.objects.filter(pk=world.own.example.pk).update(personal=["phone"])


def _sealed_where_a_model_is_open(world: World) -> None:
    sealing.seal(world.own.training_set, by=world.people["manager"])
    models, _made = WorkspaceModels.objects.get_or_create(
        workspace=world.own.workspace, defaults={"default_endpoint": world.built_in}
    )
    models.choices.add(world.endpoint)


def _it_came_to_a_model(world: World) -> None:
    FineTuningJob.objects.filter(pk=world.own.tuning_job.pk).update(
        state="succeeded", tuned_model="small-tuned", ended_at=timezone.now(), result=world.endpoint
    )
    _stop_run(world)


def _its_model_was_retired(world: World) -> None:
    FineTuningJob.objects.filter(pk=world.own.tuning_job.pk).update(
        state="succeeded", tuned_model="small-tuned", ended_at=timezone.now()
    )


def _stop_run(world: World) -> None:
    runs.stop(world.own.evaluation, by=world.people["manager"])


def _asked_by_manager(world: World) -> None:
    Answer.objects.filter(pk=world.own.released.pk).update(asked_by=world.people["manager"])


def _break(world: World) -> None:
    glass.break_glass(world.own.workspace, by=world.people["superuser"], reason="Ticket 4711")


def pause_the_source(world: World) -> None:
    pause_source(world.own.source, by=world.people["manager"])


def _given_since(world: World) -> None:
    members.add_member(world.own.workspace, world.people["newcomer"], Role.MEMBER, by=None)


def _worked_through(world: World) -> None:
    access_review.catch_up(world.own.review, by=world.people["manager"])
    access_review.keep_the_rest(world.own.review, by=world.people["manager"])


def _without_review(world: World) -> None:
    AccessReviewLine.objects.filter(review=world.own.review).delete()
    AccessReview.objects.filter(pk=world.own.review.pk).delete()


def _written_by_the_built_in_model(world: World) -> None:
    Answer.objects.filter(pk=world.own.released.pk).update(
        endpoint=world.built_in, raw_output="As the model wrote it.", prompt_sha256="0" * 64
    )


def _in(state: str) -> Before:
    def move(world: World) -> None:
        EmbeddingEndpoint.objects.update(state="approved", approved_at=timezone.now())
        revision = Workspace.objects.get(pk=world.own.workspace.pk).index_revision
        SpaceMigration.objects.filter(pk=world.own.migration.pk).update(
            state=state, covered_revision=revision, switched_at=timezone.now() if state == "switched" else None
        )

    return move


def _elsewhere_searched(world: World) -> None:
    SpaceComparison.objects.filter(migration=world.own.migration).delete()
    SpaceMigration.objects.filter(pk=world.own.migration.pk).delete()
    WorkspaceSpace.objects.create(workspace=world.own.workspace, space=world.own.migration.target)


def _judged(world: World) -> None:
    feedback.give(world.own.released, helped=True, by=world.people["member"])


def _in_work(world: World) -> None:
    Answer.objects.filter(pk=world.own.waiting.pk).delete()


E = EventType
MIGRATION = {"pk": one("migration")}
GAP = {"pk": one("gap")}
TEMPLATE = {
    "name": "Ways out",
    "purpose": "Quotes how to end it.",
    "shape": "list",
    "passages": "5",
    **dict.fromkeys(("use_when", "avoid_when", "instructions", "columns", "examples", "note"), ""),
    **dict.fromkeys(("folder", "tag", "up_to", "format", "since", "endpoint", "review"), ""),
}
DOCUMENT, RESTRICTED = {"pk": one("document")}, {"pk": one("restricted")}
READER = one("reader")
ASKER = frozenset({"member"})
ASKED = {"text": "How can we end it?", "model": "", "template": "", "conversation": one("conversation")}
FILE = SimpleUploadedFile

#: A set of one release rule as its page sends it.
ONE_RULE = {
    "form-TOTAL_FORMS": "1",
    "form-INITIAL_FORMS": "0",
    "form-0-code": "everything",
    "form-0-place": "10",
    "form-0-name": "Everything",
    "form-0-effect": "hold",
    "form-0-condition": "rest",
    "form-0-level": "restricted",
    "form-0-percent": "",
    "form-0-model": "*",
    "form-0-template": "",
    "form-0-role": "member",
    "form-0-second_from": "",
    "form-0-is_on": "on",
    "form-0-remove": "",
    "form-MIN_NUM_FORMS": "0",
    "form-MAX_NUM_FORMS": "30",
    "reason": "A rule of the bank.",
}

SOURCE = {
    "option_url": FEED,
    "secret": "",
    "include": "",
    "exclude": "",
    "classification": "internal",
    "schedule": "manual",
    "max_removed_percent": "20",
}

BULK = {"document": [one("document")], "confirmed": "", "everything": "", "filters": ""}

PORTAL = [
    # Workspaces and their people
    Act(
        "workspaces:create",
        "manager",
        E.WORKSPACE_CREATED,
        sent={"name": "Travel", "slug": "travel", "description": "", "review_policy": "open"},
        may=frozenset({"manager", "admin", "superuser"}),
    ),
    Act(
        "workspaces:settings",
        "manager",
        E.WORKSPACE_CHANGED,
        sent={
            "name": "Rules",
            "description": "",
            "review_policy": "review",
            "second_approver_from": "",
            "uploader_may_approve": "on",
            "withhold_expired": "on",
        },
    ),
    Act("workspaces:archive", "manager", E.WORKSPACE_CHANGED, sent={"archived": "yes"}),
    Act("workspaces:check_readiness", "manager", E.READINESS_ASKED),
    Act("workspaces:move_phase", "manager", E.PHASE_CHANGED, sent={"phase": "pilot"}),
    Act("workspaces:watch_readiness", "manager", E.WORKSPACE_CHANGED, sent={"rhythm": "daily", "valid_days": "9"}),
    Act(
        "workspaces:take_readiness",
        "auditor",
        E.READINESS_REPORT_TAKEN,
        {"pk": one("readiness")},
        may=frozenset({"manager", "reviewer", "auditor"}),
    ),
    Act("workspaces:add_person", "manager", E.MEMBER_ADDED, sent={"username": "newcomer", "roles": ["member"]}),
    Act("workspaces:change_person", "manager", E.MEMBER_REMOVED, {"pk": one("person")}, {"roles": ["contributor"]}),
    Act("workspaces:bars", "manager", E.BARRED, sent={"username": "reader", "role": "", "reason": "Too close."}),
    Act(
        "workspaces:bars",
        "manager",
        E.BARRED,
        sent={"group": one("group"), "role": "reviewer", "reason": "Too close."},
        variant="group",
    ),
    Act("workspaces:lift_bar", "manager", E.BAR_LIFTED, {"pk": one("bar")}, {"reason": "It is over."}),
    Act("workspaces:start_review", "manager", E.ACCESS_REVIEW_STARTED, before=_without_review),
    Act(
        "workspaces:decide_review",
        "manager",
        E.ACCESS_REVIEW_DECIDED,
        {"pk": one("review")},
        {"verdict-{line}": "keep", "note-{line}": "As before.", "keep_rest": "yes", "page": "1"},
    ),
    Act("workspaces:catch_up_review", "manager", E.ACCESS_REVIEW_EXTENDED, {"pk": one("review")}, before=_given_since),
    Act(
        "workspaces:sign_review",
        "manager",
        E.ACCESS_REVIEW_SIGNED,
        {"pk": one("review")},
        {"statement": "All looked at."},
        before=_worked_through,
    ),
    Act(
        "workspaces:tokens",
        "member",
        E.TOKEN_CREATED,
        sent={"name": "Nightly", "workspaces": [one("workspace")], "actions": ["ask_questions"], "days": "30"},
        may=frozenset(VISITORS),
    ),
    Act("workspaces:revoke_token", "member", E.TOKEN_REVOKED, {"pk": one("token")}, may=ASKER),
    Act(
        "workspaces:open_notification",
        "member",
        None,
        {"pk": one("notice")},
        {"stay": "1"},
        may=ASKER,
        why_no_entry="That a person saw what they were told changes nothing but the number beside their bell.",
    ),
    Act(
        "workspaces:read_notifications",
        "member",
        None,
        may=frozenset(VISITORS),
        why_no_entry="As for one of them.",
    ),
    Act(
        "workspaces:notification_choices",
        "member",
        E.NOTIFICATIONS_CHOSEN,
        sent={"language": "", "digest_hour": "7", **{str(kind.value): MANNERS[kind].default for kind in Kind}},
        may=frozenset(VISITORS),
    ),
    Act(
        "workspaces:glass",
        "superuser",
        E.GLASS_BROKEN,
        {"slug": one("workspace", lambda w: w.slug)},
        {"reason": "Ticket", "minutes": "15", "next": ""},
        may=frozenset({"superuser"}),
    ),
    Act(
        "workspaces:end_glass",
        "superuser",
        E.GLASS_ENDED,
        {"slug": one("workspace", lambda w: w.slug)},
        before=_break,
        may=frozenset({"superuser"}),
    ),
    # Documents
    Act(
        "documents:upload",
        "contributor",
        E.DOCUMENT_ADDED,
        sent={
            "files": lambda w: FILE("new.md", b"# New\n\nText."),
            "paths": "new.md",
            "classification": "",
            "folder": "",
        },
    ),
    Act(
        "documents:retry",
        "contributor",
        E.VERSION_RETRIED,
        {"pk": one("failed", lambda v: v.document_id)},
        {"version": one("failed"), "next": "list"},
    ),
    Act("documents:retry_all", "contributor", E.VERSION_RETRIED),
    Act("documents:delete", "manager", E.DOCUMENT_DELETED, DOCUMENT, {"reason": "Out of date."}),
    Act("documents:restore", "manager", E.DOCUMENT_RESTORED, {"pk": one("binned")}),
    Act("documents:look_again", "manager", E.TRACES_SEARCH_ASKED, {"pk": one("deletion")}),
    Act("documents:place_hold", "manager", E.HOLD_PLACED, sent={"document": one("document"), "reason": "Case 12."}),
    Act("documents:lift_hold", "manager", E.HOLD_LIFTED, {"pk": one("hold")}, {"reason": "It is over."}),
    Act(
        "documents:retention",
        "manager",
        E.RETENTION_CHANGED,
        sent={
            "bin_days": "7",
            "after_added_days": "",
            "after_expired_days": "",
            "after_replaced_days": "30",
            "keeps_answers": "on",
            "confirmed": "yes",
        },
    ),
    Act("documents:state_usage", "manager", E.DOCUMENT_USAGE_STATED, DOCUMENT, {"usage": "own"}),
    Act("documents:classify", "manager", E.DOCUMENT_CLASSIFIED, DOCUMENT, {"level": "confidential"}),
    Act("documents:restrict", "manager", E.DOCUMENT_RESTRICTED, DOCUMENT),
    Act("documents:unrestrict", "manager", E.DOCUMENT_UNRESTRICTED, RESTRICTED),
    Act("documents:grant", "manager", E.DOCUMENT_GRANTED, RESTRICTED, {"person": READER}),
    Act("documents:revoke", "manager", E.DOCUMENT_REVOKED, RESTRICTED, {"person": one("person")}),
    Act("documents:let_in", "manager", E.DOCUMENT_GRANTED, RESTRICTED, {"holder": one("reader", _person)}),
    Act("documents:take_back", "manager", E.DOCUMENT_REVOKED, RESTRICTED, {"holder": one("person", _person)}),
    Act("documents:bar", "manager", E.BARRED, DOCUMENT, {"username": "reader", "reason": "Too close."}),
    Act(
        "documents:bar", "manager", E.BARRED, DOCUMENT, {"group": one("group"), "reason": "Too close."}, variant="group"
    ),
    Act(
        "documents:lift_bar",
        "manager",
        E.BAR_LIFTED,
        {"pk": one("document_bar", lambda b: b.document_id), "rule": one("document_bar")},
        {"reason": "It is over."},
    ),
    Act(
        "documents:card",
        "manager",
        E.DOCUMENT_TAGS_CHANGED,
        DOCUMENT,
        {
            "owner": one("manager"),
            "valid_until": "2030-01-01",
            "review_on": "2029-01-01",
            "review_note": "The law.",
            "tags": "Leave, Pay",
            "folder": one("folder"),
            # What was shown, compared with and not looked up.
            **{
                f"initial-{name}": "" for name in ("owner", "valid_until", "review_on", "review_note", "tags", "folder")
            },
        },
        may=frozenset({"manager"}),
    ),
    Act(
        "documents:confirm",
        "manager",
        E.DOCUMENT_CONFIRMED,
        DOCUMENT,
        {"until": "2030-01-01"},
        may=frozenset({"manager"}),
    ),
    # Many documents
    Act("documents:bulk_order", "manager", E.BULK_ASKED, sent=BULK | {"act": "tag", "value": "Old"}),
    Act(
        "documents:bulk_order",
        "manager",
        E.BULK_ASKED,
        sent=BULK | {"act": "move", "value": one("folder")},
        variant="move",
    ),
    Act(
        "documents:bulk_order",
        "manager",
        E.DOCUMENT_DELETED,
        sent=BULK | {"act": "delete", "reason": "Out of date."},
        may=frozenset({"manager"}),
        variant="delete",
    ),
    Act("documents:create_folder", "manager", E.FOLDER_CREATED, sent={"name": "Rules", "parent": one("folder")}),
    Act("documents:rename_folder", "manager", E.FOLDER_RENAMED, {"folder": one("folder")}, {"name": "Rules"}),
    Act("documents:remove_folder", "manager", E.FOLDER_REMOVED, {"folder": one("folder")}),
    # The embedding model
    Act(
        "documents:plan_embedding",
        "manager",
        E.EMBEDDING_PLANNED,
        sent={"to": "minilm-l6-int8"},
        before=_elsewhere_searched,
    ),
    *(
        Act("documents:steer_embedding", "manager", event, MIGRATION, {"act": act}, before=_in(state), variant=act)
        for act, state, event in (
            ("start", "planned", E.EMBEDDING_STARTED),
            ("pause", "building", E.EMBEDDING_PAUSED),
            ("cancel", "comparing", E.EMBEDDING_CANCELLED),
            ("switch", "ready", E.EMBEDDING_SWITCHED),
            ("roll_back", "switched", E.EMBEDDING_ROLLED_BACK),
            ("drop", "rolled_back", E.EMBEDDING_DROP_CONFIRMED),
        )
    ),
    Act(
        "documents:compare_embedding",
        "manager",
        E.EMBEDDING_COMPARE_ASKED,
        MIGRATION,
        {"questions": "How can we end it?"},
        before=_in("comparing"),
    ),
    # Sources
    Act("documents:add_source", "manager", E.SOURCE_CREATED, sent=SOURCE | {"name": "News"}, query="?kind=feed"),
    Act("documents:edit_source", "manager", E.SOURCE_CHANGED, {"pk": one("source")}, SOURCE | {"name": "News"}),
    Act("documents:run_source", "manager", E.SOURCE_RUN_ASKED, {"pk": one("source")}, {"kind": "sync"}),
    Act("documents:pause_source", "manager", E.SOURCE_PAUSED, {"pk": one("source")}),
    Act("documents:resume_source", "manager", E.SOURCE_RESUMED, {"pk": one("source")}, before=pause_the_source),
    Act("documents:confirm_source", "manager", E.SOURCE_RUN_ASKED, {"pk": one("source")}, {"run": one("held_run")}),
    Act("documents:remove_source", "manager", E.SOURCE_DELETED, {"pk": one("source")}),
    # Answers
    Act("answers:ask", "member", E.QUESTION_ASKED, sent=ASKED, before=_in_work),
    Act(
        "answers:rephrase",
        "member",
        E.QUESTION_REPHRASED,
        {"pk": one("waiting")},
        {"text": "How may we end it?"},
        may=ASKER,
    ),
    Act(
        "answers:rename_conversation",
        "member",
        E.CONVERSATION_RENAMED,
        {"pk": one("conversation")},
        {"title": "Endings"},
        may=ASKER,
    ),
    Act("answers:archive_conversation", "member", E.CONVERSATION_ARCHIVED, {"pk": one("conversation")}, may=ASKER),
    Act("answers:suggestions", "manager", E.SUGGESTIONS_CHANGED, sent={"questions": "How can we end it?"}),
    Act("answers:again", "member", E.QUESTION_ASKED, {"pk": one("released")}, sent={"model": "built-in"}, may=ASKER),
    Act("answers:stop", "member", E.ANSWER_STOPPED, {"pk": one("waiting")}, may=ASKER),
    Act(
        "answers:share",
        "member",
        E.ANSWER_SHARED,
        {"pk": one("released")},
        {"person": READER, "act": "share"},
        may=ASKER | {"reviewer"},
    ),
    Act(
        "answers:take_back",
        "manager",
        E.DECLASSIFICATION_ENDED,
        {"pk": one("declassified")},
        may=frozenset({"manager", "reviewer"}),
    ),
    Act(
        "answers:begin_replay",
        "reviewer",
        E.ANSWER_REPLAY_ASKED,
        {"pk": one("released")},
        before=_written_by_the_built_in_model,
    ),
    Act(
        "answers:reply",
        "member",
        E.DRAFT_REPLIED,
        {
            "pk": one("returned", lambda draft: draft.answer_id),
            "question": one("asked"),
        },
        {"text": "The one with the carrier."},
        may=ASKER,
    ),
    Act(
        "answers:reopen",
        "reviewer",
        E.ANSWER_REOPENED,
        {"pk": one("released")},
        {"reason": "A reader doubts it.", "act": "reopen"},
    ),
    Act(
        "answers:reopen",
        "reviewer",
        E.ANSWER_TAKEN_BACK,
        {"pk": one("released")},
        {"reason": "It was wrong.", "act": "take_back"},
        variant="for good",
    ),
    Act(
        "answers:confirm_standing",
        "reviewer",
        E.ANSWER_CONFIRMED,
        {"pk": one("suspended")},
        {
            "seen_sha256": lambda w: w.own.suspended.released_sha256,
            "closing": lambda w: w.own.suspended.suspensions.get(ended_at=None).pk,
            "reason": "The same words.",
        },
    ),
    Act(
        "answers:send_back",
        "reviewer",
        E.ANSWER_REOPENED,
        {"pk": one("suspended")},
        {"reason": "The number changed."},
    ),
    Act("answers:release_rules", "manager", E.RELEASE_RULES_CHANGED, sent=ONE_RULE | {"act": "save", "seen": "0"}),
    Act("answers:release_rules", "manager", E.RELEASE_RULES_TRIED, sent=ONE_RULE | {"act": "try"}, variant="trying"),
    Act(
        "answers:review_reasons",
        "manager",
        E.REVIEW_REASONS_CHANGED,
        sent=dict.fromkeys(("approve", "edit", "return", "reject", "reopen", "take_back"), "Not so."),
    ),
    Act("answers:review_time", "manager", E.WORKSPACE_CHANGED, sent={"hours": "12", "remind_hours": "2"}),
    Act("answers:receipt", "member", E.RECEIPT_ISSUED, {"pk": one("released")}, may=ASKER | {"reviewer"}),
    # Drafts held against the guidance
    Act(
        "answers:examinations",
        "member",
        E.EXAMINATION_ASKED,
        sent={
            "title": "Notice",
            "text": "1. Notice is thirty days.",
            "classification": "internal",
            "endpoint": lambda w: ModelEndpoint.objects.get(name=BUILT_IN).pk,
        },
    ),
    Act(
        "answers:decide_finding",
        "member",
        E.FINDINGS_DECIDED,
        {"pk": one("examination")},
        {"act": "accept", "finding": one("finding")},
        may=ASKER,
    ),
    Act(
        "answers:decide_finding",
        "member",
        E.FINDINGS_DECIDED,
        {"pk": one("examination")},
        {"act": "reject_all", "severity": "", "category": ""},
        may=ASKER,
        variant="all",
    ),
    Act(
        "answers:review_findings",
        "reviewer",
        E.EXAMINATION_RELEASED,
        {"pk": one("held_examination")},
        {"decision": "approve", "then": "", "seen": ""},
    ),
    Act(
        "answers:review_findings",
        "reviewer",
        E.EXAMINATION_REJECTED,
        {"pk": one("held_examination")},
        {"decision": "reject", "reason": "Not ours.", "then": "next"},
        variant="reject",
    ),
    Act(
        "answers:review_findings",
        "reviewer",
        E.EXAMINATION_RETURNED,
        {"pk": one("held_examination")},
        {"decision": "return", "questions": "Which office?", "then": ""},
        variant="return",
    ),
    Act(
        "answers:reword_finding",
        "reviewer",
        E.EXAMINATION_EDITED,
        {"pk": one("held_examination")},
        {
            "finding": one("held_finding"),
            "seen": "",
            "severity": "minor",
            "explanation": "Sixty in the agreement.",
            "suggestion": "",
            "left_out": "yes",
            "reason": "Too long.",
        },
    ),
    Act(
        "answers:reopen_findings",
        "reviewer",
        E.EXAMINATION_REOPENED,
        {"pk": one("held_examination")},
        {"reason": "An exception."},
        before=_findings_released,
    ),
    Act(
        "answers:reply_about_draft",
        "member",
        E.EXAMINATION_REPLIED,
        {"pk": one("returned_examination")},
        {"question": one("findings_question"), "text": "The one in Graz."},
        may=ASKER,
    ),
    *(
        Act(
            "answers:examination_line",
            "reviewer",
            event,
            {"pk": one("held_examination")},
            {"act": act} | sent,
            before=before,
            variant=variant,
        )
        for act, event, sent, before, variant in (
            ("claim", E.EXAMINATION_CLAIMED, {}, None, "claim"),
            ("claim", E.EXAMINATION_CLAIMED, {"take_over": "yes"}, _findings_claimed_by_another, "take-over"),
            ("let_go", E.EXAMINATION_CLAIM_ENDED, {}, _findings_claimed, "let-go"),
            ("rank", E.EXAMINATION_RANKED, {"priority": "4", "due_at": "2030-01-31T12:00"}, None, "rank"),
            ("assign", E.EXAMINATION_ASSIGNED, {}, None, "assign"),
            ("release", E.EXAMINATION_ASSIGNED, {}, _findings_on_the_desk, "release"),
        )
    ),
    Act("answers:next_examination", "reviewer", E.EXAMINATION_CLAIMED, sent={"but": ""}),
    Act("answers:delete_examination", "member", E.EXAMINATION_ERASED, {"pk": one("examination")}, may=ASKER),
    # Question sets, runs, the change gate
    Act("answers:create_question_set", "manager", E.QUESTION_SET_CHANGED, sent={"name": "By hand"}),
    Act("answers:add_case", "manager", E.QUESTION_SET_CHANGED, {"pk": one("question_set")}, CASE),
    Act(
        "answers:import_cases",
        "manager",
        E.QUESTION_SET_CHANGED,
        {"pk": one("question_set")},
        {"file": lambda _world: SimpleUploadedFile("cases.csv", b"id,question,refuse\nnew,Why?,yes\n")},
    ),
    Act("answers:remove_case", "manager", E.QUESTION_SET_CHANGED, {"pk": one("question_set")}, {"code": "one"}),
    Act("answers:start_evaluation", "manager", E.EVALUATION_STARTED, {"pk": one("question_set")}),
    Act("answers:stop_evaluation", "manager", E.EVALUATION_STOPPED, {"pk": one("evaluation")}),
    Act("answers:repeat_evaluation", "manager", E.EVALUATION_STARTED, {"pk": one("evaluation")}),
    Act("answers:resume_evaluation", "manager", E.EVALUATION_STARTED, {"pk": one("evaluation")}, before=_stop_run),
    Act(
        "answers:keep_question",
        "manager",
        E.QUESTION_SET_CHANGED,
        {"pk": one("released")},
        {"question_set": one("question_set")},
        before=_asked_by_manager,
    ),
    Act("answers:gate_settings", "manager", E.GATE_CHANGED, sent=GATE),
    Act(
        "answers:loosen_gate",
        "manager",
        E.GATE_CHANGED,
        sent={"act": "agree", "seen": _seen_of_the_gate},
        before=_gate_off_wanted,
    ),
    Act(
        "answers:loosen_gate",
        "manager",
        E.GATE_LOOSENING_WITHDRAWN,
        sent={"act": "withdraw"},
        before=_gate_off_wanted,
        variant="withdraw",
    ),
    Act(
        "answers:propose_change",
        "manager",
        E.GATE_PROPOSED,
        sent={"change": one("endpoint", lambda model: f"model:{model.pk}")},
        before=_gate_on,
    ),
    Act(
        "answers:act_on_change",
        "manager",
        E.GATE_WITHDRAWN,
        {"pk": one("candidate")},
        {"act": "withdraw"},
    ),
    Act(
        "answers:act_on_change",
        "manager",
        E.GATE_OVERRIDE_ASKED,
        {"pk": one("candidate")},
        {"act": "override", "reason": "Needed today."},
        before=_gate_on,
        variant="override",
    ),
    # Fine-tuning
    Act("answers:assess", "manager", E.ASSESSMENT_MADE, sent=ASSESSED),
    Act("answers:assess_again", "manager", E.ASSESSMENT_MADE, {"pk": one("assessment")}, ASSESSED),
    Act(
        "answers:new_training_set",
        "manager",
        E.TRAINING_ASKED,
        sent={
            "name": "House",
            "ceiling": "internal",
            "usages": ["own"],
            "validation_percent": "10",
            "instructions": "",
        },
    ),
    Act(
        "answers:choose_examples",
        "manager",
        E.TRAINING_EXAMPLE_DROPPED,
        {"pk": one("training_set")},
        {"act": "drop", "example": [one("example")]},
    ),
    Act(
        "answers:choose_examples",
        "manager",
        E.TRAINING_EXAMPLE_KEPT,
        {"pk": one("training_set")},
        {"act": "keep", "example": [one("example")]},
        before=_names_a_person,
        variant="keep",
    ),
    Act("answers:seal_training_set", "manager", E.TRAINING_SEALED, {"pk": one("training_set")}),
    Act(
        "answers:begin_tuning",
        "manager",
        E.TUNING_ASKED,
        {"pk": one("training_set")},
        {"endpoint": one("endpoint"), "base_model": "small", "epochs": ""},
        before=_sealed_where_a_model_is_open,
    ),
    Act("answers:cancel_tuning", "manager", E.TUNING_CANCEL_ASKED, {"pk": one("tuning_job")}),
    Act(
        "answers:compare_tuning",
        "manager",
        E.TUNING_COMPARE_ASKED,
        {"pk": one("tuning_job")},
        {"question_set": one("question_set")},
        before=_it_came_to_a_model,
    ),
    Act(
        "answers:forget_tuned_model",
        "manager",
        E.TUNING_MODEL_UNWANTED,
        {"pk": one("tuning_job")},
        before=_its_model_was_retired,
    ),
    Act(
        "answers:training_flag",
        "manager",
        E.TRAINING_SETTLED,
        {"pk": one("training_flag")},
        {"decision": "keep", "note": "It still holds."},
    ),
    Act("answers:tuning_rules", "manager", E.TRAINING_RULES_CHANGED, sent={"suspends_on": ["expired"]}),
    # Templates and precedents
    Act(
        "answers:precedents",
        "member",
        E.PRECEDENTS_SOUGHT,
        sent={"text": "With 60 days of notice.", "classification": "internal"},
    ),
    Act("answers:adopt_rag_template", "manager", E.TEMPLATE_ADOPTED, sent={"code": "gdpr_check"}),
    Act(
        "answers:standard_rag_template",
        "manager",
        E.TEMPLATE_STANDARD,
        sent={"template": one("rag_template")},
    ),
    Act("answers:new_rag_template", "manager", E.TEMPLATE_ADOPTED, sent=TEMPLATE),
    Act(
        "answers:edit_rag_template",
        "manager",
        E.TEMPLATE_SAVED,
        {"pk": one("rag_template")},
        {**TEMPLATE, "seen": "2"},
    ),
    Act("answers:switch_rag_template", "manager", E.TEMPLATE_SWITCHED, {"pk": one("rag_template")}, {"enabled": "no"}),
    Act(
        "answers:duplicate_rag_template",
        "manager",
        E.TEMPLATE_ADOPTED,
        {"pk": one("rag_template")},
        {"name": "Another"},
    ),
    Act(
        "answers:force_rag_template",
        "manager",
        E.TEMPLATE_IN_FORCE,
        {"pk": one("template_version")},
        {"reason": "It reads better."},
    ),
    Act(
        "answers:begin_rag_preview",
        "manager",
        E.TEMPLATE_TRIED,
        {"pk": one("template_version")},
        {"questions": "How can we end it?"},
    ),
    # Feedback, gaps, approved answers
    Act(
        "answers:feedback",
        "member",
        E.FEEDBACK_GIVEN,
        {"pk": one("released")},
        {"helped": "no", "reason": "wrong", "words": "It is due later."},
        may=ASKER | {"reviewer"},
    ),
    Act(
        "answers:feedback",
        "member",
        E.FEEDBACK_TAKEN_BACK,
        {"pk": one("released")},
        {"act": "take_back"},
        before=_judged,
        may=ASKER | {"reviewer"},
        variant="take_back",
    ),
    Act("answers:send_gap", "member", E.GAP_QUESTION_SENT, {"pk": one("unanswered")}, may=ASKER),
    Act("answers:assign_gap", "manager", E.GAP_ASSIGNED, GAP, {"to": one("contributor"), "due_on": "2100-01-01"}),
    Act(
        "answers:close_gap",
        "manager",
        E.GAP_DOCUMENT_NAMED,
        GAP,
        {"way": "document", "document": one("document")},
        may=frozenset({"manager"}),
    ),
    Act(
        "answers:close_gap",
        "manager",
        E.GAP_DOCUMENT_NAMED,
        GAP,
        {"way": "text", "title": "Ending it", "text": "With 60 days of notice."},
        may=frozenset({"manager"}),
        variant="text",
    ),
    Act(
        "answers:close_gap",
        "manager",
        E.GAP_DOCUMENT_NAMED,
        GAP,
        {"way": "file", "file": lambda w: FILE("ending.md", b"# Ending\n\nText.")},
        may=frozenset({"manager"}),
        variant="file",
    ),
    Act("answers:dismiss_gap", "manager", E.GAP_DISMISSED, GAP, {"reason": "Not ours."}),
    Act("answers:split_gap", "manager", E.GAP_SPLIT, GAP, {"question": [one("gap_question")]}),
    Act("answers:merge_gap", "manager", E.GAP_MERGED, GAP, {"into": one("other_gap")}),
    Act(
        "answers:reuse",
        "manager",
        E.REUSE_CHANGED,
        sent={"enabled": "on", "days": "30", "remind_days": "7"},
    ),
    Act(
        "answers:verify_approved",
        "reviewer",
        E.REUSE_VERIFIED,
        {"pk": one("approved")},
        {"seen_sha256": lambda w: w.own.approved.answer.released_sha256},
    ),
    Act("answers:stop_approved", "reviewer", E.REUSE_STOPPED, {"pk": one("approved")}),
    Act("answers:budgets", "manager", E.BUDGET_CHANGED, sent=BUDGET),
    Act("answers:stand_ins", "manager", E.FALLBACKS_CHANGED, sent=STAND_INS),
    Act("answers:checks", "manager", E.WORKSPACE_CHANGED, sent={"strictness": "strict", "judge": ""}),
    Act(
        "answers:models",
        "manager",
        E.WORKSPACE_CHANGED,
        sent={"default": one("endpoint"), "choices": [one("endpoint")], "reranker": "judge"},
    ),
]
