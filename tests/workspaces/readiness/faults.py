"""Faults to plant in the sound workspace, one for each check that must find it, and none of the others.

Each is made of rows, files, servers, settings, functions of the database or signs of life, as it comes about. What
changes a function of ours instead: a search that shows what is closed, because it goes by the rule that lists go by,
so that nothing but its own code can break it alone; and what the tests' own machine would say of itself.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone

from answers.governing import budgets, ledger
from answers.models import (
    Answer,
    Draft,
    EvaluationRun,
    Fallback,
    Gap,
    GateCandidate,
    ModelEndpoint,
    Period,
    Question,
    RagTemplate,
    ReleaseRules,
    Spend,
    SuggestedQuestion,
    TemplateVersion,
    WorkspaceModels,
)
from audit.chain import workspace_chain
from audit.events import EventType
from audit.models import Event
from audit.record import record
from documents.access import restriction
from documents.embedding import spaces
from documents.embeddings import default_space
from documents.models import (
    Deletion,
    Document,
    EmbeddingEndpoint,
    IndexCheck,
    RerankEndpoint,
    Source,
    SourceRun,
    Version,
    WorkspaceReranker,
    WorkspaceSpace,
)
from documents.readiness import rights
from inlock import engines, readiness
from inlock.celery import QUEUES
from inlock.health import machine, work
from inlock.tasks import CANARY
from tests.documents import embedding_server
from tests.workspaces.readiness.sound import Sound
from workspaces import access, groups, members
from workspaces import rights as held_rights
from workspaces.dispatch import give_sign_of_life, take_leave
from workspaces.endpoints import breaker
from workspaces.glass import breaking as glass
from workspaces.models import (
    ApiToken,
    Membership,
    PlatformPolicy,
    User,
    Workspace,
    WorkspaceGroupGrant,
    WorkspaceRole,
)
from workspaces.readiness import thresholds
from workspaces.roles import Action

#: Servers that stay up for all faults, and end with the process.
_open_until_the_end = ExitStack()

Fault = Callable[[Sound, Any], None]
#: Code of the check → the fault that it has to find.
FAULTS: dict[str, Fault] = {}
#: Outcome wanted, where it is not a blocker.
WANTED: dict[str, str] = {}


def fault(code: str, wanted: str = "block") -> Callable[[Fault], Fault]:
    def add(plant: Fault) -> Fault:
        FAULTS[code], WANTED[code] = plant, wanted
        return plant

    return add


def _source(sound: Sound, **changes: Any) -> None:
    Source.objects.filter(pk=sound.sources[0].pk).update(**changes)


def _lies_there(sound: Sound, name: str, content: bytes) -> None:
    """The first source reads a folder of its own with this file in it."""
    folder = sound.folder / name.partition(".")[0]
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    _source(sound, options={"folder": str(folder)})


@cache
def _server_that_answers() -> str:
    """The address of a server that takes connections until these tests are over."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1"


@cache
def _embedding_server() -> embedding_server.EmbeddingServer:
    """As `_server_that_answers`, of vectors."""
    return _open_until_the_end.enter_context(embedding_server.serve())


def _role(sound: Sound, role: str) -> Any:
    return WorkspaceRole.objects.get(workspace=sound.workspace, role=role).group


def _leave(sound: Sound, name: str) -> None:
    Membership.objects.filter(user=sound.people[name], group__workspace_role__workspace=sound.workspace).delete()


# --- Connectors ---------------------------------------------------------------------------------------------


@fault("connectors.reached")
def a_folder_that_is_gone(sound: Sound, patch: Any) -> None:
    _source(sound, options={"folder": str(sound.folder / "nowhere")})


@fault("connectors.fetched")
def a_file_that_cannot_be_opened(sound: Sound, patch: Any) -> None:
    # Taken for a file when the folder is listed, and more than may be brought in when it is read.
    _lies_there(sound, "large.txt", b"Leave is four weeks.\n" * 10)
    patch.setattr(settings, "MAX_UPLOAD_BYTES", 100)


@fault("connectors.parsed")
def a_file_that_cannot_be_read(sound: Sound, patch: Any) -> None:
    _lies_there(sound, "damaged.pdf", b"%PDF-1.7\nnothing of a file is left here\n")


