"""P14, off means off: whatever lets a person in, and however they are put out, the next use is refused.

The ways in are derived from the settings, the task registry and the code: one that is added without a row here fails
the first tests of this file.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.test import Client, override_settings

from answers import pipeline, questions, streaming
from answers.evaluation import runs, sets
from answers.evaluation.sets import Case
from answers.models import Answer, EvaluationRun, Replay, ReplayState
from answers.replays.ask import replay
from answers.states import AnswerStatus
from answers.tasks import evaluate_run, replay_answer
from audit.events import EventType
from audit.models import Event
from documents.bulk import orders as bulk
from documents.bulk.orders import Order
from documents.bulk.tasks import bulk_task
from documents.ingestion import company
from documents.models import Document, RunKind, RunState, Source, SourceRun
from documents.sources import folder, keeping
from documents.sources.tasks import run_source_task
from tests.answers import library
from tests.answers.draft_review import test_examining
from tests.answers.rag_templates import test_previews
from tests.documents.reembedding import test_comparing
from tests.leaks.watching import Watching
from tests.oidc_provider import Provider
from tests.portal import within
from tests.undone import undone
from tests.workspaces import sign_in_scene, single_sign_on_scene
from workspaces import access, accounts, groups, members
from workspaces.bars import rules as bars
from workspaces.identity import links
from workspaces.identity.id_token import Identity
from workspaces.roles import Action, Role
from workspaces.tokens import credentials
from workspaces.tokens import keeping as tokens
from workspaces.view_as import looks as view_as

ROOT = Path(__file__).resolve().parent.parent.parent
CANARY = "The quiet heron nests on platform nine."
QUESTION = "Where does the quiet heron nest?"

# --- The ways in --------------------------------------------------------------------------------------------

#: Backend → the rows below that go through it; none where it lets nobody in by itself.
BACKENDS = {
    "django.contrib.auth.backends.ModelBackend": {"session", "remembered", "provider", "view_as", "session_stream"},
    "guardian.backends.ObjectPermissionBackend": set(),  # answers questions about permissions, authenticates nobody
}
#: Middleware that says who a request is from → the rows below that go through it.
LET_IN = {
    "django.contrib.auth.middleware.AuthenticationMiddleware": {"session", "remembered", "provider", "session_stream"},
    "workspaces.tokens.authentication.ApiAccessMiddleware": {"token", "token_stream"},
    "workspaces.view_as.viewing.ViewAsMiddleware": {"view_as"},
}
LET_NOBODY_IN = {
    "inlock.headers.ResponseHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "inlock.outage.OutageMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "inlock.characters.StorableMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "workspaces.middleware.ActingMiddleware",
    "workspaces.middleware.RefusalMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "workspaces.identity.middleware.IdentityMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
}
#: Task → the row of those that use a person's rights.
TASKS_FOR_A_PERSON = {
    "answers.tasks.answer_question": "queued",
    "answers.tasks.replay_answer": "replay",
    "answers.tasks.evaluate_run": "run",
    "answers.tasks.preview_template": "preview",
    "answers.tasks.examine_draft": "examination",
    "documents.tasks.run_source_task": "source",
    "documents.tasks.bulk_task": "many documents",
    "documents.tasks.compare_spaces_task": "comparison",
}
#: They tend rows and use nobody's rights: what they do was allowed when the row was written.
TASKS_FOR_NOBODY = {
    "answers.tasks.sweep_answers",
    # Who is told of a closed gap is asked anew: tests/answers/test_gaps.py.
    "answers.tasks.sweep_gaps",
    "answers.tasks.sweep_approved",
    # Whom a thing waits for is asked anew: tests/answers/test_reminders.py.
    "answers.tasks.sweep_due",
    # It rings, and erases what is old.
    "answers.tasks.sweep_examinations",
    # Who may build is asked anew, and the model policy before each file: tests/answers/finetuning.
    "answers.tasks.sweep_finetuning",
    "answers.tasks.sweep_standing",
    "audit.tasks.sweep_checkpoints",
    "documents.tasks.build_space_task",
    "documents.tasks.check_index_task",
    "documents.tasks.check_doubted_index_task",
    "documents.tasks.draw_slides_task",
    "documents.tasks.erase_document_task",
    "documents.tasks.ingest_version_task",
    "documents.tasks.prove_erasure_task",
    "documents.tasks.sweep_documents",
    "documents.tasks.sweep_erasures",
    "documents.tasks.sweep_indexes",
    "inlock.tasks.sweep_engines",
    "documents.tasks.sweep_ingestion",
    "documents.tasks.sweep_originals",
    "documents.tasks.sweep_retention",
    "documents.tasks.sweep_sources",
    "documents.tasks.sweep_spaces",
    "documents.tasks.withdraw_version_task",
    "inlock.tasks.canary",
    # It opens nothing for whoever asked: who reads the report is asked when it is read.
    "workspaces.tasks.check_readiness",
    "workspaces.tasks.sweep_looks",
    "workspaces.tasks.sweep_readiness",
    # Mails are written for whoever reads them: tests/workspaces/notifications/test_mail.py.
    "workspaces.tasks.sweep_mails",
}
#: Responses that go on while somebody watches; the others read one file or chain to its end.
LIVE_STREAMS = {"answers/sse.py": {"session_stream", "token_stream"}}
FINITE_STREAMS = {"documents/ingestion/originals.py", "workspaces/admin/trail.py"}


def test_every_backend_has_a_row() -> None:
    assert set(settings.AUTHENTICATION_BACKENDS) == set(BACKENDS)


def test_every_middleware_has_a_row_or_lets_nobody_in() -> None:
    assert set(settings.MIDDLEWARE) == set(LET_IN) | LET_NOBODY_IN


def test_every_task_has_a_row_or_acts_for_nobody() -> None:
    current_app.loader.import_default_modules()
    # What a test beside this one registered belongs to that test.
    ours = {name for name in current_app.tasks if not name.startswith(("celery.", "tests."))}

    assert ours - TASKS_FOR_NOBODY == set(TASKS_FOR_A_PERSON)


def test_every_stream_has_a_row_or_comes_to_its_end() -> None:
    apps = ("inlock", "answers", "documents", "workspaces", "audit")
    streaming_ones = {
        str(file.relative_to(ROOT))
        for app in apps
        for file in (ROOT / app).rglob("*.py")
        if re.search(r"^from django.http import .*StreamingHttpResponse", file.read_text(), re.MULTILINE)
    }

    assert streaming_ones == set(LIVE_STREAMS) | FINITE_STREAMS


def test_every_row_that_is_named_is_tried() -> None:
    named = set().union(*BACKENDS.values(), *LET_IN.values(), TASKS_FOR_A_PERSON.values(), *LIVE_STREAMS.values())

    # These are tried beside what they need.
    elsewhere = {
        "comparison": test_comparing.test_only_whoever_manages_compares_and_the_right_is_asked_again,
        "preview": test_previews.test_a_right_that_is_lost_before_it_runs_leaves_no_text,
        "examination": test_examining.test_a_right_that_is_taken_meanwhile_ends_the_examination,
    }
    assert all(map(callable, elsewhere.values()))
    assert named == {*WAYS, *STREAMS, "queued", "replay", "run", "source", "many documents", *elsewhere}


# --- The scene ----------------------------------------------------------------------------------------------


@dataclass
class Put:
    """A person, and those who can put them out of the workspace."""

    person: Any
    manager: Any
    admin: Any
    workspace: Any


class Scene(Put):
    """A person who may open one restricted document, through a role and a group of people."""

    def __init__(self, person: Any, manager: Any, admin: Any, workspace: Any) -> None:
        super().__init__(person, manager, admin, workspace)
        self.version = library.add_document(workspace, "heron.md", f"# Birds\n\n{CANARY}\n", granted_to=[])
        self.group = groups.create_group(name="Bird watchers", by=admin)
        groups.add_to_group(self.group, person, by=admin)
        access.grant("open_document", self.group.group, self.version.document)

    @property
    def page(self) -> str:
        return f"/w/{self.workspace.slug}/documents/{self.version.document_id}/"

    @contextmanager
    def as_it_was(self) -> Iterator[None]:
        """Whatever happens inside did not: the next case begins where this one did."""
        try:
            with override_settings(LOCAL_SIGN_IN=settings.LOCAL_SIGN_IN), undone():
                yield
        finally:
            for one in (self.person, self.manager, self.admin, self.version.document):
                one.refresh_from_db()


@pytest.fixture
def scene(db: None, member: Any, manager: Any, admin: Any, policies: Any, provider: Provider, settings: Any) -> Scene:
    scene = Scene(member, manager, admin, policies)
    scene.provider, scene.settings = provider, settings
    return scene


def _opens(client: Client, scene: Scene) -> Callable[[], bool]:
    return lambda: CANARY in client.get(scene.page).content.decode()


# --- One row a way in: each returns a use that is true while it lets the person in --------------------------


def _session(scene: Scene) -> Callable[[], bool]:
    return _opens(sign_in_scene.browser(scene.person.username), scene)


def _remembered(scene: Scene) -> Callable[[], bool]:
    client = Client()
    sign_in_scene.sign_in(client, scene.person.username, remember="on")
    return _opens(client, scene)


def _provider(scene: Scene) -> Callable[[], bool]:
    # The group at the provider gives nothing: what the person may is given here, as in every other row.
    if links.of(scene.person) is None:
        links.attach(Identity(scene.provider.issuer, "ada"), scene.person)
    client, _answer = single_sign_on_scene.sign_in_as(scene.provider, "ada")
    return _opens(client, scene)


def _view_as(scene: Scene) -> Callable[[], bool]:
    # Who looks may open the document themselves, so that only the person's rights decide.
    members.add_member(scene.workspace, scene.admin, Role.MEMBER, by=None)
    access.grant("open_document", scene.admin, scene.version.document)
    client = Client()
    client.force_login(scene.admin, backend=settings.AUTHENTICATION_BACKENDS[0])
    client.post(f"/admin/workspaces/user/{scene.person.pk}/view-as/", {"reason": "They asked for help."})

    def look() -> bool:
        page = client.get(scene.page)
        # Once the look is over the session is the administrator's own again, who may open the document.
        return CANARY in page.content.decode() and page.wsgi_request.user == scene.person

    return look


def _token(scene: Scene) -> Callable[[], bool]:
    client = _program(scene)

    def search() -> bool:
        found = client.post(
            f"/api/v1/workspaces/{scene.workspace.slug}/search", {"query": QUESTION}, content_type="application/json"
        )
        return CANARY in found.content.decode()

    return search


def _program(scene: Put) -> Client:
    _token, text = tokens.create(
        by=scene.person, name="A program", workspaces=[scene.workspace], actions=[Action.ASK, Action.OPEN]
    )
    return Client(headers={"Authorization": f"Bearer {text}"})


WAYS = {
    "session": _session,
    "remembered": _remembered,
    "provider": _provider,
    "view_as": _view_as,
    "token": _token,
}

# --- The ways out -------------------------------------------------------------------------------------------


def _deactivate(scene: Scene) -> None:
    accounts.change_account(scene.person, by=scene.admin, is_active=False)


def _take_the_role(scene: Scene) -> None:
    members.remove_member(scene.workspace, scene.person, Role.MEMBER, by=scene.manager)


def _take_out_of_the_group(scene: Scene) -> None:
    groups.remove_from_group(scene.group, scene.person, by=scene.admin)


def _never(scene: Scene) -> None:
    bars.bar(scene.workspace, scene.person, reason="A conflict of interest.", by=scene.manager)


def _never_the_group(scene: Scene) -> None:
    bars.bar(scene.workspace, scene.group, reason="A conflict of interest.", by=scene.manager)


OFFS = {
    "deactivated": _deactivate,
    "role taken": _take_the_role,
    "out of the group": _take_out_of_the_group,
    "never": _never,
    "never the group": _never_the_group,
}


def _end_sessions(scene: Scene) -> None:
    from allauth.usersessions.adapter import get_adapter
    from allauth.usersessions.models import UserSession

    get_adapter().end_sessions(list(UserSession.objects.filter(user=scene.person)))


def _end_at_the_provider(scene: Scene) -> None:
    told = scene.provider.logout_token(claims={"sub": "ada"})
    assert Client().post("/sign-in/with/oidc/logout/", {"logout_token": told}).status_code == 200


def _unlink(scene: Scene) -> None:
    client = sign_in_scene.browser(scene.person.username)
    sign_in_scene.confirm(client)
    client.post("/account/provider/unlink/")


def _off_for_passwords(scene: Scene) -> None:
    scene.settings.LOCAL_SIGN_IN = False


def _change_password(scene: Scene) -> None:
    accounts.set_password(scene.person, "another-horse-battery-staple", by=scene.admin)


def _revoke_tokens(scene: Scene) -> None:
    for token in tokens.own(scene.person):
        tokens.revoke(token, by=scene.person)


def _end_looks(scene: Scene) -> None:
    view_as.end_all(view_as.ViewAs.objects.filter(viewer=scene.admin))


def _take_the_viewers_right(scene: Scene) -> None:
    members.set_platform_administrator(scene.admin, by=None, administrator=False)


#: What ends the credential itself, and leaves the person's rights alone.
ENDS = {
    ("session", _end_sessions),
    ("session", _change_password),
    ("remembered", _end_sessions),
    ("remembered", _change_password),
    ("provider", _change_password),
    ("provider", _end_sessions),
    ("provider", _end_at_the_provider),
    ("provider", _unlink),
    ("session", _off_for_passwords),
    ("remembered", _off_for_passwords),
    ("token", _revoke_tokens),
    ("token", _off_for_passwords),
    ("view_as", _end_looks),
    ("view_as", _take_the_viewers_right),
}


def test_whoever_is_put_out_is_refused_at_the_next_use(scene: Scene, subtests: Any) -> None:
    for way, off in product(WAYS, OFFS):
        with subtests.test(f"{way}, {off}"), scene.as_it_was():
            use = WAYS[way](scene)
            assert use(), "the way must let the person in before it can be closed"

            OFFS[off](scene)

            assert not use()


def test_a_credential_that_ended_is_refused_at_the_next_use(scene: Scene, subtests: Any) -> None:
    for way, end in sorted(ENDS, key=str):
        with subtests.test(f"{way}, {end.__name__}"), scene.as_it_was():
            use = WAYS[way](scene)
            assert use()

            end(scene)

            assert not use()


@pytest.fixture
def source(scene: Scene, tmp_path: Path) -> Source:
    """A folder with two files that the person looks after."""
    members.add_member(scene.workspace, scene.person, Role.CONTRIBUTOR, by=scene.manager)
    members.add_member(scene.workspace, scene.person, Role.MANAGER, by=scene.manager)
    for name in ("one.md", "two.md"):
        (tmp_path / name).write_text(f"# {name}\n\n{CANARY}\n", encoding="utf-8")
    scene.settings.SOURCE_FOLDERS = [str(tmp_path)]
    return keeping.create_source(
        scene.workspace, "folder", keeping.Wish(name="Birds", options={"folder": str(tmp_path)}), by=scene.person
    )


def _take_all_roles(scene: Scene) -> None:
    for role in members.roles_of(scene.workspace, scene.person):
        members.remove_member(scene.workspace, scene.person, role, by=scene.manager)


#: A place in the group opens a document and lets nobody bring any in.
OFFS_OF_A_SOURCE = {**OFFS, "role taken": _take_all_roles}
del OFFS_OF_A_SOURCE["out of the group"]


def test_a_sync_in_line_brings_nothing_in_for_whom_it_would_act(scene: Scene, source: Source, subtests: Any) -> None:
    for off, is_asked in product(OFFS_OF_A_SOURCE, (True, False)):
        with subtests.test(f"{off}, {'asked for' if is_asked else 'by the clock'}"), scene.as_it_was():
            run = keeping.ask_run(source, RunKind.SYNC, by=scene.person)
            if not is_asked:
                SourceRun.objects.filter(pk=run.pk).update(asked_by=None)

            OFFS_OF_A_SOURCE[off](scene)
            run_source_task(str(run.pk))

            run.refresh_from_db()
            assert (run.state, run.problem) == (RunState.FAILED, "not_allowed")
            assert not source.items.exists()


@pytest.mark.parametrize(("together", "brought"), [(1, 1), (2, 0)])
def test_a_sync_under_way_brings_nothing_more_in_for_whom_it_acts(
    scene: Scene, source: Source, monkeypatch: pytest.MonkeyPatch, subtests: Any, together: int, brought: int
) -> None:
    monkeypatch.setattr(company, "MOST", together)
    fetch, fetched, put_out = folder.FolderConnector.fetch, [], []

    def fetch_one(self: Any, entry: Any) -> Any:
        if fetched:
            put_out[-1](scene)
        fetched.append(entry)
        return fetch(self, entry)

    monkeypatch.setattr(folder.FolderConnector, "fetch", fetch_one)
    for off, put_out[:] in ((off, [act]) for off, act in OFFS_OF_A_SOURCE.items()):
        fetched.clear()
        with subtests.test(off), scene.as_it_was():
            run = keeping.ask_run(source, RunKind.SYNC, by=scene.person)

            run_source_task(str(run.pk))

            assert len(fetched) == 2
            assert Document.objects.filter(source_items__source=source).count() == brought


def test_what_was_asked_for_many_documents_is_not_done_for_whom_it_would_act(
    scene: Scene, source: Source, subtests: Any
) -> None:
    document = scene.version.document
    for off, put_out in OFFS_OF_A_SOURCE.items():
        with subtests.test(off), scene.as_it_was():
            run = bulk.ask(scene.workspace, Order("classify", "restricted"), [document.pk], by=scene.person)

            put_out(scene)
            bulk_task(str(run.pk))

            run.refresh_from_db()
            document.refresh_from_db()
            assert run.ended_at is not None
            assert document.classification != "restricted"


def test_a_question_in_line_is_not_answered_from_what_its_asker_may_no_longer_open(scene: Scene, subtests: Any) -> None:
    for off, put_out in OFFS.items():
        with subtests.test(off), scene.as_it_was():
            answer = questions.ask(workspace=scene.workspace, text=QUESTION, by=scene.person)

            put_out(scene)
            pipeline.run(answer.pk)

            answer.refresh_from_db()
            assert answer.status not in {AnswerStatus.ANSWERED, AnswerStatus.WAITING}
            assert CANARY not in answer.text
            assert not answer.evidence.exists()


def test_a_question_in_line_is_answered_while_nothing_was_taken(scene: Scene) -> None:
    answer = questions.ask(workspace=scene.workspace, text=QUESTION, by=scene.person)

    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert CANARY in answer.text


@pytest.fixture
def replayed(scene: Scene) -> Replay:
    """A replay in line, of somebody else's answer, that the person asked for as a reviewer."""
    for who, role in ((scene.admin, Role.MEMBER), (scene.person, Role.REVIEWER)):
        members.add_member(scene.workspace, who, role, by=scene.manager)
    access.grant("open_document", scene.admin, scene.version.document)
    answer = questions.ask(workspace=scene.workspace, text=QUESTION, by=scene.admin)
    pipeline.run(answer.pk)
    answer.refresh_from_db()
    assert CANARY in answer.raw_output
    return replay(answer, by=scene.person)


