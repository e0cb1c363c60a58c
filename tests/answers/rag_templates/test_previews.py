"""A preview answers chosen questions with two versions, for who asked for it, and nothing of it is an answer."""

from dataclasses import replace

import pytest
from django.urls import reverse
from django.utils import timezone

from answers import tasks
from answers.exceptions import TemplateError
from answers.models import Answer, Draft, Evidence, PreviewResult, PreviewState, TemplatePreview
from answers.rag_templates import choosing, content, forgetting, keeping, preview_asking, previewing
from answers.states import AnswerStatus
from audit.events import EventType
from audit.models import Event
from documents.models import Deletion, Document
from tests.portal import within
from tests.threads import threads
from workspaces import members
from workspaces.exceptions import Forbidden, Hidden
from workspaces.places import Places
from workspaces.roles import Role

QUESTIONS = ["How many weeks of parental leave are there?", "How tall are zebras in Kamchatka?"]


@pytest.fixture
def candidate(adopted, manager):
    template = adopted("policy_lookup")
    return keeping.save(template, replace(content.of(template.current), shape="answer", instructions=""), by=manager)


def previewed(candidate, manager):
    preview = preview_asking.ask(candidate, QUESTIONS, by=manager)
    previewing.run(preview.pk)
    preview.refresh_from_db()
    return preview


def test_both_versions_answer_each_question_and_no_row_of_an_answer_is_made(policies, handbook, candidate, manager):
    policies.review_policy = "review"
    policies.save()
    preview = previewed(candidate, manager)
    results = previewing.results_of(preview, by=manager)

    assert preview.state == PreviewState.DONE
    assert [(one.position, one.is_candidate, one.ending) for one in results] == [
        (0, False, AnswerStatus.ANSWERED),
        (0, True, AnswerStatus.ANSWERED),
        (1, False, AnswerStatus.REFUSED_NO_EVIDENCE),
        (1, True, AnswerStatus.REFUSED_NO_EVIDENCE),
    ]
    assert results[0].text.startswith("- ") != results[1].text.startswith("- ")
    assert results[0].quotes[0]["quote"]
    for model in (Answer, Evidence, Draft):
        assert not model.objects.exists()
    told = Event.objects.filter(object_id=str(preview.pk)).values_list("type", flat=True)
    assert {
        EventType.TEMPLATE_TRIED,
        EventType.EVIDENCE_SENT,
        EventType.TEMPLATE_TRIAL_ENDED,
        EventType.TEMPLATE_TRIAL_READ,
    } <= set(told)


def test_ringing_twice_or_after_a_dead_worker_asks_nothing_twice(policies, handbook, candidate, manager, monkeypatch):
    preview = preview_asking.ask(candidate, QUESTIONS[:1], by=manager)
    real, calls = previewing.trying.attempt, []

    def dies_once(state):
        calls.append(state)
        if len(calls) == 2:
            raise SystemExit
        return real(state)

    monkeypatch.setattr(previewing.trying, "attempt", dies_once)
    with pytest.raises(SystemExit):
        previewing.run(preview.pk)
    tasks.preview_template(str(preview.pk))
    tasks.preview_template(str(preview.pk))

    preview.refresh_from_db()
    assert (preview.state, preview.attempt, len(calls)) == (PreviewState.DONE, 2, 3)


def test_people_who_ask_take_turns_with_a_preview_and_its_turns_are_no_broken_attempts(
    policies, handbook, candidate, manager, monkeypatch
):
    places, questions = Places(1), [f"{QUESTIONS[0]} ({number})" for number in range(4)]
    monkeypatch.setattr(previewing, "PLACES", places)
    preview, came = preview_asking.ask(candidate, questions, by=manager), []

    def ask() -> None:
        with places.taken():
            came.append("a person")

    for turn in range(1, previewing.MOST_DEATHS + 3):
        with threads(60) as start, places.taken():
            start(ask)
            within(60, lambda: places.waiting == 1)
            assert previewing.run(preview.pk)
            assert preview.results.count() == turn
        assert len(came) == turn
    # Nobody waits any more.
    assert not previewing.run(preview.pk)

    preview.refresh_from_db()
    assert (preview.state, preview.deaths, preview.results.count()) == (PreviewState.DONE, 0, 8)


