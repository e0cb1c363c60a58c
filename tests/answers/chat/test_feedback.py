"""Readers say whether an answer helped; who looks after documents and answers hears it, and other readers do not."""

from collections.abc import Callable
from typing import Any

import pytest

from answers.access import sharing
from answers.chat import feedback
from answers.exceptions import FeedbackError
from answers.gaps.querysets import questions_in
from answers.models import Answer, Feedback, Gap, GapQuestion
from audit.events import EventType
from audit.models import Event
from documents.access import restriction
from documents.models import Document
from workspaces.exceptions import Hidden


@pytest.fixture
def answer(policies: Any, handbook: Any, member: Any, answered: Callable[..., Any]) -> Answer:
    return answered(policies, "How many days of annual leave does an employee have?", member)


def told() -> list[str]:
    return list(Event.objects.filter(type__startswith="feedback.").order_by("seq").values_list("type", flat=True))


def test_a_reader_says_it_changes_it_and_takes_it_back(answer: Answer, member: Any) -> None:
    feedback.give(answer, helped=True, by=member)
    feedback.give(answer, helped=False, reason="wrong", words=" It is 26. \0", by=member)
    feedback.give(answer, helped=False, reason="wrong", words="It is 26.", by=member)

    kept = Feedback.objects.get()
    assert (kept.helped, kept.reason, kept.words) == (False, "wrong", "It is 26.")
    assert kept.text_sha256 == answer.released_sha256
    feedback.take_back(answer, by=member)
    feedback.take_back(answer, by=member)
    assert not Feedback.objects.exists()
    assert told() == [EventType.FEEDBACK_GIVEN, EventType.FEEDBACK_GIVEN, EventType.FEEDBACK_TAKEN_BACK]
    assert not Event.objects.filter(body__contains="It is 26").exists()


@pytest.mark.parametrize("reason", ["", "because"])
def test_a_negative_judgement_needs_one_of_the_reasons(answer: Answer, member: Any, reason: str) -> None:
    with pytest.raises(FeedbackError):
        feedback.give(answer, helped=False, reason=reason, by=member)


def test_only_who_may_read_the_answer_judges_it(
    answer: Answer, member: Any, contributor: Any, stranger: Any, manager: Any
) -> None:
    for person in (contributor, stranger, manager):
        with pytest.raises(Hidden):
            feedback.give(answer, helped=True, by=person)
    sharing.share(answer, to=contributor, by=member)
    feedback.give(answer, helped=True, by=contributor)
    restriction.restrict(Document.objects.get(), by=manager)

    with pytest.raises(FeedbackError):
        feedback.give(answer, helped=False, reason="wrong", by=member)
    assert Feedback.objects.count() == 1


def test_who_manages_documents_or_reviews_hears_it_and_other_readers_do_not(
    answer: Answer,
    policies: Any,
    member: Any,
    contributor: Any,
    manager: Any,
    reviewer: Any,
    auditor: Any,
    stranger: Any,
) -> None:
    feedback.give(answer, helped=False, reason="wrong", by=member)

    def hear(person: Any) -> int:
        return feedback.told_to(person, policies).count() + len(feedback.of_answer(answer, to=person))

    assert [hear(person) for person in (manager, reviewer)] == [2, 2]
    assert [hear(person) for person in (member, contributor, auditor, stranger)] == [0, 0, 0, 0]
    restriction.restrict(Document.objects.get(), by=manager)
    assert hear(reviewer) == 0


def test_what_is_missing_or_out_of_date_opens_a_gap_until_its_asker_thinks_otherwise(
    answer: Answer, member: Any, manager: Any
) -> None:
    feedback.give(answer, helped=False, reason="outdated", by=member)

    gap = Gap.objects.get()
    assert [row.cause for row in questions_in(gap, to=manager)] == ["feedback"]
    feedback.give(answer, helped=True, by=member)
    assert not GapQuestion.objects.exists()


# --- Pages --------------------------------------------------------------------------------------------------


def test_the_buttons_work_with_and_without_a_script(
    answer: Answer, policies: Any, member: Any, client_of: Callable[..., Any]
) -> None:
    client, address = client_of(member), f"/w/policies/answers/{answer.pk}/feedback/"

    plain = client.post(address, {"helped": "no", "reason": "incomplete"}, follow=True)
    assert "Something is missing" in plain.content.decode()
    part = client.post(address, {"act": "take_back"}, headers={"HX-Request": "true"})
    assert 'class="feedback"' in part.content.decode()
    assert not Feedback.objects.exists()
    refused = client.post(address, {"helped": "no"}, headers={"HX-Request": "true"}).content.decode()
    assert "Choose what is wrong" in refused


def test_the_list_is_for_those_who_look_after_it(
    answer: Answer, member: Any, manager: Any, reviewer: Any, stranger: Any, client_of: Callable[..., Any]
) -> None:
    feedback.give(answer, helped=False, reason="wrong", words="It is 26.", by=member)

    for person in (manager, reviewer):
        page = client_of(person).get("/w/policies/feedback/?which=not&reason=wrong").content.decode()
        assert "It is 26." in page
        assert member.name in page
    assert "It is 26." not in client_of(manager).get("/w/policies/feedback/?which=helped").content.decode()
    assert client_of(member).get("/w/policies/feedback/").status_code == 403
    assert client_of(stranger).get("/w/policies/feedback/").status_code == 404