def test_a_replay_in_line_sends_a_model_nothing_for_whom_it_would_act(
    scene: Scene, replayed: Replay, subtests: Any
) -> None:
    for off, put_out in ({**OFFS, "role taken": _take_all_roles}).items():
        with subtests.test(off), scene.as_it_was():
            put_out(scene)
            replay_answer(str(replayed.pk))

            replayed.refresh_from_db()
            assert (replayed.state, replayed.text) == (ReplayState.REFUSED, "")
            assert not Event.objects.filter(type=EventType.ANSWER_REPLAY_SENT).exists()


def test_a_replay_in_line_is_made_while_nothing_was_taken(scene: Scene, replayed: Replay) -> None:
    replay_answer(str(replayed.pk))

    replayed.refresh_from_db()
    assert replayed.state == ReplayState.SAME
    assert Event.objects.filter(type=EventType.ANSWER_REPLAY_SENT).exists()


@pytest.fixture
def evaluation(scene: Scene) -> EvaluationRun:
    """A run in line of one question, whose answer stands in the document, that the person started as a manager."""
    members.add_member(scene.workspace, scene.person, Role.MANAGER, by=scene.manager)
    place = {"document": str(scene.version.document_id), "page": None, "quote": ""}
    made = sets.create(scene.workspace, name="Birds", by=scene.person)
    return runs.start(sets.put(made, [Case(QUESTION, expected=[place])], by=scene.person), by=scene.person)