@fault("connectors.schedule")
def a_sync_that_did_not_begin(sound: Sound, patch: Any) -> None:
    _source(sound, due_at=timezone.now() - timedelta(hours=3))


@fault("connectors.last_sync", "warn")
def a_sync_that_failed(sound: Sound, patch: Any) -> None:
    SourceRun.objects.filter(source=sound.sources[0]).update(state="failed", problem="unreachable")


@fault("connectors.begun", "warn")
def a_source_nobody_started(sound: Sound, patch: Any) -> None:
    _source(sound, started_at=None, started_by=None)


@fault("connectors.paused", "warn")
def a_paused_source(sound: Sound, patch: Any) -> None:
    _source(sound, paused_at=timezone.now(), paused_by=sound.people["manager-1"], due_at=None)


@fault("connectors.owner")
def a_source_of_somebody_who_may_not(sound: Sound, patch: Any) -> None:
    _source(sound, owner=sound.people["member-1"])


# --- People and rights --------------------------------------------------------------------------------------


@fault("rights.manager")
def nobody_manages(sound: Sound, patch: Any) -> None:
    deputy = members.create_user(username="deputy", by=None)
    members.add_member(sound.workspace, deputy, "contributor", by=None)
    Source.objects.filter(workspace=sound.workspace).delete()
    _leave(sound, "manager-1")


@fault("rights.many_managers", "warn")
def five_managers(sound: Sound, patch: Any) -> None:
    for number in range(2, 6):
        person = members.create_user(username=f"manager-{number}", by=None)
        members.add_member(sound.workspace, person, "manager", by=None)


@fault("rights.many_reviewers", "warn")
def everybody_reviews(sound: Sound, patch: Any) -> None:
    for number in range(4, 14):
        person = members.create_user(username=f"reviewer-{number}", by=None)
        members.add_member(sound.workspace, person, "reviewer", by=None)


@fault("rights.two_hats", "warn")
def a_manager_who_reviews(sound: Sound, patch: Any) -> None:
    members.add_member(sound.workspace, sound.people["manager-1"], "reviewer", by=None)


@fault("rights.askers", "warn")
def nobody_to_ask(sound: Sound, patch: Any) -> None:
    for person in list(access.people_allowed(sound.workspace, "ask_questions")):
        if not person.username.startswith(("manager", "reviewer")):
            Membership.objects.filter(user=person, group__workspace_role__workspace=sound.workspace).delete()
    Document.objects.filter(workspace=sound.workspace).update(owner=sound.people["manager-1"])
    restriction.grant(sound.restricted, sound.people["manager-1"], by=sound.people["manager-1"])
    for number in (2, 3):
        members.add_member(
            sound.workspace, members.create_user(username=f"auditor-{number}", by=None), "auditor", by=None
        )


@fault("rights.auditor", "warn")
def nobody_reads_the_trail(sound: Sound, patch: Any) -> None:
    _leave(sound, "auditor-1")


@fault("rights.closed_accounts", "warn")
def a_closed_account_with_a_role(sound: Sound, patch: Any) -> None:
    User.objects.filter(username="member-3").update(is_active=False)


@fault("rights.role_table")
def a_group_that_holds_more(sound: Sound, patch: Any) -> None:
    permission = Permission.objects.get(codename="hold_documents", content_type__app_label="workspaces")
    WorkspaceGroupGrant.objects.create(
        content_object=sound.workspace, group=_role(sound, "member"), permission=permission
    )


@fault("rights.direct", "warn")
def a_right_beside_the_roles(sound: Sound, patch: Any) -> None:
    access.grant("hold_documents", sound.people["member-3"], sound.workspace)


@fault("rights.second_factor", "warn")
def a_reviewer_without_a_second_factor(sound: Sound, patch: Any) -> None:
    PlatformPolicy.objects.update_or_create(pk=1, defaults={"second_factor_roles": ["reviewer"]})


@fault("rights.access_review", "warn")
def rights_nobody_reviewed(sound: Sound, patch: Any) -> None:
    Workspace.objects.filter(pk=sound.workspace.pk).update(created_at=timezone.now() - timedelta(days=400))


@fault("rights.glass", "warn")
def glass_that_is_broken(sound: Sound, patch: Any) -> None:
    person = members.create_user(username="above", by=None)
    person.is_superuser = True
    person.save(update_fields=["is_superuser"])
    glass.break_glass(sound.workspace, by=person, reason="Ticket 4711")