def test_a_preview_that_is_broken_off_again_and_again_is_given_up(policies, handbook, candidate, manager, monkeypatch):
    preview = preview_asking.ask(candidate, QUESTIONS[:1], by=manager)

    def dies(state):
        raise SystemExit

    monkeypatch.setattr(previewing.trying, "attempt", dies)
    for _attempt in range(previewing.MOST_DEATHS):
        with pytest.raises(SystemExit):
            previewing.run(preview.pk)
    assert not previewing.run(preview.pk)

    preview.refresh_from_db()
    assert (preview.state, preview.problem) == (PreviewState.FAILED, "Three attempts were broken off.")


def test_a_right_that_is_lost_before_it_runs_leaves_no_text(policies, handbook, candidate, manager, member):
    preview = preview_asking.ask(candidate, QUESTIONS[:1], by=manager)
    members.add_member(policies, member, Role.MANAGER, by=None)
    members.remove_member(policies, manager, Role.MANAGER, by=None)
    previewing.run(preview.pk)

    preview.refresh_from_db()
    assert preview.state == PreviewState.FAILED
    assert not PreviewResult.objects.exists()


def test_a_text_is_not_shown_once_its_document_is_closed_and_is_erased_with_it(policies, handbook, candidate, manager):
    preview = previewed(candidate, manager)
    Document.objects.filter(pk=handbook.document_id).update(restricted=True)

    assert not any(one.text or one.quotes for one in previewing.results_of(preview, by=manager))
    assert PreviewResult.objects.exclude(text="").count() == 2, "it was not there in the first place"

    deletion = Deletion(document=handbook.document, workspace=policies)
    assert forgetting.erase(deletion, (), keeps_answers=True) == {"previews": 2}
    assert not PreviewResult.objects.exclude(text="").exists()
    assert PreviewResult.objects.exclude(text_sha256="").exists()


def test_no_text_is_handed_out_before_the_reading_of_it_is_told(policies, handbook, candidate, manager):
    preview = previewed(candidate, manager)
    TemplatePreview.objects.filter(pk=preview.pk).update(state=PreviewState.WORKING, ended_at=None)
    preview.refresh_from_db()

    under_way = previewing.results_of(preview, by=manager)

    assert [one.ending for one in under_way][:2] == [AnswerStatus.ANSWERED] * 2
    assert not any(one.text or one.quotes for one in under_way)
    read = Event.objects.filter(type=EventType.TEMPLATE_TRIAL_READ)
    assert not read.exists()
    TemplatePreview.objects.filter(pk=preview.pk).update(state=PreviewState.DONE, ended_at=timezone.now())
    preview.refresh_from_db()
    assert any(one.text for one in previewing.results_of(preview, by=manager))
    assert read.count() == 1


def test_what_repeats_an_erased_document_goes_from_versions_and_previews_and_is_not_asked_with(
    policies, handbook, adopted, candidate, manager, monkeypatch
):
    copied = "The second parent takes 20 working days of paid parental"
    template, harmless = candidate.template, adopted("client_email")
    said = content.of(candidate)
    version = keeping.save(
        template,
        replace(said, instructions=f"Always say: {copied} leave.", examples=(f"{copied}?", "What else?")),
        by=manager,
    )
    told = keeping.save(harmless, replace(content.of(harmless.current), use_when=f"{copied} leave."), by=manager)
    for one in (version, told):
        keeping.put_in_force(one, by=manager)
    keeping.make_standard(policies, template, by=manager)
    preview = preview_asking.ask(version, [f"{copied}?"], by=manager)
    monkeypatch.setattr(forgetting, "telling", lambda deletion, phrases: list(phrases))

    erased = forgetting.erase(Deletion(document=handbook.document, workspace=policies), [copied], keeps_answers=True)

    assert erased == {"previews": 1, "template_versions": 2}
    version.refresh_from_db()
    assert (version.instructions, version.examples, version.sha256 != "") == ("", ["What else?"], True)
    preview.refresh_from_db()
    assert preview.questions == []
    template.refresh_from_db()
    harmless.refresh_from_db()
    # What only told people lost a sentence; the task is what it was.
    assert (template.enabled, harmless.enabled) == (False, True)
    assert choosing.standard_of(type(policies).objects.get(pk=policies.pk)) is None
    for act in (
        lambda: keeping.switch(template, enabled=True, by=manager),
        lambda: keeping.put_in_force(version, by=manager),
    ):
        with pytest.raises(TemplateError, match="went with a deleted document"):
            act()
    switched = Event.objects.filter(type=EventType.TEMPLATE_SWITCHED, object_id=str(template.pk)).get()
    assert "document" in switched.body