def test_a_run_in_line_asks_nothing_for_whom_it_would_act(scene: Scene, evaluation: EvaluationRun) -> None:
    for off in ({**OFFS, "role taken": _take_all_roles}).values():
        with scene.as_it_was():
            off(scene)
            evaluate_run(str(evaluation.pk))

            assert not evaluation.results.exclude(text="", outcome="closed", documents=[]).exists(), off
            assert not Event.objects.filter(type=EventType.EVIDENCE_SENT).exists(), off


def test_a_run_in_line_asks_while_nothing_was_taken(scene: Scene, evaluation: EvaluationRun) -> None:
    evaluate_run(str(evaluation.pk))

    assert CANARY in evaluation.results.get().text
    assert Event.objects.filter(type=EventType.EVIDENCE_SENT).exists()


# --- Streams ------------------------------------------------------------------------------------------------


def _session_stream(scene: Put, answer: Answer) -> Any:
    return sign_in_scene.browser(scene.person.username).get(f"/w/policies/answers/{answer.pk}/events/")


def _token_stream(scene: Put, answer: Answer) -> Any:
    return _program(scene).get(f"/api/v1/answers/{answer.pk}/events")


STREAMS = {"session_stream": _session_stream, "token_stream": _token_stream}
#: The stream tells of one's own answer, so that it ends with what lets the person in, not with one source's closing.
STREAM_OFFS = {"deactivated": _deactivate, "role taken": _take_the_role, "never": _never}
STREAM_ENDS = {
    ("session_stream", _end_sessions),
    ("session_stream", _change_password),
    ("token_stream", _revoke_tokens),
}