@fault("rights.tokens", "warn")
def a_token_of_somebody_who_left(sound: Sound, patch: Any) -> None:
    person = members.create_user(username="gone", by=None)
    token = ApiToken.objects.create(
        user=person, name="Script", prefix="x", sha256="1" * 64, expires_at=timezone.now() + timedelta(days=9)
    )
    token.workspaces.add(sound.workspace)


def _database_gives(function: str, more: str) -> None:
    """The function that the rights are read from gives `more` besides, as after a migration or a hand that went wrong.

    `more`: a SELECT over its parameters, in which `sound(…)` is what it gave before.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef(%s::regproc)", [function])
        [definition] = cursor.fetchone()
        head, begin, _ = definition.partition("BEGIN")
        cursor.execute(definition.replace(function, f"sound_{function}"))
        names = ", ".join(part.split()[0] for part in head.partition("(")[2].partition(")")[0].split(","))
        before = f"sound_{function}({names})"
        more = more.replace("sound(", f"sound_{function}(")
        cursor.execute(f"{head}{begin} RETURN {before} || ARRAY({more}); END $function$")


#: Whoever has no place anywhere.
_A_STRANGER = "NOT EXISTS (SELECT FROM workspaces_membership WHERE user_id = who)"


@fault("rights.stranger")
def a_door_that_lets_strangers_in(sound: Sound, patch: Any) -> None:
    _database_gives(held_rights._ACTIONS, f"SELECT '{Action.ENTER.value}'::varchar WHERE {_A_STRANGER}")


@fault("rights.documents_stranger")
def documents_that_strangers_see(sound: Sound, patch: Any) -> None:
    _database_gives(held_rights._WORKSPACES, _a_stranger_may(Action.OPEN))


@fault("rights.documents_roles")
def documents_that_whoever_reads_the_trail_sees(sound: Sound, patch: Any) -> None:
    _database_gives(held_rights._WORKSPACES, _whoever_reads_the_trail_may(Action.OPEN))


def _a_stranger_may(action: Action) -> str:
    places = "SELECT id FROM workspaces_workspace"
    return f"{places} WHERE code = '{action.value}' AND {_A_STRANGER}"


def _whoever_reads_the_trail_may(action: Action) -> str:
    return f"SELECT unnest(sound(who, '{Action.READ_TRAIL.value}')) WHERE code = '{action.value}'"


@fault("rights.search")
def a_search_that_asks_nobody(sound: Sound, patch: Any) -> None:

    search = rights.search
    manager = sound.people["manager-1"]
    patch.setattr(rights, "search", lambda user, *given, **more: search(manager, *given, **more))


@fault("rights.restricted_to_all", "warn")
def a_restricted_document_for_everybody(sound: Sound, patch: Any) -> None:
    for person in access.people_allowed(sound.workspace, "open_documents"):
        access.grant("open_document", person, sound.restricted)


@fault("rights.restricted_to_nobody", "warn")
def a_restricted_document_for_nobody(sound: Sound, patch: Any) -> None:
    other = Document.objects.create(workspace=sound.workspace, path="lost.md", title="Lost", restricted=True)
    Document.objects.filter(pk=other.pk).update(owner=sound.people["contributor-1"])


@fault("rights.empty_groups", "warn")
def a_group_without_people(sound: Sound, patch: Any) -> None:
    empty = groups.create_group(name="Nobody", by=None)
    restriction.grant(sound.restricted, empty, by=sound.people["manager-1"])


@fault("rights.main_asker")
def the_only_reviewer_asks_most(sound: Sound, patch: Any) -> None:
    Workspace.objects.filter(pk=sound.workspace.pk).update(second_approver_from="")
    _leave(sound, "reviewer-2")
    _leave(sound, "reviewer-3")
    only = sound.people["reviewer-1"]
    Question.objects.bulk_create(
        Question(workspace=sound.workspace, asked_by=only, text="And?", language="en") for _ in range(5)
    )


@fault("rights.separation")
def two_have_to_approve_and_there_is_one(sound: Sound, patch: Any) -> None:
    # 1 of 7 reviews; the document that takes two is there already.
    _leave(sound, "reviewer-2")
    _leave(sound, "reviewer-3")


def _an_answer_that_rests_on_nothing(sound: Sound) -> None:
    asker = sound.people["member-1"]
    asked = Question.objects.create(workspace=sound.workspace, asked_by=asker, text="?")
    ended = {"status": "refused_no_evidence", "ended_at": timezone.now()}
    Answer.objects.create(question=asked, workspace=sound.workspace, asked_by=asker, **ended)


@fault("rights.answers_stranger")
def answers_that_strangers_see(sound: Sound, patch: Any) -> None:
    _an_answer_that_rests_on_nothing(sound)
    _database_gives(held_rights._WORKSPACES, _a_stranger_may(Action.REVIEW))


@fault("rights.answers_roles")
def answers_that_whoever_reads_the_trail_sees(sound: Sound, patch: Any) -> None:
    _an_answer_that_rests_on_nothing(sound)
    _database_gives(held_rights._WORKSPACES, _whoever_reads_the_trail_may(Action.REVIEW))


# --- Data ---------------------------------------------------------------------------------------------------


@fault("data.documents")
def fewer_documents_that_answer_than_the_operator_wants(sound: Sound, patch: Any) -> None:
    # None at all would be faults of expected questions and of question sets too.
    ready = Document.objects.filter(workspace=sound.workspace, current_version__isnull=False).count()
    patch.setattr(settings, "READINESS", settings.READINESS | {"documents_block": ready + 1})


@fault("data.failed")
def files_that_could_not_be_read(sound: Sound, patch: Any) -> None:
    _stopped(sound, "failed")


def _stopped(sound: Sound, state: str) -> None:
    document = Document.objects.create(
        workspace=sound.workspace, path="bad.md", title="Bad", owner=sound.people["contributor-1"]
    )
    version = Version.objects.create(
        document=document,
        number=1,
        sha256="2" * 64,
        size=1,
        filename="bad.md",
        format="md",
        state=state,
        **({} if state == "received" else {"failure_code": "damaged", "failure_sentence": "It is damaged."}),
    )
    Document.objects.filter(pk=document.pk).update(latest_version=version)


@fault("data.aside", "warn")
def a_file_set_aside(sound: Sound, patch: Any) -> None:
    _stopped(sound, "quarantined")


@fault("data.waiting")
def a_file_that_waits_for_days(sound: Sound, patch: Any) -> None:
    _stopped(sound, "received")
    Version.objects.filter(filename="bad.md").update(created_at=timezone.now() - timedelta(days=2))


@fault("data.stale", "warn")
def a_document_that_is_over(sound: Sound, patch: Any) -> None:
    Document.objects.filter(pk=sound.handbook.pk).update(valid_until=timezone.localdate() - timedelta(days=1))


@fault("data.reviewed", "warn")
def a_document_nobody_reviewed(sound: Sound, patch: Any) -> None:
    Document.objects.filter(pk=sound.handbook.pk).update(review_on=timezone.localdate() - timedelta(days=1))


@fault("data.owners", "warn")
def a_document_without_an_owner(sound: Sound, patch: Any) -> None:
    Document.objects.filter(pk=sound.handbook.pk).update(owner=None)


@fault("data.classified", "warn")
def nobody_classified_anything(sound: Sound, patch: Any) -> None:
    Document.objects.filter(workspace=sound.workspace).update(classification="internal")


@fault("data.index")
def an_index_that_differs(sound: Sound, patch: Any) -> None:
    IndexCheck.objects.filter(workspace=sound.workspace).update(left=3)


@fault("data.files")
def an_original_that_is_gone(sound: Sound, patch: Any) -> None:
    Version.objects.filter(pk=sound.handbook.current_version_id).update(file="originals/nowhere")


@fault("data.erasures", "warn")
def an_erasure_that_is_not_proven(sound: Sound, patch: Any) -> None:
    ago = timezone.now() - timedelta(days=3)
    gone = Document.objects.create(workspace=sound.workspace, path="gone.md", title="Gone", deleted_at=ago)
    Deletion.objects.create(
        workspace=sound.workspace,
        document=gone,
        deleted_by=sound.people["manager-1"],
        deleted_at=ago,
        begun_at=ago,
        erased_at=ago,
    )


@fault("data.expected")
def a_question_that_finds_nothing(sound: Sound, patch: Any) -> None:
    SuggestedQuestion.objects.filter(workspace=sound.workspace).update(text="Which moon does the heron prefer?")


@fault("data.question_sets")
def a_case_that_finds_nothing(sound: Sound, patch: Any) -> None:
    sound.workspace.question_sets.get().cases.update(question="Which moon does the heron prefer?")


@fault("data.gaps", "warn")
def a_topic_nothing_answers(sound: Sound, patch: Any) -> None:
    Gap.objects.create(workspace=sound.workspace)


# --- Models -------------------------------------------------------------------------------------------------


def _endpoint(**fields: Any) -> ModelEndpoint:
    return ModelEndpoint.objects.create(
        **{
            "name": "Far",
            "kind": "openai",
            "base_url": "http://127.0.0.1:9/v1",
            "model": "m",
            "state": "approved",
            "approved_at": timezone.now(),
            "ceiling": "restricted",
            **fields,
        }
    )


def _searched_in(sound: Sound, base_url: str, *, ceiling: str) -> None:
    """The workspace is searched in the space of a server's vectors."""
    endpoint = EmbeddingEndpoint.objects.create(
        name="far-vectors",
        base_url=base_url,
        model="good",
        dimension=default_space().dimension,
        state="approved",
        approved_at=timezone.now(),
        ceiling=ceiling,
    )
    WorkspaceSpace.objects.create(workspace=sound.workspace, space=spaces.row_of(spaces.of_endpoint(endpoint)))


