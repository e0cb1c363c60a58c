"""A workspace in which nothing is wrong: people in every role, documents that answer, sources, a signed trail."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from answers.models import Draft, EvaluationRun, QuestionCase, QuestionSet, SuggestedQuestion
from audit import checkpoints
from audit.chain import workspace_chain
from documents.access import restriction
from documents.models import Document, IndexCheck, RunKind, RunState, Source, SourceRun
from tests.answers import library, review_scene
from workspaces import groups, members
from workspaces.classification import Classification
from workspaces.models import PeopleGroup, User, Workspace

NOTE = "The reading room is open from 9:00 to 17:00 on working days."
PEOPLE = {
    "manager": ["manager-1"],
    "contributor": ["contributor-1"],
    "reviewer": ["reviewer-1", "reviewer-2", "reviewer-3"],
    "member": ["member-1", "member-2", "member-3"],
    "auditor": ["auditor-1"],
}


@dataclass
class Sound:
    """The workspace and what a fault can be planted in."""

    workspace: Workspace
    people: dict[str, User]
    handbook: Document
    purchasing: Document
    restricted: Document
    group: PeopleGroup
    sources: list[Source]
    folder: Path
    draft: Draft
    #: The trail and the outside of it.
    checkpoints: Path


def build(settings: Any, place: Path) -> Sound:
    """Make it. `settings` has to name `place`/checkpoints and `place`/sources already."""
    people = {name: members.create_user(username=name, by=None) for each in PEOPLE.values() for name in each}
    workspace = members.create_workspace(slug="sound", name="Sound", policy="review", by=None)
    for role, named in PEOPLE.items():
        for name in named:
            members.add_member(workspace, people[name], role, by=None)
    Workspace.objects.filter(pk=workspace.pk).update(second_approver_from=Classification.CONFIDENTIAL)
    workspace.refresh_from_db()
    handbook = library.add_document(workspace, "handbook.md", library.HANDBOOK).document
    purchasing = library.add_document(workspace, "purchasing.md", library.PURCHASING).document
    closed = library.add_document(
        workspace, "board.md", "# Board\n\nThe board meets in the vineyard at Oplenac.", granted_to=[people["member-1"]]
    ).document
    group = groups.create_group(name="Finance", by=None)
    groups.add_to_group(group, people["member-2"], by=None)
    restriction.grant(closed, group, by=people["manager-1"])
    Document.objects.filter(workspace=workspace).update(owner=people["contributor-1"])
    Document.objects.filter(pk=purchasing.pk).update(classification=Classification.CONFIDENTIAL)
    sources = [_source(workspace, people["manager-1"], place / "sources", name) for name in ("Guides", "Forms")]
    draft = _draft(workspace, people["member-1"], handbook)
    _questions(workspace, people["manager-1"])
    IndexCheck.objects.create(workspace=workspace, started_at=timezone.now(), seconds=1, passages=9)
    (place / "backup").touch()
    checkpoints.make(workspace_chain(workspace.pk))
    return Sound(
        workspace, people, handbook, purchasing, closed, group, sources, place / "sources", draft, place / "checkpoints"
    )


def _source(workspace: Workspace, owner: User, root: Path, name: str) -> Source:
    place = root / name.lower()
    place.mkdir(parents=True)
    (place / "note.md").write_text(f"# {name}\n\n{NOTE}\n")
    now = timezone.now()
    source = Source.objects.create(
        workspace=workspace,
        name=name,
        kind="folder",
        options={"folder": str(place)},
        folder=name.lower(),
        schedule="daily",
        owner=owner,
        created_by=owner,
        started_at=now,
        started_by=owner,
        due_at=now + timedelta(hours=12),
    )
    SourceRun.objects.create(source=source, kind=RunKind.SYNC, state=RunState.DONE, ended_at=now)
    return source


def _draft(workspace: Workspace, asker: User, document: Document) -> Draft:
    clause = "The first parent takes 16 weeks of paid parental leave."
    draft = review_scene.a_held_answer(
        workspace, asker, question="Leave?", clauses=(clause,), versions=[document.current_version]
    )
    draft.due_at = timezone.now() + timedelta(days=1)
    draft.save(update_fields=["due_at"])
    return draft


def _questions(workspace: Workspace, manager: User) -> None:
    SuggestedQuestion.objects.create(
        workspace=workspace, position=1, text="How many weeks of paid parental leave does the first parent take?"
    )
    asked = QuestionSet.objects.create(workspace=workspace, name="Leave", created_by=manager)
    QuestionCase.objects.create(
        question_set=asked,
        code="leave",
        since=1,
        position=1,
        question="How many days of annual leave does every employee have?",
        added_by=manager,
    )
    EvaluationRun.objects.create(
        workspace=workspace,
        question_set=asked,
        set_version=1,
        cases_sha256="0" * 64,
        case_count=1,
        state="done",
        started_by=manager,
        ended_at=timezone.now(),
    )
