"""P8: an answer cannot call home.

More than 150 hostile outputs, on every page where words of a model, a document or a person are shown, in a real
browser: no request leaves the portal, no script runs, nothing asks, and no address in them can be clicked. There are
no e-mails in which they could be shown.
"""

import hashlib
import os
import re
from typing import Any

import pytest
from django.template import engines as template_engines
from django.utils import timezone

from answers import streaming
from answers.chat import history_views, threads
from answers.models import Answer, Conversation, Question
from answers.states import AnswerStatus
from documents import listing
from documents.models import Document, Version
from tests.answers.review_scene import a_document, a_held_answer
from tests.documents import factories
from tests.leaks.browser import Reader, reading_as
from tests.leaks.hostile_outputs import FOREIGN, OUTPUTS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: Outputs in one answer of a conversation, and in one text of everything else; fewer by `make deep`, so more pages.
PILE, HEAP = (1, 10) if os.environ.get("INLOCK_DEEP") else (15, 110)
#: What the portal itself writes into href and the like: a path of its own, a place on the page, or a query.
OURS = re.compile(r"/(?![/\\])|#|\?|$")


def test_there_are_enough_of_them():
    assert len(set(OUTPUTS)) >= 150


def test_released_answers_and_previous_questions(policies, member, client_of, monkeypatch):
    thread = Conversation.objects.create(workspace=policies, started_by=member, title=OUTPUTS[0][:120])
    piles = _heaps(PILE)
    for pile in piles:
        answer = _an_answer(policies, member, pile, asked_as=pile)
        Question.objects.filter(pk=answer.question_id).update(conversation=thread)
    monkeypatch.setattr(history_views, "PAGE", len(OUTPUTS))
    monkeypatch.setattr(threads, "RECENT", len(OUTPUTS))
    with reading_as(client_of(member)) as (reader,):
        page = reader.open("/w/policies/ask/")
        shown = page.locator(".answer__text").count()
        words = _words(page.locator("#thread").inner_text())
        _assert_harmless(reader, ".answer__text, .bubble, .asked-as, .conversation__name")

        rows = reader.open("/w/policies/questions/").locator(".past li").count()
        _assert_harmless(reader, ".day")

    assert rows == len(piles)
    assert shown == len(piles)
    # They were there, as text: every run of letters of every output can be read on the page.
    missing = [output for output in OUTPUTS if not set(_words(output)) <= set(words)]
    assert missing == []


def test_words_as_they_are_streamed(policies, member, client_of):
    answer = _an_answer(policies, member, "", status=AnswerStatus.WORKING)
    with reading_as(client_of(member)) as (reader,):
        page = reader.open(f"/w/policies/answers/{answer.pk}/")
        for output in [*OUTPUTS, "a NUL \0 byte"]:
            # Cut in the middle of tags, marks and pairs of surrogates, as tokens are.
            for start in range(0, min(len(output), 400), 29):
                streaming.append(answer.pk, streaming.TOKEN, {"text": output[start : start + 29]})
        streaming.append(answer.pk, streaming.STEP, {"step": "cite", "label": OUTPUTS[0]})
        streaming.append(answer.pk, streaming.STATUS, {"sentence": '<img src="x" onerror="window.ran=1">'})
        streaming.append(answer.pk, streaming.TOKEN, {"text": "the very last word"})
        page.locator("[data-text]", has_text="the very last word").wait_for()
        reader.look()

        _assert_harmless(reader, "[data-text], [data-steps], #news")
        assert page.locator("[data-text] *").count() == 0


def test_provenance_of_an_answer(policies, member, client_of):
    answers = [
        _an_answer(
            policies,
            member,
            output,
            endpoint_label=output[:300],
            failure_detail=output[:300],
            prompt_version=output[:40],
            parameters={output[:60]: output},
        )
        for output in _heaps(HEAP)
    ]
    with reading_as(client_of(member)) as (reader,):
        for answer in answers:
            reader.open(f"/w/policies/answers/{answer.pk}/provenance/")
            _assert_harmless(reader, "main")
            reader.open(f"/w/policies/answers/{answer.pk}/")
            _assert_harmless(reader, ".answer__text")


def test_documents_their_titles_and_their_file_names(policies, contributor, member, manager, client_of, monkeypatch):
    monkeypatch.setattr(listing, "PER_PAGE", 1000)
    heaps = [f"A first sentence.\n\n{heap}" for heap in _heaps(HEAP)]
    documents = [
        factories.document(policies, f"{kind}-{number}.{kind}", heap, by=contributor, title=heap[:250])
        for kind in ("md", "txt", "html", "csv")
        for number, heap in enumerate(heaps)
    ]
    named = Document.objects.bulk_create(
        Document(workspace=policies, path=f"{number}-{output[:180]}.md", title=output[:250])
        for number, output in enumerate(OUTPUTS)
    )
    for number, one in enumerate(named):
        one.latest_version = Version(document=one, number=1, sha256=f"{number:064}", filename=one.path, size=1)
    Version.objects.bulk_create(one.latest_version for one in named)
    Document.objects.bulk_update(named, ["latest_version"])
    with reading_as(client_of(member), client_of(manager)) as (reader, keeper):
        for document in documents:
            page = reader.open(f"/w/policies/documents/{document.pk}/")
            _assert_harmless(reader, ".viewer__text")
            assert "window.ran" in page.content() or FOREIGN in page.content() or document.path.endswith("html")
        rows = keeper.open("/w/policies/documents/").locator("tbody tr").count()
        _assert_harmless(keeper, "tbody")
        keeper.open(f"/w/policies/documents/{documents[0].pk}/")
        _assert_harmless(keeper, ".viewer__text")

    assert rows == len(documents) + len(OUTPUTS)