def _offered(sound: Sound, endpoint: ModelEndpoint, *, default: bool = False) -> None:
    built_in = ModelEndpoint.objects.get(name="built-in")
    chosen = WorkspaceModels.objects.create(
        workspace=sound.workspace, default_endpoint=endpoint if default else built_in
    )
    chosen.choices.add(endpoint)


@fault("models.default")
def no_model_that_may_be_used(sound: Sound, patch: Any) -> None:
    _offered(sound, ModelEndpoint.objects.get(name="built-in"), default=True)
    ModelEndpoint.objects.filter(name="built-in").update(state="retired")


@fault("models.reachable")
def a_server_that_is_off(sound: Sound, patch: Any) -> None:
    _offered(sound, _endpoint())


@fault("models.steady", "warn")
def a_model_that_is_rested(sound: Sound, patch: Any) -> None:
    failing = _endpoint(base_url=_server_that_answers())
    _offered(sound, failing)
    for _call in range(breaker.FAILURES):
        breaker.failed(failing.pk)


@fault("models.permitted")
def a_model_below_the_documents(sound: Sound, patch: Any) -> None:
    # It stands first, and what could stand in for it is retired.
    endpoint = _endpoint(ceiling="internal", base_url=_server_that_answers())
    _offered(sound, endpoint, default=True)
    Fallback.objects.create(workspace=sound.workspace, endpoint=_endpoint(name="Old", state="retired"), position=1)