@pytest.fixture
def watcher(
    transactional_db: None, policies: Any, manager: Any, admin: Any, make_user: Any
) -> Callable[[str], tuple[Put, Answer]]:
    """watcher(name) → a member of `policies`, and an answer of theirs that goes on being made all the time."""

    def make(name: str) -> tuple[Put, Answer]:
        watcher = Put(make_user(name), manager, admin, policies)
        members.add_member(policies, watcher.person, Role.MEMBER, by=None)
        answer = questions.ask(workspace=policies, text=QUESTION, by=watcher.person)
        Answer.objects.filter(pk=answer.pk).update(status=AnswerStatus.WORKING)
        return watcher, answer

    return make


def test_a_stream_ends_with_what_let_its_watcher_in(watcher: Any) -> None:
    """All begin to watch before the first is put out, so that each of them waits for the same five seconds."""
    ways_out = [*product(STREAMS, STREAM_OFFS.values()), *sorted(STREAM_ENDS, key=str)]
    watched = {}
    for number, (way, out) in enumerate([*ways_out, *((way, None) for way in STREAMS)]):
        who, answer = watcher(f"watcher-{number}")
        watched[way, out] = who, Watching(STREAMS[way](who, answer))

    for (_way, out), (who, _watching) in watched.items():
        if out is not None:
            out(who)

    late = time.monotonic() + 5
    went_on = {case for case, (_who, watching) in watched.items() if not watching.ends_within(late - time.monotonic())}
    for case in went_on:
        watched[case][1].leave()
    # Those to whom nothing happened go on watching.
    assert went_on == {(way, None) for way in STREAMS}


