"""A held answer with everything a reviewer decides on: documents, evidence, citations and a draft."""

import hashlib
import uuid
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from answers.models import Answer, Citation, Draft, Evidence, Question
from answers.states import AnswerStatus, DraftState
from audit.chain import digest
from documents.embedding.spaces import space_of
from documents.models import Document, Version
from documents.stages import ready
from documents.states import VersionState
from workspaces import access

CLAUSES = (
    "Either party may end the agreement with 60 days' written notice.",
    "Invoices are due within 30 days of receipt.",
)
TEXT = f"{CLAUSES[0]} [1] {CLAUSES[1]} [2]"


def a_document(workspace: Any, *, title: str, text: str, restricted: bool = False, format: str = "md") -> Version:
    """A ready document with one version whose only section holds `text`."""
    document = Document.objects.create(
        workspace=workspace, path=f"{title}-{uuid.uuid4().hex[:6]}.{format}", title=title, restricted=restricted
    )
    version = Version(
        document=document,
        number=1,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        size=len(text),
        filename=document.path,
        format=format,
        state=VersionState.READY,
        ready_at=timezone.now(),
        text=text,
        sections=[{"kind": "section", "number": 1, "label": title, "heading": [title], "start": 0, "end": len(text)}],
        page_count=1,
        passage_count=1,
    )
    version.file.save("original", ContentFile(text.encode()), save=False)
    version.save()
    document.current_version = version
    document.save()
    return version


def answers_anew(document: Document, text: str) -> Version:
    """A newer version of the document, as it comes from the stages before, begins to answer by the real last one."""
    old = Document.objects.get(pk=document.pk).current_version
    version = Version.objects.create(
        document=old.document,
        number=old.number + 1,
        turn=old.turn + 1,
        sha256=digest(text),
        size=len(text),
        filename="anew.md",
        format="md",
        text=text,
        passage_count=1,
    )
    space = {"space": space_of(old.document.workspace_id).fingerprint}
    version.stages.create(stage=VersionState.INDEXED, attempt=1, seconds=0, detail=space)
    with transaction.atomic():
        version.state = VersionState.READY
        ready.switch(version, None)
        version.save()
    return version


def a_held_answer(
    workspace: Any,
    asked_by: Any,
    *,
    question: str = "How can we end the carrier agreement, and when are invoices due?",
    clauses: tuple[str, ...] = CLAUSES,
    versions: list[Version] | None = None,
) -> Draft:
    """A draft awaiting review; clause n is cited as [n] from its own document."""
    answer = Answer.objects.create(
        question=Question.objects.create(workspace=workspace, asked_by=asked_by, text=question, language="en"),
        workspace=workspace,
        asked_by=asked_by,
        policy=workspace.review_policy,
        endpoint_label="built-in",
        prompt_version="cited-1",
        text=" ".join(f"{clause} [{number}]" for number, clause in enumerate(clauses, 1)),
        sentences=_sentences(clauses),
        status=AnswerStatus.HELD_FOR_REVIEW,
        ended_at=timezone.now(),
    )
    for number, clause in enumerate(clauses, 1):
        version = (
            versions[number - 1] if versions else a_document(workspace, title=f"Source {number}", text=_around(clause))
        )
        start = version.text.index(clause)
        place = {
            "document": version.document,
            "version": version,
            "start": start,
            "end": start + len(clause),
            "page": 1,
            "locator": "Termination",
        }
        evidence = Evidence.objects.create(
            answer=answer,
            rank=number,
            passage_id=uuid.uuid4(),
            sha256=hashlib.sha256(clause.encode()).hexdigest(),
            **place,
        )
        Citation.objects.create(answer=answer, number=number, evidence=evidence, quote=clause, **place)
    return Draft.objects.create(workspace=workspace, answer=answer, text=answer.text, state=DraftState.WAITING)


def _around(clause: str) -> str:
    return (
        f"This agreement is made between the carrier and the company.\n{clause}\nNotices are sent by registered mail."
    )


def _sentences(clauses: tuple[str, ...]) -> list[dict[str, Any]]:
    sentences, at = [], 0
    for number, clause in enumerate(clauses, 1):
        text = f"{clause} [{number}]"
        sentences.append({"text": text, "start": at, "end": at + len(text), "citations": [number], "grounding": 1.0})
        at += len(text) + 1
    return sentences


def a_draft_on_a_closed_document(workspace: Any, asker: Any, *, title: str, question: str, readers: list[Any]) -> Draft:
    """Rests on one document called `title` that only `readers` may open, and on one that is open to all."""
    secret = a_document(workspace, title=title, text=f"Before. {CLAUSES[0]} After.", restricted=True)
    plain = a_document(workspace, title="Invoices", text=f"Before. {CLAUSES[1]} After.")
    for person in readers:
        access.grant("open_document", person, secret.document)
    return a_held_answer(workspace, asker, question=question, versions=[secret, plain])
