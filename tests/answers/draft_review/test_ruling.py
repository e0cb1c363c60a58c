"""What the workspace decided holds for drafts too: its template, its levels, its archive, and who reads what."""

from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from answers.draft_review import forgetting, guides, releasing, ruling, run, verdict
from answers.draft_review.bringing import bring, read_text
from answers.draft_review.querysets import findings_open_to
from answers.draft_review.reading import findings_of
from answers.exceptions import ExaminationError
from answers.models import Examination, ExaminationState, Finding, FindingCategory
from answers.rag_templates import content, keeping
from answers.rag_templates.filters import Filters
from answers.tasks import examine_draft
from audit.events import EventType
from audit.models import Event
from documents import library as shelf
from documents.cards import classifying
from documents.deletion import dependants
from documents.deletion.tombstones import restore
from documents.models import Deletion, Document
from tests.answers.draft_review.conftest import DRAFT
from workspaces.classification import Classification
from workspaces.models import ReviewPolicy


@pytest.fixture
def ruled(policies: Any, manager: Any) -> Any:
    """ruled(review="review") → the template “Draft review” in force so; without it as strict as the workspace."""

    def make(**parts: Any) -> Any:
        template = keeping.adopt(policies, ruling.CODE, by=manager)
        changed = replace(content.of(template.versions.first()), **({"review": ""} | parts))
        version = keeping.save(template, changed, by=manager)
        keeping.put_in_force(version, by=manager)
        return version

    return make


def conflicts(made: Examination) -> Any:
    return made.findings.filter(category=FindingCategory.CONFLICT)


# --- The template -------------------------------------------------------------------------------------------


def test_a_template_says_which_documents_are_the_guidance(examined, handbook, ruled, member):
    version = ruled(filters=Filters(up_to="public"))
    made = examined(member)

    assert (made.template, made.state) == (version, ExaminationState.RELEASED)
    assert not made.findings.filter(document__isnull=False).exists()
    Document.objects.filter(pk=handbook.document_id).update(classification=Classification.PUBLIC)
    assert conflicts(examined(member)).exists()
    asked = Event.objects.filter(type=EventType.EXAMINATION_ASKED).order_by("seq").last()
    assert asked is not None
    assert version.sha256 in asked.body


@pytest.mark.parametrize(
    ("workspace", "own", "state"), [("open", "review", "held"), ("review", "open", "held"), ("open", "", "released")]
)
def test_a_template_is_never_looser_than_the_workspace(examined, policies, ruled, member, workspace, own, state):
    policies.review_policy = workspace
    policies.save()
    version = ruled(review=own)

    made = examined(member)

    assert (made.template, made.state) == (version, state)


def test_without_asking_the_template_findings_would_be_let_out(examined, ruled, member, monkeypatch):
    ruled(review="review")
    monkeypatch.setattr(verdict, "policy_of", lambda examination: ReviewPolicy(examination.workspace.review_policy))

    assert examined(member).state == ExaminationState.RELEASED


def test_the_model_of_a_template_reads_whatever_was_chosen(
    examined, policies, ruled, member, endpoint_of, chat_server, client_of
):
    named, other = endpoint_of("says"), endpoint_of("good")
    chat_server.says = "{}"
    ruled(endpoint=named)

    assert examined(member).endpoint == named
    with pytest.raises(ExaminationError, match="always read by"):
        bring(policies, read_text("Leave", DRAFT), by=member, endpoint=other)
    page = client_of(member).get(reverse("answers:examinations", args=["policies"])).content.decode()
    assert named.name in page
    assert other.name not in page
    assert "Holds what you bring" in page


def test_a_template_that_is_switched_off_says_nothing(examined, ruled, member, manager):
    version = ruled(review="review")
    keeping.switch(version.template, enabled=False, by=manager)

    made = examined(member)

    assert (made.template, made.state) == (None, ExaminationState.RELEASED)


# --- What changes while it waits or is read -----------------------------------------------------------------


def test_nothing_is_examined_in_an_archived_workspace(handbook, policies, member):
    made = bring(policies, read_text("Leave", DRAFT), by=member)
    policies.archived_at, policies.archived_by = timezone.now(), member
    policies.save()

    with pytest.raises(ExaminationError, match="archived"):
        bring(policies, read_text("Leave", DRAFT), by=member)
    examine_draft(str(made.pk))

    made.refresh_from_db()
    assert (made.state, made.findings.exists()) == (ExaminationState.REFUSED, False)
    assert "archived" in made.problem