def test_drafts_on_a_reviewers_desk_and_their_past(legal, member, reviewer, second_reviewer, client_of):
    drafts = []
    for heap in _heaps(HEAP):
        source = a_document(legal, title=heap[:250], text=f"Before it.\n{heap}\nAfter it.")
        drafts.append(a_held_answer(legal, member, question=heap[:7000], clauses=(heap,), versions=[source]))
    edited = drafts[0]
    edited.text = drafts[-1].text + edited.text
    edited.edited_by, edited.edited_at = second_reviewer, timezone.now()
    edited._change_reason = OUTPUTS[0]
    edited.save()
    with reading_as(client_of(reviewer)) as (officer,):
        officer.open("/admin/answers/draft/")
        _assert_harmless(officer, "#result_list tbody")
        for draft in drafts:
            page = officer.open(f"/admin/answers/draft/{draft.pk}/change/")
            assert FOREIGN in page.content()
            _assert_harmless(officer, "#draft .rv-sentence, #draft blockquote, #draft ins, #draft del")
            officer.open(f"/admin/answers/answer/{draft.answer_id}/change/")
            _assert_harmless(officer, ".rv-card p")


# --- Counter-proofs -----------------------------------------------------------------------------------------------


@pytest.fixture
def unescaped(monkeypatch) -> None:
    """The answer's words put on the page as markup, as a careless `|safe` would."""
    from django.template.base import VariableNode

    careful = VariableNode.render_annotated

    def careless(node: Any, context: Any) -> Any:
        if node.filter_expression.token == "part.text":
            return str(node.filter_expression.resolve(context))
        return careful(node, context)

    monkeypatch.setattr(VariableNode, "render_annotated", careless)
    assert template_engines["django"].from_string("{{ part.text }}").render({"part": {"text": "<b>"}}) == "<b>"


def test_without_escaping_the_recorder_sees_markup_and_the_policy_stops_it(policies, member, client_of, unescaped):
    answer = _an_answer(policies, member, f'<img src="http://{FOREIGN}/x"><img src=x onerror="window.ran=1">')

    with reading_as(client_of(member)) as (reader,):
        reader.open(f"/w/policies/answers/{answer.pk}/")

        assert reader.armed(".answer__text")
        assert any(FOREIGN in stopped for stopped in reader.noted.stopped)
        assert reader.noted.ran == []


def test_without_escaping_and_without_the_policy_the_recorder_sees_the_call_and_the_script(
    policies, member, client_of, unescaped, monkeypatch
):
    monkeypatch.setattr("inlock.headers.PORTAL_POLICY", "default-src * 'unsafe-inline'")
    answer = _an_answer(policies, member, f'<img src="http://{FOREIGN}/x"><img src=x onerror="window.ran=1">')

    with reading_as(client_of(member)) as (reader,):
        reader.open(f"/w/policies/answers/{answer.pk}/")

        assert reader.noted.requests == [f"http://{FOREIGN}/x"]
        assert reader.noted.ran


def test_an_address_of_a_model_that_could_be_clicked_would_be_seen(policies, member, client_of, unescaped):
    answer = _an_answer(policies, member, f'<a href="http://{FOREIGN}/x">click</a>')

    with reading_as(client_of(member)) as (reader,):
        reader.open(f"/w/policies/answers/{answer.pk}/")

        with pytest.raises(AssertionError, match=FOREIGN):
            _assert_harmless(reader, ".answer__text")


# --- Inside -------------------------------------------------------------------------------------------------------


def _assert_harmless(reader: Reader, selector: str) -> None:
    """Nothing left, nothing ran, nothing asked, nothing had to be stopped, and every address is the portal's own."""
    assert reader.noted.requests == []
    assert reader.noted.ran == []
    assert reader.noted.dialogs == []
    assert reader.noted.navigations == []
    assert reader.noted.stopped == []
    assert reader.page.locator(selector).count() > 0
    assert reader.armed(selector) == []
    assert [link for link in reader.links() if not OURS.match(link) or FOREIGN in link.partition("?")[0]] == []


def _heaps(size: int) -> list[str]:
    """The outputs in heaps of `size`, each a paragraph of its own."""
    return ["\n\n".join(OUTPUTS[at : at + size]) for at in range(0, len(OUTPUTS), size)]


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]{4,}", text)


def _an_answer(
    workspace: Any, asked_by: Any, output: str, *, status: str = AnswerStatus.ANSWERED, **fields: Any
) -> Answer:
    question = Question.objects.create(
        workspace=workspace, asked_by=asked_by, text=output or "A question?", language="en"
    )
    released: dict[str, Any] = {}
    if status == AnswerStatus.ANSWERED:
        released = {
            "released_text": output,
            "released_sha256": hashlib.sha256(output.encode()).hexdigest(),
            "released_at": timezone.now(),
            "ended_at": timezone.now(),
            "raw_output": output,
        }
    return Answer.objects.create(
        question=question, workspace=workspace, asked_by=asked_by, status=status, text=output, **released, **fields
    )