@fault("models.budget")
def a_budget_that_is_spent(sound: Sound, patch: Any) -> None:
    budgets.change(sound.workspace, by=sound.people["manager-1"], day_tokens=100)
    Spend.objects.create(workspace=sound.workspace, period=Period.DAY, since=ledger.today(), tokens=100)


@fault("models.embedding")
def an_embedding_model_that_is_silent(sound: Sound, patch: Any) -> None:
    _searched_in(sound, "http://127.0.0.1:9/v1", ceiling="restricted")


@fault("models.embedding_ceiling")
def documents_above_the_embedding_endpoint(sound: Sound, patch: Any) -> None:
    # One that answers: an embedding model that is silent is another fault.
    _searched_in(sound, _embedding_server().url, ceiling="public")


@fault("models.reranker", "warn")
def a_reranker_that_is_retired(sound: Sound, patch: Any) -> None:
    retired = RerankEndpoint.objects.create(name="far-order", base_url="http://127.0.0.1:9/v1", state="retired")
    WorkspaceReranker.objects.create(workspace=sound.workspace, endpoint=retired)


@fault("models.failures", "warn")
def answers_that_failed(sound: Sound, patch: Any) -> None:
    asked = Question.objects.create(workspace=sound.workspace, asked_by=sound.people["member-1"], text="?")
    now = timezone.now()
    Answer.objects.bulk_create(
        Answer(
            question=asked,
            workspace=sound.workspace,
            asked_by=sound.people["member-1"],
            status=status,
            ended_at=now,
        )
        for status in (["failed_search"] + ["refused_no_evidence"] * 4)
    )