def test_findings_that_were_let_out_close_when_their_source_is_classified_higher(
    examined, handbook, member, manager, monkeypatch
):
    made = examined(member)

    classifying.classify(handbook.document, "confidential", by=manager)

    assert {one.closed_because for one in conflicts(made)} == {"raised"}
    assert not findings_open_to(member, made).filter(document=handbook.document).exists()
    told = Event.objects.filter(type=EventType.FINDINGS_CLOSED, object_id=str(made.pk))
    assert "raised" in told.order_by("seq").first().body
    # Without that line what nobody let out at this level stays open.
    again = examined(member)
    kept = [one for one in dependants.when_raised if one is not forgetting.note_raised]
    with monkeypatch.context() as patch:
        patch.setattr(dependants, "when_raised", kept)
        classifying.classify(handbook.document, "restricted", by=manager)
    assert findings_open_to(member, again).filter(document=handbook.document).exists()

    # No other way back opens them.
    shelf.delete(handbook.document, by=manager, reason="Old.")
    restore(Deletion.objects.get(), by=manager)
    assert {one.closed_because for one in conflicts(made)} == {"raised"}


def test_what_is_classified_higher_while_it_waits_takes_two(
    examined, policies, handbook, member, manager, reviewer, second_reviewer
):
    policies.review_policy, policies.second_approver_from = ReviewPolicy.REVIEW, Classification.CONFIDENTIAL
    policies.save()
    held = examined(member)
    assert not held.takes_two
    classifying.classify(handbook.document, "confidential", by=manager)

    once = releasing.approve(held, by=reviewer)

    assert (once.state, once.takes_two) == (ExaminationState.HELD, True)
    assert releasing.approve(held, by=second_reviewer).state == ExaminationState.RELEASED
    assert conflicts(held).filter(closed_because="").exists()


CHECKLIST = """# Checklist for leave rules

Leave rules must contain:

- Sick pay and reporting
- Unpaid sabbatical
"""


def test_a_document_that_closes_while_the_whole_is_looked_at_leaves_nothing(examined, policies, member, monkeypatch):
    from tests.answers import library

    checklist = library.add_document(policies, "checklist.md", CHECKLIST)
    look = run.whole.check

    def closes(examination: Any) -> Any:
        found = list(look(examination))
        Document.objects.filter(pk=checklist.document_id).update(restricted=True)
        return found

    monkeypatch.setattr(run.whole, "check", closes)
    made = examined(member)
    assert not made.findings.filter(document=checklist.document).exists()

    Document.objects.filter(pk=checklist.document_id).update(restricted=False)
    monkeypatch.setattr(guides, "left_open", lambda _user, found: found)
    assert Finding.objects.filter(examination=examined(member), document=checklist.document).exists()


def test_findings_that_come_to_a_page_that_is_open_already_are_read_with_an_entry(
    handbook, policies, member, client_of
):
    made = bring(policies, read_text("Leave", DRAFT), by=member)
    client, address = client_of(member), reverse("answers:examination", args=["policies", made.pk])
    client.get(address)
    examine_draft(str(made.pk))
    read = Event.objects.filter(type=EventType.EXAMINATION_READ)
    assert not read.exists()

    page = client.get(address, headers={"HX-Request": "true"}).content.decode()

    assert "the guidance says" in page
    assert read.count() == 1


def test_a_reviewer_finds_what_waits_in_the_admin_and_nobody_else_does(
    examined, policies, member, reviewer, client_of, monkeypatch
):
    policies.review_policy = ReviewPolicy.REVIEW
    policies.save()
    held, listed = examined(member), reverse("admin:answers_examination_changelist")
    own = examined(reviewer, title="Mine alone")

    page = client_of(reviewer).get(listed).content.decode()
    assert held.title in page
    assert own.title not in page
    one = client_of(reviewer).get(reverse("admin:answers_examination_change", args=[held.pk]))
    assert one["Location"] == reverse("answers:examination", args=["policies", held.pk])
    assert findings_of(held, reviewer)
    assert client_of(member).get(listed).status_code in (302, 403, 404)
