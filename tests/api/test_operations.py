"""What each operation of the API answers, to a program that may."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from answers import pipeline
from answers.access import sharing
from answers.models import Answer
from audit.events import EventType
from audit.models import Event
from documents.models import Document
from workspaces.dispatch import inline
from workspaces.roles import Action

pytestmark = pytest.mark.django_db

LEAVE = "How many days of annual leave do employees have?"


def test_a_program_learns_whose_it_is_and_what_it_may(program: Any, member: Any, policies: Any) -> None:
    ours = program(member, policies, actions=[Action.OPEN])

    told = ours.get("me").json()

    assert told["person"]["username"] == "member"
    assert told["token"]["prefix"] == ours.text[:12]
    assert told["token"]["actions"] == ["enter_workspace", "open_documents"]


def test_workspaces_are_those_of_the_token_with_what_it_may_do_there(
    program: Any, member: Any, policies: Any, legal: Any
) -> None:
    told = program(member, policies, actions=[Action.OPEN]).get("workspaces").json()

    assert [(one["slug"], one["actions"]) for one in told["items"]] == [
        ("policies", ["enter_workspace", "open_documents"])
    ]


def test_documents_are_listed_with_their_state_and_filtered(
    program: Any, member: Any, policies: Any, handbook: Any
) -> None:
    ours = program(member, policies)

    told = ours.get("workspaces/policies/documents").json()
    none = ours.get("workspaces/policies/documents?q=nowhere&state=ready").json()

    assert [one["path"] for one in told["items"]] == ["employee-handbook.md"]
    assert told["items"][0]["newest"]["state"] == "ready"
    assert told["items"][0]["answering"] == 1
    assert none["items"] == []


def test_whatever_names_an_expired_document_says_so(program: Any, member: Any, policies: Any, handbook: Any) -> None:
    ours, day = program(member, policies), timezone.localdate() - timedelta(days=1)
    Document.objects.filter(pk=handbook.document_id).update(valid_until=day)

    asked = ours.post("workspaces/policies/questions", {"question": LEAVE}).json()
    pipeline.run(UUID(asked["answer_id"]))

    named = [
        *ours.get("workspaces/policies/documents").json()["items"],
        *ours.post("workspaces/policies/search", {"query": LEAVE}).json()["hits"],
        *ours.get(f"answers/{asked['answer_id']}").json()["citations"],
    ]
    assert len(named) >= 3
    assert {(each["valid_until"], each["is_expired"]) for each in named} == {(day.isoformat(), True)}


def test_a_follow_up_goes_on_in_the_conversation_it_names(
    program: Any, member: Any, contributor: Any, policies: Any, handbook: Any
) -> None:
    ours, theirs = program(member, policies), program(contributor, policies)
    first = ours.post("workspaces/policies/questions", {"question": LEAVE}).json()
    follow_up = {"question": "And when does it expire?", "conversation": first["conversation"]}

    told = ours.post("workspaces/policies/questions", follow_up).json()
    refused = theirs.post("workspaces/policies/questions", follow_up)

    pipeline.run(UUID(told["answer_id"]))
    read = ours.get(f"answers/{told['answer_id']}").json()
    assert read["conversation"] == told["conversation"] == first["conversation"]
    assert read["asked_as"].startswith("And when does it (days of annual leave")
    assert (first["asked_as"], refused.status_code) == ("", 404)


def test_search_gives_passages_and_leaves_an_entry_with_person_and_token(
    program: Any, member: Any, policies: Any, handbook: Any
) -> None:
    ours = program(member, policies, actions=[Action.OPEN])

    told = ours.post("workspaces/policies/search", {"query": LEAVE, "k": 3}).json()

    assert 1 <= len(told["hits"]) <= 3
    assert "leave" in told["hits"][0]["text"].lower()
    entry = Event.objects.filter(type=EventType.SEARCHED).latest("seq")
    assert entry.actor_id == str(member.pk)
    assert json.loads(entry.body)["details"]["token"] == str(ours.token.pk)
    assert LEAVE not in entry.body


def test_asking_answers_202_with_the_address_of_the_answer_to_come(
    program: Any, member: Any, policies: Any, handbook: Any
) -> None:
    ours = program(member, policies)

    response = ours.post("workspaces/policies/questions", {"question": LEAVE})

    assert response.status_code == 202
    told = response.json()
    assert response["Location"] == told["url"] == f"/api/v1/answers/{told['answer_id']}"
    assert (told["status"], told["text"]) == ("waiting", "")
    assert Answer.objects.get().asked_by == member


@pytest.mark.django_db(transaction=True)
def test_who_waits_gets_the_answer_itself(program: Any, member: Any, policies: Any, handbook: Any) -> None:
    ours = program(member, policies)

    with inline():
        response = ours.post("workspaces/policies/questions", {"question": LEAVE, "wait": 20})

    assert response.status_code == 200, response.content
    told = response.json()
    assert told["status"] == "answered"
    assert told["citations"][0]["document"] == "employee-handbook.md"
    assert told["citations"][0]["quote"] in handbook.text


def test_an_answer_is_read_with_its_citations(
    program: Any, member: Any, policies: Any, handbook: Any, answered: Any
) -> None:
    answer = answered(policies, LEAVE, member)

    told = program(member, policies).get(f"answers/{answer.pk}").json()

    assert told["text"] == answer.released_text
    assert [one["n"] for one in told["citations"]] == [1]
    assert Event.objects.filter(type=EventType.ANSWER_READ, actor_id=str(member.pk)).exists()


def test_a_held_answer_has_no_text_for_a_program_either(program: Any, member: Any, legal: Any, answered: Any) -> None:
    from tests.answers import library

    library.add_document(legal, "handbook.md", library.HANDBOOK)
    answer = answered(legal, LEAVE, member)

    response = program(member, legal).get(f"answers/{answer.pk}")

    told = response.json()
    assert answer.text
    assert (told["status"], told["text"], told["citations"], told["sentences"]) == (answer.status, "", [], [])
    assert answer.text not in response.content.decode()


def test_a_token_that_may_not_open_documents_is_not_shown_what_rests_on_them(
    program: Any, member: Any, policies: Any, handbook: Any, answered: Any
) -> None:
    answer = answered(policies, LEAVE, member)
    ours = program(member, policies)
    ours.token.actions = [Action.ENTER, Action.ASK]
    ours.token.save()

    told = ours.get(f"answers/{answer.pk}").json()

    assert (told["text"], told["citations"]) == ("", [])


def test_an_answer_that_somebody_else_asked_for_is_hidden_from_a_reviewers_program_too(
    program: Any, member: Any, reviewer: Any, policies: Any, handbook: Any, answered: Any
) -> None:
    answer = answered(policies, LEAVE, member)

    assert program(reviewer, policies).get(f"answers/{answer.pk}").status_code == 404
    assert program(reviewer, policies).get(f"answers/{answer.pk}/events").status_code == 404


def test_a_shared_answer_is_listed_and_read_by_the_persons_program_as_far_as_its_token_goes(
    program: Any, member: Any, contributor: Any, policies: Any, legal: Any, handbook: Any, answered: Any
) -> None:
    answer = answered(policies, LEAVE, member)
    whole, narrow, elsewhere = (program(contributor, place) for place in (policies, policies, legal))
    narrow.token.actions = [Action.ENTER, Action.ASK]
    narrow.token.save()
    assert whole.get(f"answers/{answer.pk}").status_code == 404

    sharing.share(answer, to=contributor, by=member)

    [listed] = whole.get("workspaces/policies/answers/shared").json()["items"]
    assert (listed["question"], listed["asked_by"], listed["answer_id"]) == (LEAVE, "member", str(answer.pk))
    told = whole.get(f"answers/{answer.pk}").json()
    assert (told["text"], told["events"]) == (answer.released_text, "")
    assert whole.get(f"answers/{answer.pk}/events").status_code == 404
    read = Event.objects.get(type=EventType.ANSWER_READ, actor_id=str(contributor.pk))
    assert str(whole.token.pk) in read.body
    assert narrow.get("workspaces/policies/answers/shared").json()["items"] == []
    assert narrow.get(f"answers/{answer.pk}").status_code == 404
    assert elsewhere.get(f"answers/{answer.pk}").status_code == 404
    sharing.unshare(answer, person=contributor, by=member)
    assert whole.get(f"answers/{answer.pk}").status_code == 404


def test_the_description_of_the_api_names_every_operation(program: Any, member: Any, policies: Any) -> None:
    told = program(member, policies).get("openapi.json").json()

    assert sorted(told["paths"]) == [
        "/api/v1/answers/{pk}",
        "/api/v1/answers/{pk}/events",
        "/api/v1/documents/{pk}",
        "/api/v1/examinations/{pk}",
        "/api/v1/me",
        "/api/v1/workspaces",
        "/api/v1/workspaces/{slug}/answers/shared",
        "/api/v1/workspaces/{slug}/documents",
        "/api/v1/workspaces/{slug}/examinations",
        "/api/v1/workspaces/{slug}/precedents",
        "/api/v1/workspaces/{slug}/questions",
        "/api/v1/workspaces/{slug}/search",
    ]


# --- Input that is not as described -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("workspaces/policies/search", {"query": "leave", "kk": 3}),
        ("workspaces/policies/search", {"query": "leave", "k": 0}),
        ("workspaces/policies/search", {"query": "leave", "k": 51}),
        ("workspaces/policies/search", {"query": "leave", "mode": "telepathy"}),
        ("workspaces/policies/search", {"query": ""}),
        ("workspaces/policies/search", {}),
        ("workspaces/policies/search", []),
        ("workspaces/policies/questions", {"question": "leave", "as": "manager"}),
        ("workspaces/policies/questions", {"question": "leave", "wait": 31}),
        ("workspaces/policies/questions", {"question": "   "}),
        ("workspaces/policies/questions", {"question": "x" * 8001}),
        ("workspaces/policies/questions", {"question": "leave", "model": "gpt-nowhere"}),
        ("workspaces/policies/questions", {"question": ["leave"]}),
        ("workspaces/policies/questions", "{not json"),
        ("workspaces/policies/questions", "[" * 100_000),
        ("workspaces/policies/search", f'{{"query": "leave", "k": {"9" * 5000}}}'),
        ("workspaces/policies/questions", '{"question": "a", "question\\u0000": "b"}'),
    ],
)
def test_what_is_not_as_described_is_refused_with_the_place_and_not_the_content(
    path: str, sent: Any, program: Any, member: Any, policies: Any
) -> None:
    response = program(member, policies).post(path, sent)

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    told = response.json()
    assert (told["status"], told["title"]) == (400, "Bad Request")
    assert told["detail"]
    assert "leave" not in response.content.decode()
    assert not Answer.objects.exists()


@pytest.mark.parametrize("query", ["?pages=2", "?state=lost", "?page=0", "?page=x", "?q=a&as=manager"])
def test_an_unknown_or_wrong_filter_is_refused(query: str, program: Any, member: Any, policies: Any) -> None:
    assert program(member, policies).get(f"workspaces/policies/documents{query}").status_code == 400


def test_asking_in_an_archived_workspace_is_refused_with_its_sentence(
    program: Any, member: Any, manager: Any, policies: Any
) -> None:
    from workspaces.members import set_archived

    set_archived(policies, archived=True, by=manager)

    response = program(member, policies).post("workspaces/policies/questions", {"question": LEAVE})

    assert response.status_code == 400
    assert "archived" in response.json()["detail"]


def test_an_answer_that_is_not_as_described_is_a_fault_whose_log_holds_no_text(
    program: Any, member: Any, policies: Any, handbook: Any, monkeypatch: Any, caplog: Any
) -> None:
    from documents.retrieval import recording as retrieval

    told = retrieval.as_document
    monkeypatch.setattr(retrieval, "as_document", lambda result: told(result) | {"unforeseen": "annual leave"})
    ours = program(member, policies)

    with pytest.raises(Exception, match=r"not as described at response\.unforeseen"):
        ours.post("workspaces/policies/search", {"query": LEAVE})

    assert "annual leave" not in caplog.text