# --- Review -------------------------------------------------------------------------------------------------


@fault("review.rehearsal")
def a_verb_that_refuses(sound: Sound, patch: Any) -> None:
    # The database keeps no decision any more.
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION keeps_none() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'No decision is kept.'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER keeps_none BEFORE INSERT ON answers_review FOR EACH ROW EXECUTE FUNCTION keeps_none()"
        )


@fault("review.policy", "warn")
def confidential_documents_released_at_once(sound: Sound, patch: Any) -> None:
    Workspace.objects.filter(pk=sound.workspace.pk).update(review_policy="open")


@fault("review.rules")
def rules_that_are_all_off(sound: Sound, patch: Any) -> None:
    Workspace.objects.filter(pk=sound.workspace.pk).update(review_policy="risk")
    sound.workspace.refresh_from_db()
    ReleaseRules.objects.create(
        workspace=sound.workspace, number=1, rules=[{"is_on": False}], made_by=sound.people["manager-1"]
    )


@fault("review.officers")
def nobody_reviews(sound: Sound, patch: Any) -> None:
    draft = Draft.objects.get(pk=sound.draft.pk)
    draft.state = "rejected"
    draft.save(update_fields=["state"])
    for name in ("reviewer-1", "reviewer-2", "reviewer-3"):
        _leave(sound, name)


@fault("review.overdue", "warn")
def a_draft_that_is_late(sound: Sound, patch: Any) -> None:
    draft = Draft.objects.get(pk=sound.draft.pk)
    draft.due_at = timezone.now() - timedelta(hours=2)
    draft.save(update_fields=["due_at"])


@fault("review.stranded")
def a_draft_nobody_may_decide(sound: Sound, patch: Any) -> None:
    # Three review: one asked, one edited, and what it rests on was added by the third, which counts here.
    draft = Draft.objects.get(pk=sound.draft.pk)
    draft.edited_by, draft.edited_at = sound.people["reviewer-2"], timezone.now()
    draft.save(update_fields=["edited_by", "edited_at"])
    Answer.objects.filter(pk=draft.answer_id).update(asked_by=sound.people["reviewer-1"])
    Version.objects.filter(document=sound.handbook).update(created_by=sound.people["reviewer-3"])
    Workspace.objects.filter(pk=sound.workspace.pk).update(uploader_may_approve=False)


@fault("review.suspended", "warn")
def an_answer_that_is_suspended(sound: Sound, patch: Any) -> None:
    asked = Question.objects.create(workspace=sound.workspace, asked_by=sound.people["member-1"], text="?")
    Answer.objects.create(
        question=asked,
        workspace=sound.workspace,
        asked_by=sound.people["member-1"],
        status="suspended",
        ended_at=timezone.now(),
        released_at=timezone.now(),
        released_sha256="3" * 64,
    )


# --- Templates ----------------------------------------------------------------------------------------------


def _template(sound: Sound, **fields: Any) -> RagTemplate:
    made = RagTemplate.objects.create(workspace=sound.workspace, code="mine", created_by=sound.people["manager-1"])
    version = TemplateVersion.objects.create(
        template=made, number=1, name="Mine", purpose="?", made_by=sound.people["manager-1"], sha256="4" * 64, **fields
    )
    RagTemplate.objects.filter(pk=made.pk).update(enabled=True, current=version)
    return made


def _evaluated(sound: Sound, template: RagTemplate) -> None:
    template.refresh_from_db()
    candidate = GateCandidate.objects.create(
        workspace=sound.workspace,
        kind="template",
        target=str(template.current_id),
        label="Mine",
        state="live",
        proposed_by=sound.people["manager-1"],
        settled_at=timezone.now(),
        settled_by=sound.people["manager-1"],
    )
    EvaluationRun.objects.filter(workspace=sound.workspace).update(candidate=candidate)


@fault("templates.answer", "warn")
def a_template_whose_model_is_retired(sound: Sound, patch: Any) -> None:
    _evaluated(sound, _template(sound, endpoint=_endpoint(state="retired")))


@fault("templates.evaluated", "warn")
def a_template_nobody_tried(sound: Sound, patch: Any) -> None:
    _template(sound)