def test_nobody_but_who_asked_for_it_sees_a_preview(
    policies, handbook, candidate, manager, member, stranger, client_of
):
    preview = previewed(candidate, manager)
    page = reverse("answers:rag_preview", kwargs={"slug": "policies", "pk": preview.pk})

    assert "parental" in client_of(manager).get(page).content.decode()
    assert client_of(member).get(page).status_code == 403
    assert client_of(stranger).get(page).status_code == 404
    with pytest.raises(Forbidden):
        preview_asking.ask(candidate, QUESTIONS, by=member)
    with pytest.raises(Hidden):
        preview_asking.ask(candidate, QUESTIONS, by=stranger)


def test_one_preview_at_a_time_and_at_most_ten_questions(policies, candidate, manager):
    preview_asking.ask(candidate, QUESTIONS, by=manager)

    for questions in ([], [f"Question {place}?" for place in range(11)], QUESTIONS):
        with pytest.raises(TemplateError):
            preview_asking.ask(candidate, questions, by=manager)
    assert TemplatePreview.objects.count() == 1


def test_the_pages_of_a_manager_lead_from_a_built_in_template_to_another_version_in_force(policies, manager, client_of):
    client, at = (
        client_of(manager),
        lambda name, **named: reverse(f"answers:{name}", kwargs={"slug": "policies", **named}),
    )

    client.post(at("adopt_rag_template"), {"code": "contract_risk"})
    template = policies.rag_templates.get()
    listed = client.get(at("rag_templates")).content.decode()
    sent = {"name": "Contract risk", "purpose": "Names risks.", "shape": "findings", "passages": "9", "seen": "1"}
    client.post(at("edit_rag_template", pk=template.pk), sent)
    second = template.versions.get(number=2)
    shown = client.get(at("rag_template_version", pk=second.pk)).content.decode()
    client.post(at("force_rag_template", pk=second.pk), {"reason": "Shorter"})
    template.refresh_from_db()

    assert "Contract risk" in listed
    assert "Put in force" in shown
    assert template.current == second
    assert client.get(at("rag_template", pk=template.pk)).status_code == 200
    assert client.get(at("begin_rag_preview", pk=second.pk)).status_code == 200
    assert client.post(at("edit_rag_template", pk=template.pk), {**sent, "shape": "poem"}).status_code == 400


def test_the_picker_offers_what_is_switched_on_and_asks_with_it(policies, handbook, adopted, member, client_of):
    client, page = client_of(member), reverse("answers:ask", kwargs={"slug": "policies"})
    assert "composer-template" not in client.get(page).content.decode()
    template = adopted("policy_lookup")

    before = client.get(page).content.decode()
    client.post(page, {"text": QUESTIONS[0], "template": "policy_lookup"})
    after = client.get(page).content.decode()
    refused = client.post(page, {"text": QUESTIONS[0], "template": "gdpr_check"})

    assert "Policy lookup" in before
    # On an empty page its examples, too, each asked with it.
    assert 'data-template="policy_lookup"' in before
    assert Answer.objects.get().template == template.current
    assert '<option value="policy_lookup"' in after
    assert "selected>Policy lookup" in after
    assert refused.status_code == 400