def test_a_stream_ends_in_time_also_while_something_is_always_happening(watcher: Any) -> None:
    """News kept the look at rights waiting once: each began the pause anew."""
    who, answer = watcher("watcher")
    watching = Watching(_token_stream(who, answer))
    over = threading.Event()

    def chatter() -> None:
        while not over.wait(0.2):
            streaming.append(answer.pk, streaming.STEP, {"step": "retrieve", "label": ""})

    thread = threading.Thread(target=chatter, daemon=True)
    thread.start()
    try:
        _revoke_tokens(who)

        assert watching.ends_within(5)
    finally:
        over.set()
        thread.join(5)


# --- Counter-proofs: with the protection taken away, the use goes on ----------------------------------------


def test_a_token_that_is_not_looked_at_again_would_outlive_its_end(scene: Scene, monkeypatch: Any) -> None:
    use = _token(scene)
    monkeypatch.setattr(tokens, "fault_of", lambda token: "")

    _revoke_tokens(scene)

    assert use()


def test_a_stream_whose_credential_is_not_asked_again_would_go_on(watcher: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(streaming, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(credentials.tokens, "still_open", lambda pk: tokens.ApiToken.objects.get(pk=pk))
    who, answer = watcher("watcher")
    watching = Watching(_token_stream(who, answer))

    _revoke_tokens(who)

    # At each beat it looks at the rights; the one before the end of the token may be heard after it.
    had = watching.text.count(": still here")
    within(30, lambda: watching.is_over or watching.text.count(": still here") > had + 2)
    assert not watching.is_over
    watching.leave()


def test_rights_that_are_not_asked_again_would_let_the_page_be_read(scene: Scene, monkeypatch: Any) -> None:
    use = _session(scene)
    monkeypatch.setattr(access, "_held", lambda user, workspace: frozenset(Action.values))
    monkeypatch.setattr(access, "_known", lambda user, model: model._default_manager.all())

    _take_the_role(scene)

    assert use()