@fault("templates.gate", "warn")
def a_change_that_waits(sound: Sound, patch: Any) -> None:
    GateCandidate.objects.create(
        workspace=sound.workspace,
        kind="model",
        target="1",
        label="Another model",
        proposed_by=sound.people["manager-1"],
    )


# --- Trail --------------------------------------------------------------------------------------------------


@fault("trail.holds")
def an_entry_that_was_changed(sound: Sound, patch: Any) -> None:
    # As somebody does who owns the database and stops its triggers.
    first = Event.objects.filter(chain=workspace_chain(sound.workspace.pk)).order_by("seq").first()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_no_change")
        cursor.execute("UPDATE audit_event SET body = replace(body, 'sound', 'other') WHERE id = %s", [first.pk])
        cursor.execute("ALTER TABLE audit_event ENABLE TRIGGER audit_event_no_change")


@fault("trail.outside")
def a_checkpoint_that_is_gone(sound: Sound, patch: Any) -> None:
    patch.setattr(settings, "CHECKPOINTS", sound.folder / "empty")


@fault("trail.fresh", "warn")
def entries_nobody_signed(sound: Sound, patch: Any) -> None:
    record(EventType.WORKSPACE_CHANGED, on=sound.workspace, workspace=sound.workspace)
    patch.setitem(thresholds.DEFAULTS, "checkpoint_hours_warn", -1)


@fault("trail.key")
def no_key_to_sign_with(sound: Sound, patch: Any) -> None:
    # The key was to be replaced, and the new one was forgotten.
    patch.setattr(settings, "INLOCK_SIGNING_KEY_BEFORE", settings.INLOCK_SIGNING_KEY)
    patch.setattr(settings, "INLOCK_SIGNING_KEY", "")


@fault("trail.apart", "warn")
def a_portal_that_owns_its_trail(sound: Sound, patch: Any) -> None:
    # In production, on a database server of somebody else's: one role does everything there, as in these tests.
    patch.setattr(settings, "PRODUCTION", True)
    patch.setattr(settings, "EMBEDDED_DATABASE", False)


# --- Operations ---------------------------------------------------------------------------------------------


@fault("operations.engines")
def an_engine_that_is_down(sound: Sound, patch: Any) -> None:
    patch.setenv("CHROMA_URL", "http://127.0.0.1:9")
    patch.setattr(readiness, "_engines", lambda scene: engines.status(settings.VAR))


#: Who gives the signs of life of these tests.
_WORKER = "worker@readiness"


def _at_work(patch: Any, *, ran_at: float | None = None) -> None:
    """Every queue's worker gave its sign of life, and a task of the schedule went the whole way."""
    patch.setattr(work, "expects_workers", lambda: True)
    patch.setattr(readiness, "_work", lambda scene: work.background_work(broker_runs=True))
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for queue in QUEUES:
            give_sign_of_life(queue, _WORKER)
            client.hset(CANARY, queue, int(ran_at or time.time()))


@fault("operations.workers")
def a_queue_nobody_works_on(sound: Sound, patch: Any) -> None:
    _at_work(patch)
    take_leave("ingest", _WORKER)


@fault("operations.schedule")
def a_schedule_that_stands_still(sound: Sound, patch: Any) -> None:
    _at_work(patch, ran_at=time.time() - 2 * work.LATE)


@fault("operations.disk")
def a_disk_that_is_full(sound: Sound, patch: Any) -> None:
    patch.setattr(settings, "LOW_DISK_BYTES", 2**80)


@fault("operations.backup")
def a_backup_that_was_never_made(sound: Sound, patch: Any) -> None:
    patch.setattr(settings, "BACKUP_MARKER", str(sound.folder / "nowhere"))


@fault("operations.settings", "warn")
def settings_by_which_nobody_signs_in(sound: Sound, patch: Any) -> None:
    patch.setattr(settings, "LOCAL_SIGN_IN", False)
    # As in a process that began with them: it looks at them once.
    patch.setattr(machine, "_serious", cache(machine._serious.__wrapped__))


@fault("operations.mail", "warn")
def a_mail_server_that_is_silent(sound: Sound, patch: Any) -> None:
    patch.setattr(settings, "MAIL_IS_ON", True)
    patch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
    patch.setattr(settings, "EMAIL_HOST", "127.0.0.1")
    patch.setattr(settings, "EMAIL_PORT", 9)
