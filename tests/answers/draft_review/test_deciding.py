"""What is found is decided on by the draft's owner, released by somebody else, and goes with its sources."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import docx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from docx.oxml.ns import qn

from answers.draft_review import deciding, erasing, forgetting, releasing
from answers.draft_review.bringing import read_file
from answers.draft_review.export.take import take
from answers.draft_review.improved import Edit, apply, pieces
from answers.draft_review.querysets import findings_open_to
from answers.draft_review.reading import findings_of
from answers.exceptions import ByAsker, ExaminationError, WrongState
from answers.models import Examination, ExaminationState, Finding, FindingCategory, FindingDecision
from audit.events import EventType
from audit.models import Event
from documents import library as shelf
from documents.access.restriction import restrict
from documents.deletion import dependants, tombstones, traces
from documents.deletion import erasing as deletion
from documents.deletion.probes import Probes
from documents.models import Deletion
from tests.answers import library
from workspaces import access, custom_roles, members
from workspaces.classification import Classification
from workspaces.exceptions import Forbidden, Hidden
from workspaces.models import Notification, ReviewPolicy
from workspaces.roles import Action


@pytest.fixture
def made(examined: Any, member: Any) -> Examination:
    return examined(member)


@pytest.fixture
def held(examined: Any, policies: Any, member: Any) -> Examination:
    policies.review_policy = ReviewPolicy.REVIEW
    policies.save()
    return examined(member)


def conflict(made: Examination) -> Finding:
    return made.findings.get(category=FindingCategory.CONFLICT)


def kinds() -> list[str]:
    return list(Event.objects.order_by("at").values_list("type", flat=True))


# --- Deciding -----------------------------------------------------------------------------------------------


def test_what_is_accepted_stands_in_the_improved_draft_and_undo_takes_it_back(made, member):
    deciding.accept(made, conflict(made).pk, by=member)

    shown = [one.finding for one in findings_of(made, member)]
    assert "takes 20 working days" in deciding.improved(made, shown)
    assert made.text in (Examination.objects.get(pk=made.pk).text,)
    deciding.undo(made, by=member)
    assert conflict(made).decision == FindingDecision.OPEN
    assert kinds().count(EventType.FINDINGS_DECIDED) == 2


def test_own_words_take_the_place_of_the_suggestion(made, member):
    deciding.accept(made, conflict(made).pk, by=member, wording="twenty")

    shown = [one.finding for one in findings_of(made, member)]
    assert "takes twenty working days" in deciding.improved(made, shown)


def test_all_of_a_kind_are_decided_in_one_act_and_taken_back_in_one(made, member):
    changed = deciding.decide_all(made, "rejected", by=member)

    assert changed == made.findings.exclude(decision=FindingDecision.OPEN).count() > 1
    assert deciding.undo(made, by=member) == changed
    with pytest.raises(WrongState):
        deciding.undo(made, by=member)
    with pytest.raises(WrongState):
        deciding.decide_all(made, "accepted", by=member, severity="style")


def test_two_changes_of_the_same_words_are_not_both_accepted(made, member):
    first = conflict(made)
    Finding.objects.create(
        examination=made, severity="minor", category="clarity", start=first.start, end=first.end + 5, suggestion="x"
    )

    assert deciding.decide_all(made, "accepted", by=member) >= 1
    accepted = made.findings.filter(decision=FindingDecision.ACCEPTED, start__lte=first.start, end__gt=first.start)
    assert accepted.count() == 1


def test_a_finding_that_proposes_nothing_is_not_accepted_without_words(made, member):
    term = made.findings.get(category=FindingCategory.TERM)

    with pytest.raises(ExaminationError):
        deciding.accept(made, term.pk, by=member)
    deciding.accept(made, term.pk, by=member, wording="Carried days")


def test_nobody_but_its_owner_decides_or_takes_it_away(made, reviewer, manager, stranger):
    for person in (reviewer, manager, stranger):
        with pytest.raises((Forbidden, Hidden)):
            deciding.accept(made, conflict(made).pk, by=person)
        with pytest.raises((Forbidden, Hidden)):
            take(made, format="docx", by=person)
        with pytest.raises((Forbidden, Hidden)):
            erasing.erase(made, by=person)
    assert conflict(made).decision == FindingDecision.OPEN


def test_findings_on_a_document_that_was_closed_to_the_owner_are_not_shown_or_used(made, handbook, member, manager):
    deciding.accept(made, conflict(made).pk, by=member)
    restrict(handbook.document, by=manager)

    assert not [one for one in findings_of(made, member) if one.finding.document_id == handbook.document_id]
    assert b"20 working" not in take(made, format="md", by=member).content
    with pytest.raises(WrongState):
        deciding.reject(made, conflict(made).pk, by=member)


# --- Review -------------------------------------------------------------------------------------------------


def test_held_findings_are_neither_shown_nor_decided_nor_taken_away(held, member, client_of):
    assert findings_of(held, member) == []
    with pytest.raises(WrongState):
        deciding.accept(held, conflict(held).pk, by=member)
    with pytest.raises(ExaminationError):
        take(held, format="md", by=member)
    page = client_of(member).get(reverse("answers:examination", args=["policies", held.pk])).content.decode()
    assert "the guidance says" not in page
    assert "waits for a reviewer" in page


def test_a_reviewer_who_rejects_says_why_and_the_owner_reads_no_finding(held, member, reviewer):
    with pytest.raises(ExaminationError):
        releasing.reject(held, by=reviewer, reason="  ")
    decided = releasing.reject(held, by=reviewer, reason="Wrong template.")

    assert (decided.state, decided.reason) == (ExaminationState.REJECTED, "Wrong template.")
    assert findings_of(decided, member) == []
    with pytest.raises(WrongState):
        releasing.approve(held, by=reviewer)
    told = Notification.objects.filter(person=member).values_list("kind", flat=True)
    assert "examination_refused" in told


def test_whoever_brought_a_draft_does_not_release_its_findings(examined, policies, reviewer, monkeypatch):
    policies.review_policy = ReviewPolicy.REVIEW
    policies.save()
    own = examined(reviewer)

    with pytest.raises(ByAsker, match="own draft"):
        releasing.approve(own, by=reviewer)
    # Without the rule the table itself refuses.
    monkeypatch.setattr(releasing, "held_for", lambda _by, found: found)
    monkeypatch.setattr(releasing, "refusal", lambda *_: "")
    with pytest.raises(Exception, match="examination_not_by_asker"):
        releasing.approve(own, by=reviewer)


def test_two_people_release_what_rests_on_guarded_documents(
    examined, policies, handbook, member, reviewer, second_reviewer
):
    policies.review_policy, policies.second_approver_from = ReviewPolicy.REVIEW, Classification.INTERNAL
    policies.save()
    held = examined(member)

    once = releasing.approve(held, by=reviewer)
    assert (once.state, held.takes_two) == (ExaminationState.HELD, True)
    with pytest.raises(ExaminationError, match="already"):
        releasing.approve(held, by=reviewer)
    assert releasing.approve(held, by=second_reviewer).state == ExaminationState.RELEASED


def test_a_reviewer_to_whom_a_source_is_closed_does_not_know_of_the_draft(held, handbook, reviewer, manager):
    restrict(handbook.document, by=manager)

    assert not access.visible(reviewer, Examination).exists()
    with pytest.raises((Forbidden, Hidden)):
        releasing.approve(held, by=reviewer)


def test_what_the_policy_released_is_nobodys_but_its_owners(made, reviewer, manager, client_of):
    address = reverse("answers:examination", args=["policies", made.pk])

    assert client_of(reviewer).get(address).status_code == 404
    assert client_of(manager).get(address).status_code == 404


# --- Files --------------------------------------------------------------------------------------------------


def test_the_word_file_has_comments_on_the_exact_words_and_accepted_changes_as_tracked_ones(made, member):
    deciding.accept(made, conflict(made).pk, by=member)

    file = take(made, format="docx", by=member)
    document = docx.Document(io.BytesIO(file.content))

    said = [comment.text for comment in document.comments]
    assert len(said) == len(findings_of(made, member))
    assert any("the guidance says" in one for one in said)
    body = document.element.body
    assert [e.text for e in body.iter(qn("w:delText"))] == ["30"]
    assert ["".join(t.text for t in e.iter(qn("w:t"))) for e in body.iter(qn("w:ins"))] == ["20"]
    starts = {e.get(qn("w:id")) for e in body.iter(qn("w:commentRangeStart"))}
    ends = {e.get(qn("w:id")) for e in body.iter(qn("w:commentRangeEnd"))}
    assert starts == ends == {str(comment.comment_id) for comment in document.comments}
    kept = "\n".join("".join(t.text or "" for t in p._p.iter(qn("w:t"), qn("w:delText"))) for p in document.paragraphs)
    assert kept.replace("3020", "30") == made.text
    assert "externalLink" not in str(zipfile.ZipFile(io.BytesIO(file.content)).namelist())


def test_the_markdown_file_has_the_improved_text_and_every_finding_as_text(made, member):
    Finding.objects.create(
        examination=made, severity="style", category="clarity", start=0, end=1, explanation="![x](http://evil.test) <b>"
    )
    deciding.accept(made, conflict(made).pk, by=member)

    content = take(made, format="md", by=member).content.decode()

    assert "takes 20 working days" in content
    assert "![x](http" not in content
    assert kinds().count(EventType.EXAMINATION_EXPORTED) == 1


def test_edits_are_applied_in_order_and_never_one_over_the_other():
    assert apply("abcdef", [Edit(4, 5, "E"), Edit(0, 1, "A"), Edit(6, 6, "!")]) == "AbcdEf!"
    with pytest.raises(ValueError, match="overlap"):
        apply("abcdef", [Edit(0, 3, ""), Edit(2, 4, "")])
    assert (
        "".join(piece.text for piece in pieces("abcdef", [Edit(1, 4, ""), Edit(2, 6, ""), Edit(3, 3, "")])) == "abcdef"
    )


def test_an_uploaded_file_is_read_in_the_sandbox_and_a_broken_one_is_refused_with_a_sentence():
    document = docx.Document()
    document.add_heading("Leave", 1)
    document.add_paragraph("The second parent takes 30 working days.")
    out = io.BytesIO()
    document.save(out)

    brought = read_file(SimpleUploadedFile("leave.docx", out.getvalue()))
    assert "30 working days" in brought.text

    for name, content in (("leave.docx", b"not a zip"), ("leave.exe", b"MZ"), ("leave.txt", b"")):
        with pytest.raises(ExaminationError) as refused:
            read_file(SimpleUploadedFile(name, content))
        assert str(refused.value)


# --- Ends ---------------------------------------------------------------------------------------------------


def test_findings_close_with_a_deleted_document_and_open_when_it_is_restored(made, handbook, member, manager):
    deciding.accept(made, conflict(made).pk, by=member)

    shelf.delete(handbook.document, by=manager, reason="Old.")
    assert conflict(made).closed_because == "deleted"
    assert not [one for one in findings_of(made, member) if one.finding.pk == conflict(made).pk]
    assert Notification.objects.filter(person=member, kind="findings_closed").exists()
    tombstones.restore(Deletion.objects.get(), by=manager)

    assert conflict(made).closed_because == ""
    assert conflict(made).decision == FindingDecision.ACCEPTED
    assert {EventType.FINDINGS_CLOSED, EventType.FINDINGS_REOPENED} <= set(kinds())


def test_findings_close_when_another_version_takes_the_place_of_the_one_they_cite(made, policies, member):
    library.add_document(policies, "employee-handbook.md", library.HANDBOOK.replace("20 working", "25 working"))

    assert conflict(made).closed_because == "replaced"
    assert not findings_open_to(member, made).filter(category=FindingCategory.CONFLICT).exists()


@pytest.mark.parametrize("forgets", [True, False])
def test_words_of_an_erased_document_are_left_in_no_finding_and_no_draft(
    made, handbook, member, manager, monkeypatch, forgets
):
    copied = "The second parent takes 20 working days of paid parental"
    Finding.objects.filter(pk=conflict(made).pk).update(suggestion=f"{copied} leave within six months of the birth.")
    if not forgets:
        kept = [kind for kind in dependants.kinds if kind.erase is not forgetting.erase]
        monkeypatch.setattr(dependants, "kinds", kept)
    shelf.delete(handbook.document, by=manager, reason="Old.")
    deletion.erase(handbook.document_id)

    found = traces.search(Probes(phrases=(copied,)))

    tables = {name for place in found.places if place.place == "database" for name in place.found}
    assert tables == (set() if forgets else {"answers_finding.suggestion"})


def test_a_draft_that_repeats_an_erased_document_is_erased_with_it(examined, handbook, member, manager):
    passage = (
        "Employees may work from home three days a week after their probation. The desk at home is checked once a year."
    )
    made = examined(member, f"1. Home\n{passage}\n")

    shelf.delete(handbook.document, by=manager, reason="Old.")
    deletion.erase(handbook.document_id)

    made.refresh_from_db()
    assert (made.state, made.text, made.title) == (ExaminationState.ERASED, "", "(erased)")
    assert made.text_sha256


def test_a_draft_is_erased_by_its_owner_or_by_age_and_hashes_stay(made, examined, member, settings):
    other = examined(member)
    erasing.erase(made, by=member)
    Examination.objects.filter(pk=other.pk).update(
        asked_at=timezone.now() - timedelta(days=settings.DRAFT_REVIEW_DAYS + 1)
    )

    assert erasing.erase_old() == 1
    for one in Examination.objects.all():
        assert (one.state, one.text) == (ExaminationState.ERASED, "")
        assert not one.findings.exclude(explanation="", suggestion="", wording="").exists()
        assert not one.clauses.exclude(label="").exists()
        assert one.findings_sha256
    assert kinds().count(EventType.EXAMINATION_ERASED) == 2


def test_nothing_is_erased_under_a_hold_of_the_workspace(made, policies, member, manager):
    from documents.deletion import holds

    holds.place(policies, by=manager, reason="Case 12.")
    Examination.objects.update(asked_at=timezone.now() - timedelta(days=400))

    with pytest.raises(ExaminationError):
        erasing.erase(made, by=member)
    assert erasing.erase_old() == 0


# --- Pages --------------------------------------------------------------------------------------------------


def test_a_draft_is_brought_read_decided_on_and_taken_away_through_the_pages(
    handbook, policies, member, client_of, django_capture_on_commit_callbacks
):
    from answers.tasks import examine_draft
    from tests.answers.draft_review.conftest import DRAFT

    client = client_of(member)
    listing = reverse("answers:examinations", args=["policies"])
    form = client.get(listing).context["form"]
    sent = {"title": "Leave", "text": DRAFT, "classification": "internal", "endpoint": form.fields["endpoint"].initial}
    made_at = client.post(listing, sent)
    made = Examination.objects.get()
    assert made_at.url == reverse("answers:examination", args=["policies", made.pk])
    assert "every 2s" in client.get(made_at.url).content.decode()
    examine_draft(str(made.pk))

    page = client.get(made_at.url)
    assert "The draft says “30”, the guidance says “20”." in page.content.decode()
    assert "No chat model judged it" in page.content.decode()
    decide = reverse("answers:decide_finding", args=["policies", made.pk])
    part = client.post(decide, {"act": "accept", "finding": conflict(made).pk}, headers={"HX-Request": "true"})
    assert "<ins>20</ins>" in part.content.decode()
    assert client.post(decide, {"act": "undo"}).status_code == 302
    file = client.get(reverse("answers:export_examination", args=["policies", made.pk, "docx"]))
    assert file["Content-Disposition"] == 'attachment; filename="leave.docx"'
    assert client.get(reverse("answers:export_examination", args=["policies", made.pk, "exe"])).status_code == 404
    assert client.post(listing, {**sent, "text": ""}).status_code == 400
    assert EventType.EXAMINATION_READ in kinds()


def test_the_pages_of_a_draft_are_hidden_from_others(made, reviewer, auditor, stranger, client_of):
    address = reverse("answers:examination", args=["policies", made.pk])

    assert client_of(auditor).get(address).status_code == 403
    assert client_of(stranger).get(address).status_code == 404
    assert (
        client_of(reviewer).post(reverse("answers:delete_examination", args=["policies", made.pk])).status_code == 404
    )


def test_a_role_that_reviews_and_asks_nothing_reads_what_waits_and_decides(
    held, policies, admin, manager, stranger, client_of
):
    officer = custom_roles.create_role(
        code="officer", name="Officer", purpose="Reviews.", actions=[Action.OPEN, Action.REVIEW], by=admin
    )
    members.add_member(policies, stranger, officer.code, by=manager)
    client, listing = client_of(stranger), reverse("answers:examinations", args=["policies"])
    page = reverse("answers:examination", args=["policies", held.pk])

    shown = client.get(listing).content.decode()
    assert page in shown
    assert listing in shown
    assert "Bring a draft" not in shown
    assert client.post(listing, {"title": "Leave", "text": "Words."}).status_code == 403
    assert "Conflicts with the guidance" in client.get(page).content.decode()
    client.post(reverse("answers:review_findings", args=["policies", held.pk]), {"decision": "approve"})
    held.refresh_from_db()
    assert (held.state, held.reviewed_by) == (ExaminationState.RELEASED, stranger)


def test_a_page_takes_as_many_queries_with_many_findings_as_with_few(
    made, member, client_of, django_assert_max_num_queries
):
    client, address = client_of(member), reverse("answers:examination", args=["policies", made.pk])
    client.get(address)
    one = conflict(made)
    for _number in range(40):
        one.pk = None
        one._state.adding = True
        one.save()

    with django_assert_max_num_queries(45):
        client.get(address)
