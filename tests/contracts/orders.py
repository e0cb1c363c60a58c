"""The table of commands and background work: what each may do, as whom, and what the trail says of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.chain import digest
from audit.events import EventType
from tests.contracts.acts import _elsewhere_searched
from tests.contracts.world import World
from workspaces.glass import breaking as glass

E = EventType
Arguments = Callable[[World], list[Any]]


@dataclass(frozen=True)
class Order:
    """One command, with one of its acts where it has several."""

    name: str
    arguments: Arguments
    #: Whose rights it uses (`--as`); None: it is the operator's, who owns the machine.
    who: str | None = None
    event: EventType | None = None
    #: People of the cast it is refused to.
    refused: tuple[str, ...] = ()
    before: Callable[[World], Any] | None = None
    #: It waits for work that begins once everything is committed; the test that sees it through.
    proved: str = ""

    def __str__(self) -> str:
        return self.name

    def typed(self, world: World, who: str | None = None) -> list[str]:
        """The words after `manage.py`."""
        words = [*self.name.split(), *map(str, self.arguments(world))]
        return words if self.who is None else [*words, "--as", who or self.who]


def _draft(*more: str) -> Arguments:
    return lambda world: [world.own.draft.pk, *more]


def _approve(world: World) -> list[Any]:
    return [world.own.draft.pk, "--reason", "It stands there.", "--seen", digest(world.own.draft.text)]


def _again(world: World) -> list[Any]:
    return [world.own.released.pk, "--reason", "A reader doubts it."]


def _break(world: World) -> None:
    glass.break_glass(world.own.workspace, by=world.people["superuser"], reason="Ticket 4711")


def _nothing(world: World) -> list[Any]:
    return []


def _policies(*more: str) -> Arguments:
    return lambda world: ["policies", *more]


#: Questions for `evaluate`.
CASES = str(Path(__file__).with_name("cases.jsonl"))
#: A text for `examine`.
DRAFT = str(Path(__file__).parents[2] / "SECURITY.md")
NOBODY_HERE = ("stranger", "admin", "superuser")
NO_REVIEWER = (*NOBODY_HERE, "member", "manager", "contributor", "auditor")

ORDERS = [
    Order(
        "ask",
        _policies("How can we end it?"),
        "member",
        refused=("auditor", *NOBODY_HERE),
        proved="tests/answers/test_ask_command.py",
    ),
    Order(
        "examine",
        _policies(DRAFT),
        "member",
        refused=("auditor", *NOBODY_HERE),
        proved="tests/answers/draft_review/test_programs.py",
    ),
    Order(
        "ingest",
        _policies("docs"),
        "contributor",
        refused=("member", "auditor", "reviewer", *NOBODY_HERE),
        proved="tests/documents/test_ingest_command.py",
    ),
    Order(
        "sync",
        _policies(),
        "manager",
        refused=("contributor", "member", *NOBODY_HERE),
        proved="tests/documents/sources/test_sync.py",
    ),
    Order(
        "search",
        _policies("notice"),
        "member",
        refused=("auditor", *NOBODY_HERE),
        proved="tests/documents/test_search_commands.py",
    ),
    Order(
        "receipt",
        lambda w: [w.own.released.pk],
        "member",
        E.RECEIPT_ISSUED,
        ("auditor", "manager", "contributor", *NOBODY_HERE),
    ),
    Order("review list", _nothing, "reviewer"),
    Order("review show", _draft(), "reviewer", E.DRAFT_OPENED, NO_REVIEWER),
    Order("review approve", _approve, "reviewer", E.DRAFT_APPROVED, NO_REVIEWER),
    Order("review return", _draft("--reason", "Too long."), "reviewer", E.DRAFT_RETURNED, NO_REVIEWER),
    Order("review reject", _draft("--reason", "Wrong."), "reviewer", E.DRAFT_REJECTED, NO_REVIEWER),
    Order("review reopen", _again, "reviewer", E.DRAFT_REOPENED, NO_REVIEWER),
    Order("review take-back", _again, "reviewer", E.DRAFT_TAKEN_BACK, NO_REVIEWER),
    Order(
        "glass break", _policies("--reason", "Ticket"), "superuser", E.GLASS_BROKEN, ("admin", "manager", "stranger")
    ),
    Order("glass end", _policies(), "superuser", E.GLASS_ENDED, ("admin", "manager", "stranger"), before=_break),
    # The operator's
    Order("administrator", lambda w: ["newcomer"], event=E.MEMBER_ADDED),
    Order("workspace create", lambda w: ["travel", "--manager", "newcomer"], event=E.WORKSPACE_CREATED),
    Order("token list", _nothing),
    Order("token revoke", lambda w: [w.own.token.pk], event=E.TOKEN_REVOKED),
    Order("factors", lambda w: ["member"]),
    Order("reseal", _nothing, proved="tests/workspaces/identity/test_resealing.py"),
    Order("audit verify", _policies(), event=E.TRAIL_VERIFIED),
    Order("audit export", _policies(), event=E.TRAIL_EXPORTED),
    Order("audit checkpoint", _policies()),
    Order("audit pack", _policies(), proved="tests/workspaces/test_evidence_pack.py"),
    Order("audit archive", _policies(), proved="tests/audit/test_archive.py"),
    Order("audit detach", _policies(), proved="tests/audit/test_archive.py"),
    Order("audit key", _nothing),
    Order("audit roles", lambda w: ["--owner", "a", "--application", "b"]),
    Order("index verify", _policies()),
    Order(
        "embedding",
        _policies("plan", "--to", "minilm-l6-int8"),
        "manager",
        E.EMBEDDING_PLANNED,
        ("contributor", "member", *NOBODY_HERE),
        before=_elsewhere_searched,
    ),
    Order("index rebuild", _policies(), event=E.INDEX_REBUILT),
    Order("hold list", _policies(), "manager", refused=("contributor", "member", "stranger")),
    Order(
        "hold place",
        _policies("--reason", "Case 12."),
        "manager",
        E.HOLD_PLACED,
        ("contributor", "member", "auditor", "stranger"),
    ),
    Order(
        "hold lift",
        lambda w: ["policies", w.own.hold.pk, "--reason", "It is over."],
        "manager",
        E.HOLD_LIFTED,
        ("contributor", "member", "auditor", "stranger"),
    ),
    Order("deletion list", _policies(), "manager", refused=("contributor", "member", "auditor", *NOBODY_HERE)),
    Order(
        "deletion receipt",
        lambda w: [w.own.proven.pk],
        "manager",
        E.ERASURE_RECEIPT_TAKEN,
        ("contributor", "member", "auditor", *NOBODY_HERE),
    ),
    Order(
        "readiness",
        _policies(),
        "manager",
        E.READINESS_ASKED,
        ("contributor", "member", "reviewer", "auditor", *NOBODY_HERE),
        proved="tests/workspaces/readiness/test_running.py",
    ),
    Order(
        "evaluate",
        _policies(CASES),
        "manager",
        E.EVALUATION_STARTED,
        ("contributor", "member", "reviewer", "auditor", *NOBODY_HERE),
        proved="tests/answers/evaluation/test_command.py",
    ),
    Order("doctor", _nothing, proved="tests/inlock/test_doctor.py"),
    Order("demo", _nothing, proved="tests/inlock/test_demo_data.py"),
    Order("serve", _nothing, proved="tests/e2e/test_serve.py"),
]


@dataclass(frozen=True)
class Work:
    """One background task."""

    name: str
    #: What its one argument is the id of; empty for a sweep, which takes nothing.
    of: str = ""
    #: Where it acts for a person: the test that their rights are asked again.
    rechecked: str = ""


WORK = [
    Work(
        "answers.tasks.answer_question",
        "answer",
        "tests/answers/test_pipeline.py::test_a_right_that_is_taken_while_the_model_writes_refuses",
    ),
    Work(
        "answers.tasks.replay_answer",
        "replay",
        "tests/answers/test_replays.py::test_a_right_that_is_lost_while_the_model_writes_leaves_no_text",
    ),
    Work(
        "answers.tasks.examine_draft",
        "examination",
        "tests/answers/draft_review/test_examining.py::test_a_right_that_is_taken_meanwhile_ends_the_examination",
    ),
    Work(
        "answers.tasks.preview_template",
        "preview",
        "tests/answers/rag_templates/test_previews.py::test_a_right_that_is_lost_before_it_runs_leaves_no_text",
    ),
    Work(
        "answers.tasks.evaluate_run",
        "run",
        "tests/leaks/test_p14_off_means_off.py::test_a_run_in_line_asks_nothing_for_whom_it_would_act",
    ),
    Work("answers.tasks.sweep_examinations"),
    Work("answers.tasks.sweep_answers"),
    Work("answers.tasks.sweep_standing"),
    Work("answers.tasks.sweep_gaps"),
    Work("answers.tasks.sweep_due"),
    Work("answers.tasks.sweep_approved"),
    Work(
        "answers.tasks.sweep_finetuning",
        rechecked="tests/answers/finetuning/test_jobs.py::test_everything_is_asked_again_at_the_moment_of_sending",
    ),
    Work("workspaces.tasks.sweep_mails"),
    Work("documents.tasks.ingest_version_task", "version"),
    Work("documents.tasks.withdraw_version_task", "version"),
    Work("documents.tasks.draw_slides_task", "version"),
    Work("documents.tasks.erase_document_task", "document"),
    Work("documents.tasks.prove_erasure_task", "deletion"),
    Work("documents.tasks.sweep_erasures"),
    Work("documents.tasks.sweep_retention"),
    Work("documents.tasks.sweep_originals"),
    Work("documents.tasks.run_source_task", "run", "tests/documents/sources/test_sync.py"),
    Work("documents.tasks.check_index_task", "workspace"),
    Work("documents.tasks.check_doubted_index_task", "workspace"),
    Work("documents.tasks.sweep_indexes"),
    Work("inlock.tasks.sweep_engines"),
    Work("documents.tasks.sweep_ingestion"),
    Work("documents.tasks.build_space_task", "migration"),
    Work(
        "documents.tasks.compare_spaces_task",
        "comparison",
        "tests/documents/reembedding/test_comparing.py::"
        "test_only_whoever_manages_compares_and_the_right_is_asked_again",
    ),
    Work("documents.tasks.sweep_spaces"),
    Work(
        "documents.tasks.bulk_task",
        "run",
        "tests/documents/test_bulk.py::test_a_right_that_is_lost_meanwhile_is_lost_for_the_rest",
    ),
    Work("documents.tasks.sweep_documents"),
    Work("documents.tasks.sweep_sources"),
    Work("workspaces.tasks.sweep_looks"),
    Work("workspaces.tasks.check_readiness", "run"),
    Work("workspaces.tasks.sweep_readiness"),
    Work("audit.tasks.sweep_checkpoints"),
    Work("inlock.tasks.canary"),
]
