"""P7: whatever happens to a draft, its sources and people's rights, what is shown is what somebody entitled approved.

A state machine does what officers do, two of them with the same page open; an oracle of plain facts says who may let
which text out. Every text an asker or a reader is shown hashes to an approval of the oracle's. Two officers at the very
same moment, in threads, are in tests/answers/test_review.py and test_separation.py.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, ClassVar

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from answers import reading, review, separation, source_changes
from answers.access import declassification, sharing
from answers.models import Answer, Clarification, Draft, Review
from answers.review import again, bulk, deciding
from answers.states import RELEASED, AnswerStatus, DraftState
from answers.suspension import confirming
from answers.withdrawal import withdraw_leftovers
from audit.chain import digest
from documents import library
from documents.access import bars as document_bars
from documents.access import restriction
from documents.cards import classifying
from documents.deletion import dependants
from documents.models import Document, DocumentBar
from tests.answers.review_scene import CLAUSES, a_document, a_held_answer, answers_anew
from tests.leaks.approval_oracle import ApprovalOracle, Held
from tests.leaks.exploring import LIFE, explore, leave_out_the_simplest
from tests.undone import outermost, undone
from workspaces import access, members
from workspaces.bars import rules as bars
from workspaces.exceptions import PortalError, Refused
from workspaces.models import RoleBar, Workspace

REVIEWERS, READERS = ("rita", "rolf", "ruth"), ("ana", "pete")
SOURCES = ("notice", "invoices", "other invoices")
#: Set by `make deep` to look longer.
SEQUENCES = int(os.environ.get("INLOCK_P7_SEQUENCES", "1"))
STEPS = int(os.environ.get("INLOCK_P7_STEPS", "30"))

officer, person = st.sampled_from(REVIEWERS), st.sampled_from((*REVIEWERS, *READERS))
source, number = st.sampled_from(SOURCES), st.integers(0, 5)


class Desk(RuleBasedStateMachine):
    """A workspace that holds every answer for review, and the oracle beside it."""

    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.undo = outermost()
        self.undo.__enter__()
        self.oracle, self.drafts, self.written = ApprovalOracle(), [], 0

    @initialize(life=LIFE)
    def people_and_sources(self, life: int = 1) -> None:
        leave_out_the_simplest(life)
        self.seen["sequences"] += 1
        self.users = {name: members.create_user(username=name, by=None) for name in (*REVIEWERS, *READERS, "steward")}
        self.place = members.create_workspace(slug="legal", name="Legal", policy="review", by=None)
        Workspace.objects.filter(pk=self.place.pk).update(second_approver_from="confidential")
        members.add_member(self.place, self.users["steward"], "manager", by=None)
        for name in REVIEWERS:
            members.add_member(self.place, self.users[name], "reviewer", by=None)
        for name in READERS:
            members.add_member(self.place, self.users[name], "member", by=None)
        self.oracle.reviewers, self.oracle.members = set(REVIEWERS), set(READERS)
        self.sources = {}
        for name, clause in zip(SOURCES, (CLAUSES[0], CLAUSES[1], CLAUSES[1]), strict=True):
            version = a_document(self.place, title=name, text=f"Before. {clause} After.", restricted=True)
            self.sources[name] = version.document
            restriction.access.grant("open_document", self.users["steward"], version.document)
            for one in (*REVIEWERS, "ana"):
                self.grant_or_revoke(one, name)
        self.clients = {}
        for name in READERS:
            self.clients[name] = Client()
            self.clients[name].force_login(self.users[name], backend="django.contrib.auth.backends.ModelBackend")
        self.hold("ana", 0)
        self.hold("ana", 1)
        self.approve(1, "rolf", "ruth", "reject")
        self.look_again(1, "ruth", "reopen")
        self.approve(1, "ruth", "rolf", "")
        self.replace("other invoices", says_so=True)
        self.confirm(1, "rolf")

    def teardown(self) -> None:
        try:
            for n in range(len(self.drafts)):
                self.look(n)
                self.look_at_pages(n)
        finally:
            self.forget()

    @contextmanager
    def as_it_was(self) -> Iterator[None]:
        """Whatever happens inside did not, neither to the rows nor to what the oracle knows."""
        oracle, drafts, written = deepcopy(self.oracle), [*self.drafts], self.written
        try:
            with undone():
                yield
        finally:
            self.oracle, self.drafts, self.written = oracle, drafts, written
            for document in self.sources.values():
                document.refresh_from_db()

    def forget(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @invariant()
    def count(self) -> None:
        self.seen["steps"] += 1

    # --- Drafts ---

    @precondition(lambda self: len(self.drafts) < 4)
    @rule(asker=st.sampled_from(("ana", "rita")), n=number)
    def hold(self, asker: str, n: int) -> None:
        """The pipeline holds an answer that rests on two documents."""
        cited = (SOURCES[0], SOURCES[1 + n % 2])
        held = Held(asker, cited, "")
        if not self.oracle.opens_all(asker, held) or not self.oracle.silent.isdisjoint(cited):
            return
        versions = [Document.objects.get(pk=self.sources[name].pk).current_version for name in cited]
        draft = a_held_answer(self.place, self.users[asker], versions=versions)
        held.text = draft.text
        self.oracle.answers.append(held)
        self.drafts.append(draft)

    @rule(n=number, who=officer)
    def edit(self, n: int, who: str) -> None:
        self.written += 1
        text = f"{CLAUSES[0]} [1] Form {self.written} of it. [2]"
        draft, held = self._draft(n)
        if self._done(lambda: review.edit(draft, text=text, by=self.users[who])):
            assert self.oracle.reviews(who, held)
            assert held.state in {"waiting", "returned"}
            self.oracle.edit(who, held, text)

    @rule(n=number, who=officer, to=officer)
    def assign(self, n: int, who: str, to: str) -> None:
        draft, held = self._draft(n)
        if self._done(lambda: review.assign(draft, to=self.users[to], by=self.users[who])):
            assert self.oracle.reviews(who, held)
            assert self.oracle.decides(to, held)

    @rule(n=number, who=officer, also=officer, second=st.sampled_from(["approve", "return", "reject", "edit", ""]))
    def approve(self, n: int, who: str, also: str, second: str) -> None:
        """One approves; another with the same page open acts after."""
        (draft, held), stale = self._draft(n), self._draft(n)[0]
        seen = digest(held.text)
        may = self.oracle.approves(who, held)
        done = self._done(lambda: review.approve(draft, by=self.users[who], seen_sha256=seen))
        assert done == may, (who, held)
        if done:
            self.seen["approvals"] += 1
            self.oracle.approve(who, held)
        if second and held.state == "released":
            acts = {
                "approve": lambda: review.approve(stale, by=self.users[also], seen_sha256=seen),
                "return": lambda: review.return_for_changes(stale, by=self.users[also], reason="Late."),
                "reject": lambda: review.reject(stale, by=self.users[also], reason="Late."),
                "edit": lambda: review.edit(stale, text=f"{CLAUSES[0]} [1] Late.", by=self.users[also]),
            }
            assert not self._done(acts[second]), "two decisions on one draft"
            self.seen["late decisions"] += 1
        self.look(n)

    @rule(n=number, who=officer)
    def approve_what_is_no_longer_there(self, n: int, who: str) -> None:
        draft, _held = self._draft(n)
        assert not self._done(lambda: review.approve(draft, by=self.users[who], seen_sha256=digest("Another text.")))

    @rule(n=number, who=officer, verb=st.sampled_from(["return", "reject"]))
    def refuse(self, n: int, who: str, verb: str) -> None:
        draft, held = self._draft(n)
        act, state = {"return": (review.return_for_changes, "returned"), "reject": (review.reject, "ended")}[verb]
        if self._done(lambda: act(draft, by=self.users[who], reason="Not so.")):
            assert self.oracle.decides(who, held)
            assert held.state in {"waiting", "returned"}
            held.state, held.approvals = state, []

    @rule(n=number, who=officer)
    def submit(self, n: int, who: str) -> None:
        draft, held = self._draft(n)
        if self._done(lambda: review.submit(draft, by=self.users[who])):
            assert held.state == "returned"
            held.state = "waiting"

    @rule(n=number, who=officer, verb=st.sampled_from(["reopen", "take_back"]))
    def look_again(self, n: int, who: str, verb: str) -> None:
        """A released answer goes back under review, or is closed for good: from here on nobody reads it."""
        draft, held = self._draft(n)
        act = {"reopen": review.reopen, "take_back": review.take_back}[verb]
        released = bool(held.released) and not held.closed and self.oracle.deleted.isdisjoint(held.sources)
        if self._done(lambda: act(draft.answer, by=self.users[who], reason="A reader doubts it.")):
            assert released, "only what stands released is looked at again"
            assert self.oracle.reviews(who, held)
            self.seen[verb] += 1
            self.oracle.look_again(held, for_good=verb == "take_back")
        self.look(n)

    @rule(n=number, who=officer)
    def confirm(self, n: int, who: str) -> None:
        """An officer finds that a text which was closed with a source of it still stands, word for word."""
        draft, held = self._draft(n)
        may = self.oracle.confirms(who, held)
        act = lambda: confirming.confirm(draft.answer, by=self.users[who], seen_sha256=digest(held.released))  # noqa: E731
        done = self._done(act)
        assert done == may, (who, held)
        if done:
            self.seen["confirmed"] += 1
            self.oracle.confirm(held)
        self.look(n)

    @rule(n=number, who=officer)
    def send_back(self, n: int, who: str) -> None:
        draft, held = self._draft(n)
        if self._done(lambda: confirming.send_back(draft.answer, by=self.users[who], reason="It changed.")):
            assert held.closed
            assert self.oracle.reviews(who, held)
            self.oracle.look_again(held, for_good=False)
        self.look(n)

    @rule(n=number, who=officer)
    def ask_back(self, n: int, who: str) -> None:
        """An officer returns it with a question; the asker replies, and that puts it back in line."""
        draft, held = self._draft(n)
        act = lambda: review.return_for_changes(draft, by=self.users[who], reason="Which?", questions=["Which one?"])  # noqa: E731
        if not self._done(act):
            return
        assert self.oracle.decides(who, held)
        held.state, held.approvals = "returned", []
        asked = Clarification.objects.filter(review__draft=draft).last()
        for name in {*READERS, *REVIEWERS} - {held.asker}:
            assert not self._done(lambda name=name: review.reply(asked, text="Mine.", by=self.users[name]))
        if self._done(lambda: review.reply(asked, text="The first.", by=self.users[held.asker])):
            assert self.oracle.opens_all(held.asker, held)
            held.state = "waiting"
            self.seen["replies"] += 1

    @rule(who=officer)
    def approve_together(self, who: str) -> None:
        """All drafts that read as the first one: each goes out only as it could alone."""
        drafts = [self._draft(n)[0] for n in range(len(self.drafts))]
        seen = digest(self.oracle.answers[0].text)
        may = [self.oracle.approves(who, held) for held in self.oracle.answers]
        for item, allowed, held in zip(
            bulk.approve(drafts, by=self.users[who], seen_sha256=seen), may, self.oracle.answers, strict=True
        ):
            if item.is_done:
                assert allowed, (who, held)
                assert digest(held.text) == seen
                assert not self.oracle.guarded.intersection(held.sources), "two have to approve, each by itself"
                self.seen["approved together"] += 1
                self.oracle.approve(who, held)

    @rule(n=number, who=officer, to=officer)
    def edit_and_hand_over(self, n: int, who: str, to: str) -> None:
        self.written += 1
        text = f"{CLAUSES[0]} [1] Form {self.written} of it. [2]"
        draft, held = self._draft(n)
        act = {"text": text, "by": self.users[who], "to": self.users[to], "seen_sha256": digest(held.text)}
        if self._done(lambda: review.approve_with_edits(draft, **act)):
            assert self.oracle.reviews(who, held)
            assert held.state in {"waiting", "returned"}
            self.oracle.edit(who, held, text)
            held.state = "waiting"
            assert self.oracle.decides(to, held)

    @rule(n=number, who=officer)
    def declassify_or_take_back(self, n: int, who: str) -> None:
        answer = self._draft(n)[0].answer
        held = self._draft(n)[1]
        if declassification.in_force(answer) is not None:
            self._done(lambda: declassification.take_back(answer, by=self.users[who]))
        elif self._done(lambda: declassification.declassify(answer, by=self.users[who], reason="For all.")):
            self.seen["declassified"] += 1
            assert held.state == "released"
            assert self.oracle.decides(who, held)
        self.look(n)

    @rule(n=number, first=officer, second=officer)
    def approve_in_turn(self, n: int, first: str, second: str) -> None:
        self.approve(n, first, second, "")
        self.approve(n, second, first, "edit")

    @rule(n=number)
    def share(self, n: int) -> None:
        draft, held = self._draft(n)
        if self._done(lambda: sharing.share(draft.answer, to=self.users["pete"], by=self.users[held.asker])):
            assert held.state == "released"
        self.look(n)

    # --- Around them ---

    @rule(who=person, name=source)
    def grant_or_revoke(self, who: str, name: str) -> None:
        document = self.sources[name]
        if name in self.oracle.deleted or not (self.oracle.is_here(who)):
            return
        if (who, name) in self.oracle.grants:
            restriction.revoke_grant(document, self.users[who], by=self.users["steward"])
            self.oracle.grants.discard((who, name))
        else:
            restriction.grant(document, self.users[who], by=self.users["steward"])
            self.oracle.grants.add((who, name))

    @rule(who=person, name=source)
    def keep_out_or_let_in(self, who: str, name: str) -> None:
        if name in self.oracle.deleted:
            return
        if (who, name) in self.oracle.kept_out:
            found = DocumentBar.objects.get(document=self.sources[name], user=self.users[who])
            document_bars.lift(found, by=self.users["steward"], reason="Over.")
            self.oracle.kept_out.discard((who, name))
        else:
            document_bars.bar(self.sources[name], self.users[who], reason="A conflict.", by=self.users["steward"])
            self.oracle.kept_out.add((who, name))

    @rule(who=person)
    def bar_or_let_back(self, who: str) -> None:
        if who in self.oracle.barred:
            found = RoleBar.objects.get(workspace=self.place, role="", user=self.users[who])
            bars.lift(found, by=self.users["steward"], reason="Over.")
            self.oracle.barred.discard(who)
        elif self._done(lambda: bars.bar(self.place, self.users[who], reason="A conflict.", by=self.users["steward"])):
            self.oracle.barred.add(who)
            # Grants by name end with the last role that let the person use them.
            self.oracle.grants = {grant for grant in self.oracle.grants if grant[0] != who}

    @rule(who=officer)
    def take_or_give_the_role(self, who: str) -> None:
        if who in self.oracle.barred:
            return
        if who in self.oracle.reviewers:
            if self._done(lambda: members.remove_member(self.place, self.users[who], "reviewer", by=None)):
                self.oracle.reviewers.discard(who)
                self.oracle.grants = {grant for grant in self.oracle.grants if grant[0] != who}
        else:
            members.add_member(self.place, self.users[who], "reviewer", by=None)
            self.oracle.reviewers.add(who)

    @rule(name=source)
    def guard_or_unguard(self, name: str) -> None:
        """Raise the document to where two approve, or lower it again."""
        if name in self.oracle.deleted:
            return
        level = "internal" if name in self.oracle.guarded else "confidential"
        classifying.classify(self.sources[name], level, by=self.users["steward"])
        self.oracle.guard(name)

    @rule(name=source, says_so=st.booleans())
    def replace(self, name: str, says_so: bool) -> None:
        """A newer version answers, in which what was cited stands still, elsewhere, or no longer."""
        if name in self.oracle.deleted:
            return
        self.written += 1
        clause = CLAUSES[0] if name == SOURCES[0] else CLAUSES[1]
        answers_anew(self.sources[name], f"Version {self.written}. {clause if says_so else 'Else.'} After.")
        self.oracle.replace(name, says_so=says_so)
        self.seen["replaced"] += 1

    @rule(name=st.sampled_from(SOURCES[1:]), n=number)
    def delete(self, name: str, n: int) -> None:
        if n or name in self.oracle.deleted:
            return
        library.delete(self.sources[name], by=self.users["steward"])
        self.oracle.deleted.add(name)
        for held in self.oracle.answers:
            if name in held.sources and held.state in {"waiting", "returned"}:
                held.state = "ended"

    @rule(who=person)
    def put_everything_right(self, who: str) -> None:
        if who in self.oracle.barred:
            self.bar_or_let_back(who)
        if who in REVIEWERS and who not in self.oracle.reviewers:
            self.take_or_give_the_role(who)
        for name in SOURCES:
            if (who, name) in self.oracle.kept_out:
                self.keep_out_or_let_in(who, name)
            if (who, name) not in self.oracle.grants:
                self.grant_or_revoke(who, name)

    @rule()
    def sweep(self) -> None:
        """Ends what nobody could decide on; that shows nothing, whatever it ends."""
        withdraw_leftovers()
        source_changes.sweep()
        for draft, held in zip(self.drafts, self.oracle.answers, strict=True):
            if Draft.objects.get(pk=draft.pk).state == DraftState.STRANDED:
                held.state = "ended"

    # --- What is shown ---

    @rule(n=number)
    def look(self, n: int) -> None:
        """To the asker and to others, and what the database holds as let out."""
        draft, held = self._draft(n)
        answer = Answer.objects.get(pk=draft.answer_id)
        assert answer.released_text == held.released, held
        # A released answer is closed to everybody with the first source that is deleted, replaced or raised.
        gone = bool(held.closed) or not self.oracle.deleted.isdisjoint(held.sources)
        is_suspended = bool(held.released) and gone
        assert (answer.status in RELEASED) == (bool(held.released) and not is_suspended)
        assert (answer.status == AnswerStatus.SUSPENDED) == is_suspended
        in_force = declassification.in_force(answer) is not None if held.released else False
        for name in (*READERS, held.asker):
            shown = self._read(name, answer)
            self.seen["looks"] += 1
            assert shown in ({""} if is_suspended else {"", held.released}), (name, held)
            if not in_force:
                assert shown in {"", self.oracle.shown_to(name, held)}, (name, held)
            if name == held.asker:
                assert shown or not self.oracle.shown_to(name, held), (name, held)
            self.seen["texts shown"] += bool(shown)
        self._proven(answer, held)

    def look_at_pages(self, n: int) -> None:
        draft, held = self._draft(n)
        for client in self.clients.values():
            for page in ("", "card/", "provenance/"):
                told = client.get(f"/w/legal/answers/{draft.answer_id}/{page}").content.decode()
                assert held.released or "Form" not in told
                assert held.released or "Either party" not in told

    def _proven(self, answer: Answer, held: Held) -> None:
        """The rows say the same: as many approvals of exactly these bytes as it took, of different entitled people."""
        if not held.released:
            return
        standing = Review.objects.filter(
            draft__answer=answer, decision="approved", text_sha256=digest(answer.released_text)
        )
        people = {one.decided_by.username for one in standing}
        assert set(held.approvals) <= people
        assert held.asker not in people
        assert not people & held.editors
        assert answer.released_sha256 == digest(answer.released_text)

    # --- Inside ---

    def _draft(self, n: int) -> tuple[Draft, Held]:
        n %= len(self.drafts)
        return Draft.objects.select_related("answer__workspace").get(pk=self.drafts[n].pk), self.oracle.answers[n]

    def _done(self, act: Callable[[], Any]) -> bool:
        self.seen["acts"] += 1
        try:
            act()
        except (PortalError, Refused):
            return False
        return True

    def _read(self, name: str, answer: Answer) -> str:
        try:
            return reading.read(answer, by=self.users[name]).text
        except Refused:
            return ""


@pytest.mark.timeout(max(300, SEQUENCES * STEPS * 4))
def test_nothing_is_shown_that_nobody_entitled_approved(db: None) -> None:
    Desk.seen.clear()

    explore(Desk, SEQUENCES, STEPS)

    print(dict(Desk.seen))  # noqa: T201  (shown with -s: how much was looked at)
    assert Desk.seen["approvals"]
    assert Desk.seen["reopen"]
    assert Desk.seen["texts shown"]
    assert Desk.seen["confirmed"]


# --- Counter-proofs: with a protection taken away, the machine sees it -----------------------------------------


@pytest.fixture
def desk(db: None) -> Any:
    """ana waits for an answer that any of three reviewers could release."""
    desk = Desk()
    desk.people_and_sources()
    yield desk
    desk.forget()


def an_editor_who_may_approve(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(separation, "refusal", lambda person, draft, verb: None)
    desk.edit(0, "rolf")

    with pytest.raises(AssertionError):
        desk.approve(0, "rolf", "ruth", "")


def one_approval_where_two_are_needed(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(separation, "needs_second", lambda answer: False)
    desk.guard_or_unguard("notice")

    with pytest.raises(AssertionError):
        desk.approve(0, "rolf", "ruth", "")


def a_reviewer_without_a_source(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(access, "require", lambda user, action, thing: None)
    patch.setattr(access, "allows", lambda user, action, thing: True)
    desk.grant_or_revoke("rolf", "notice")

    with pytest.raises(AssertionError):
        desk.approve(0, "rolf", "ruth", "")


def a_text_that_nobody_saw(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(deciding, "require_seen", lambda draft, seen: None)

    with pytest.raises(AssertionError):
        desk.approve_what_is_no_longer_there(0, "rolf")


def a_reopened_text_that_stays_readable(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    desk.approve(0, "rolf", "ruth", "")
    patch.setattr(again, "_close", lambda draft, status: "")

    with pytest.raises(AssertionError):
        desk.look_again(0, "ruth", "reopen")


def a_replaced_source_that_closes_nothing(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    desk.approve(0, "rolf", "ruth", "")
    patch.setattr(dependants, "when_replaced", [])
    desk.replace("notice", says_so=False)

    with pytest.raises(AssertionError):
        desk.look(0)


def a_lost_quote_that_may_be_confirmed(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    desk.approve(0, "rolf", "ruth", "")
    desk.replace("notice", says_so=False)
    patch.setattr(confirming, "refusal", lambda answer, person: None)

    with pytest.raises(AssertionError):
        desk.confirm(0, "rolf")


def a_bulk_that_asks_nobody(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(separation, "refusal", lambda person, draft, verb: None)
    patch.setattr(bulk, "_risk", lambda draft: "")
    desk.edit(0, "rolf")

    with pytest.raises(AssertionError):
        desk.approve_together("rolf")


def a_draft_that_is_shown(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reading, "RELEASED", [*RELEASED, "held_for_review"])
    real = reading.Reading
    patch.setattr(reading, "Reading", lambda answer, text, *rest, **more: real(answer, answer.text, *rest, **more))

    with pytest.raises(AssertionError):
        desk.look(0)


TAKEN_AWAY: tuple[Callable[[Desk, pytest.MonkeyPatch], None], ...] = (
    an_editor_who_may_approve,
    one_approval_where_two_are_needed,
    a_reviewer_without_a_source,
    a_text_that_nobody_saw,
    a_reopened_text_that_stays_readable,
    a_replaced_source_that_closes_nothing,
    a_lost_quote_that_may_be_confirmed,
    a_bulk_that_asks_nobody,
    a_draft_that_is_shown,
)


def test_whatever_protection_is_taken_away_it_would_be_seen(desk: Desk, subtests: Any) -> None:
    for taken_away in TAKEN_AWAY:
        with subtests.test(taken_away.__name__), pytest.MonkeyPatch.context() as patch, desk.as_it_was():
            taken_away(desk, patch)
