"""An answer leaves as a file for who may read it at that moment, whole, with its sources, and nothing in it acts."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from email.message import Message
from typing import Any
from uuid import uuid4

import pypdfium2
import pytest
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from docx import Document as Docx
from markdown_it import MarkdownIt

from answers import review
from answers.exceptions import ExportError
from answers.export import content, naming, take
from answers.models import Answer, Draft
from answers.reuse import offering, rules
from answers.states import AnswerStatus
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents.models import Document
from tests.answers import library
from tests.answers.review_scene import a_document, a_draft_on_a_closed_document, a_held_answer
from tests.leaks.hostile_outputs import OUTPUTS
from workspaces import access
from workspaces.exceptions import Hidden

LEAVE = "How many days of annual leave does an employee have?"
PORTAL = "https://portal.example"
CLAUSES = ("Other party may end it with 60 days' notice.", "Отказни рок је шездесет дана; čćžšđ ЉЊЏЂЋ.")
HOSTILE = (
    "<img src=http://evil.example/x> ![x](http://evil.example/y.png) <a href='//evil.example'>here</a>",
    "[click](http://evil.example) <script>alert(1)</script> {{ 7*7 }} =HYPERLINK(1) www.evil.example &lt;b&gt;",
)
FORMATS = tuple(take.FORMATS)


def at(path: str) -> str:
    return PORTAL + path


def approved(workspace: Any, member: Any, reviewer: Any, clauses: tuple[str, ...], question: str) -> Answer:
    versions = [a_document(workspace, title=f"Source {n}", text=f"A. {c} B.") for n, c in enumerate(clauses, 1)]
    draft = a_held_answer(workspace, member, question=question, clauses=clauses, versions=versions)
    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    return Answer.objects.get(pk=draft.answer_id)


@pytest.fixture
def answer(legal: Any, member: Any, reviewer: Any) -> Answer:
    return approved(legal, member, reviewer, CLAUSES, "When may we end it, и који је рок?")


def words(text: str) -> str:
    return " ".join(text.split())


def text_of_pdf(file: bytes) -> str:
    pages = pypdfium2.PdfDocument(file)
    return words(" ".join(page.get_textpage().get_text_range() for page in pages))


def text_of_docx(file: bytes) -> str:
    return words(" ".join(paragraph.text for paragraph in Docx(io.BytesIO(file)).paragraphs))


def text_of_markdown(file: bytes) -> str:
    html = MarkdownIt("commonmark").render(file.decode())
    from html import unescape

    return words(unescape(re.sub(r"<[^>]+>", " ", html)))


READ: dict[str, Callable[[bytes], str]] = {"pdf": text_of_pdf, "docx": text_of_docx, "markdown": text_of_markdown}


def links_of(format: str, file: bytes) -> set[str]:
    if format == "docx":
        relations = Docx(io.BytesIO(file)).part.rels.values()
        return {one.target_ref for one in relations if one.is_external}
    if format == "markdown":
        html = MarkdownIt("commonmark").render(file.decode())
        return set(re.findall(r'(?:href|src)="([^"]*)"', html))
    return {uri.decode() for uri in re.findall(rb"/URI \(([^)]*)\)", file)}


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_tells_the_question_the_text_who_let_it_out_and_every_source(answer, member, format):
    Document.objects.filter(pk=answer.citations.get(number=2).document_id).update(classification="confidential")

    file = take.take(answer, format=format, by=member, at=at)

    said = READ[format](file.content).replace(" .", ".")
    assert "Classification: Confidential" in said
    assert "When may we end it, и који је рок?" in said
    for clause in CLAUSES:
        # Once in the text and once as the exact quote.
        assert said.count(clause) == 2, said
    assert "[1]" in said
    assert "Approved by reviewer" in said
    assert "machine" in said
    assert answer.workspace.name in said
    assert answer.released_sha256 in said.replace(" ", "")
    for citation in answer.citations.select_related("version"):
        assert "version 1 of" in said
        assert citation.version.sha256[:12] in said
        assert citation.document.title in said
    assert file.name == f"when-may-we-end-it-и-који-је-рок.{take.FORMATS[format].ending}"
    entry = Event.objects.get(type=EventType.ANSWER_EXPORTED)
    assert f'"format":"{format}"' in entry.body
    assert answer.released_sha256 in entry.body
    assert CLAUSES[0] not in entry.body


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_in_a_text_becomes_markup_a_picture_or_a_link(legal, member, reviewer, format):
    answer = approved(legal, member, reviewer, HOSTILE, f"Is it {HOSTILE[0]}?")

    file = take.take(answer, format=format, by=member, at=at)

    assert links_of(format, file.content)
    assert all(link.startswith(f"{PORTAL}/w/legal/") for link in links_of(format, file.content))
    said = READ[format](file.content)
    for text in HOSTILE:
        assert said.count(words(text)) >= 2, said
    if format == "markdown":
        html = MarkdownIt("commonmark").render(file.content.decode())
        assert set(re.findall(r"<(\w+)", html)) <= {"h1", "h2", "p", "a", "strong", "blockquote", "hr", "code", "br"}


@pytest.mark.parametrize("format", FORMATS)
def test_no_known_attack_on_a_page_makes_a_link_or_a_picture_in_a_file(format):
    texts = [content.clean(text) for text in OUTPUTS]
    attacked = content.Content(
        workspace=texts[0],
        question=" ".join(texts)[:2000],
        asked="Asked",
        mark="Classification: Internal",
        paragraphs=tuple(texts),
        label="Written by a machine.",
        status="Released.",
        heading="Sources",
        sources=tuple(
            content.Source(number, title=text, version=text, place=text, quote=text, url=f"{PORTAL}/w/{number}/")
            for number, text in enumerate(texts, 1)
        ),
        proof="SHA-256",
        taken="Taken",
        url=f"{PORTAL}/answer/",
        language="en",
    )

    file = take.FORMATS[format].write(attacked)

    expected = {f"{PORTAL}/answer/", *(f"{PORTAL}/w/{number}/" for number in range(1, len(texts) + 1))}
    assert links_of(format, file) == expected


def test_an_unescaped_text_would_be_seen(legal, member, reviewer, monkeypatch):
    """The test above can fail: without the escape, the picture is in the page."""
    answer = approved(legal, member, reviewer, HOSTILE, "Is it?")
    monkeypatch.setattr("answers.export.markdown.plain", lambda text: text)

    file = take.take(answer, format="markdown", by=member, at=at)

    assert any("evil.example" in link for link in links_of("markdown", file.content))


@pytest.mark.parametrize("format", FORMATS)
def test_a_control_character_spoils_no_file(legal, member, reviewer, format):
    answer = approved(legal, member, reviewer, ("A page\x0b\x01 break\ufffe and an emoji 🦦 in one clause.",), "Is it?")

    said = READ[format](take.take(answer, format=format, by=member, at=at).content)

    assert "A page break and an emoji" in said


@pytest.mark.parametrize("status", [AnswerStatus.HELD_FOR_REVIEW, AnswerStatus.HELD_RETURNED])
def test_a_held_answer_is_not_taken_away_by_anybody(legal, member, reviewer, status):
    draft = a_held_answer(legal, member)
    Answer.objects.filter(pk=draft.answer_id).update(status=status)

    for person in (member, reviewer):
        with pytest.raises(ExportError, match="released"):
            take.take(draft.answer, format="markdown", by=person, at=at)
    assert not Event.objects.filter(type=EventType.ANSWER_EXPORTED).exists()


def test_a_suspended_answer_is_not_taken_away(answer, member, manager):
    from documents import library

    library.delete(answer.citations.first().document, by=manager, reason="Old.")

    with pytest.raises(ExportError):
        take.take(Answer.objects.get(pk=answer.pk), format="docx", by=member, at=at)
    assert not Event.objects.filter(type=EventType.ANSWER_EXPORTED).exists()


def test_a_source_that_was_closed_since_closes_the_export(legal, member, reviewer):
    draft = a_draft_on_a_closed_document(legal, member, title="Osprey", question="Q?", readers=[member, reviewer])
    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    answer = Answer.objects.get(pk=draft.answer_id)
    assert take.take(answer, format="markdown", by=member, at=at).content
    access.revoke("open_document", member, answer.citations.get(number=1).document)

    with pytest.raises(ExportError):
        take.take(answer, format="markdown", by=member, at=at)


def test_strangers_and_colleagues_find_no_file(answer, contributor, auditor, stranger, client_of):
    address = reverse("answers:export", args=["legal", answer.pk, "pdf"])

    with pytest.raises(Hidden):
        take.take(answer, format="pdf", by=stranger, at=at)
    assert client_of(stranger).get(address).status_code == 404
    assert client_of(contributor).get(address).status_code == 404
    assert client_of(auditor).get(address).status_code == 403
    assert not Event.objects.filter(type=EventType.ANSWER_EXPORTED).exists()


def test_without_its_entry_nothing_is_taken_away(answer, member, monkeypatch):
    def fail(*_args: Any, **_details: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(take, "record", fail)

    with pytest.raises(RuntimeError):
        take.take(answer, format="markdown", by=member, at=at)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("How long is parental leave?", "how-long-is-parental-leave.pdf"),
        ("Колико траје одмор?", "колико-траје-одмор.pdf"),
        ("../../etc/passwd\r\n\u202egpj", "etcpasswd-gpj.pdf"),
        ("x" * 500, "x" * 80 + ".pdf"),
        ("?!", "answer.pdf"),
    ],
)
def test_a_file_is_called_by_the_words_that_were_asked(text, name):
    assert downloaded(naming.as_file(HttpResponse(), naming.file_name(text, "pdf", otherwise="answer"))) == name


def downloaded(response):
    """What a browser calls the file."""
    headers = Message()
    headers["Content-Disposition"] = response["Content-Disposition"]
    return headers.get_filename()


def test_the_download_is_a_file_that_no_cache_keeps(answer, member, client_of):
    client = client_of(member)

    response = client.get(reverse("answers:export", args=["legal", answer.pk, "docx"]))

    # A folder of answers that are called by their ids tells nobody which is which.
    assert downloaded(response) == "when-may-we-end-it-и-који-је-рок.docx"
    assert response["Cache-Control"] == "no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "http://testserver/w/legal/" in str(links_of("docx", response.content))
    assert client.get(reverse("answers:export", args=["legal", answer.pk, "exe"])).status_code == 404
    assert client.get(reverse("answers:export", args=["legal", uuid4(), "docx"])).status_code == 404


def test_a_file_speaks_the_readers_language(answer, member):
    with translation.override("sr"):
        said = text_of_docx(take.take(answer, format="docx", by=member, at=at).content)

    assert "Извори" in said


def test_the_label_says_what_made_the_text(answer: Answer, legal: Any, member: Any, reviewer: Any) -> None:
    second: Draft = a_held_answer(legal, member)
    text = f"{second.text} And more. [1]"
    Answer.objects.filter(pk=second.answer_id).update(text=second.text)
    Draft.objects.filter(pk=second.pk).update(text=text)
    second.refresh_from_db()
    review.approve(second, by=reviewer, seen_sha256=digest(text))

    assert content.label_of(answer) == "Written by a machine."
    assert content.label_of(Answer.objects.get(pk=second.answer_id)).endswith("edited by a reviewer.")


def test_of_an_answer_given_again_it_says_who_verified_it_when_and_what_wrote_it(
    legal: Any, member: Any, contributor: Any, reviewer: Any, manager: Any, answered: Callable[..., Any]
) -> None:
    library.add_document(legal, "employee-handbook.md", library.HANDBOOK)
    rules.change(legal, enabled=True, days=90, remind_days=14, by=manager)
    first = answered(legal, LEAVE, member)
    edited = f"{first.draft.text} And more. [1]"
    Draft.objects.filter(pk=first.draft.pk).update(text=edited)
    first.draft.refresh_from_db()
    review.approve(first.draft, by=reviewer, seen_sha256=digest(edited))
    long_ago = timezone.now() - timedelta(days=30)
    Answer.objects.filter(pk=first.pk).update(endpoint_label="the large model at model.example", released_at=long_ago)
    offering.take_up()

    again = answered(legal, LEAVE, contributor)

    assert again.model_label == "the large model"
    said = text_of_markdown(take.take(again, format="markdown", by=contributor, at=at).content)
    when = date_format(timezone.localtime(long_ago), "DATE_FORMAT")
    assert "Written by a machine and edited by a reviewer." in said
    assert f"Given again: {reviewer.name} verified this answer to the same question on {when}." in said
    assert "Approved by" not in said
