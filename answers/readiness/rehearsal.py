"""A dry run of the review flow: a draft is made, walked through the verbs by the officers there are, and rolled back.

Nobody asked for it and nobody hears of it: rows, entries and notices go with the transaction of the look. What follows
from a change to a source (suspension, its confirmation, withdrawal) is not walked: the source is a real document, and
other answers that rest on it would be locked and closed for as long as the look lasts.
"""

from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from answers import separation
from answers.checks import settings as checks
from answers.exceptions import DraftError, WrongState
from answers.models import Answer, Citation, Clarification, Draft, Evidence, Question
from answers.review import (
    approve,
    approve_with_edits,
    assign,
    edit,
    opened,
    reject,
    reopen,
    reply,
    return_for_changes,
    submit,
    take_back,
)
from answers.states import AnswerStatus, DraftState
from audit.chain import digest
from documents.models import Document, Passage
from documents.states import VersionState
from workspaces import access, members
from workspaces.classification import Classification
from workspaces.exceptions import Refused
from workspaces.models import ReviewPolicy, User
from workspaces.readiness.people import outsider
from workspaces.readiness.registry import Area, Found, Scene, blocked, check, none, passed
from workspaces.roles import Action, Role

_ = gettext_noop
_QUOTED = 160
_REASON = "Readiness"


class _Edits(Enum):
    """Whether the walk edits, and if not, why."""

    WALKED = auto()
    JUDGED = auto()
    NOBODY_LEFT = auto()


#: Each sentence ends with what was not walked, and why.
_WALKED = {
    _Edits.WALKED: _(
        "A draft went through %(n)d steps of review with %(people)d officers, and was rolled back. Not walked, because "
        "they would touch other answers: suspension, its confirmation, and withdrawal with a deleted source."
    ),
    _Edits.JUDGED: _(
        "A draft went through %(n)d steps of review with %(people)d officers, and was rolled back. Not walked, because "
        "the judge would be sent the text: edits. Not walked, because they would touch other answers: suspension, its "
        "confirmation, and withdrawal with a deleted source."
    ),
    _Edits.NOBODY_LEFT: _(
        "A draft went through %(n)d steps of review with %(people)d officers, and was rolled back. Not walked, because "
        "nobody would be left to approve: edits. Not walked, because they would touch other answers: suspension, its "
        "confirmation, and withdrawal with a deleted source."
    ),
}


@check("review.rehearsal", Area.REVIEW, gettext_lazy("A draft goes all the way"), fix="workspaces:people")
def rehearsal(scene: Scene) -> Found:
    passage = _passage(scene)
    people = access.people_allowed(scene.workspace, Action.REVIEW, Action.OPEN).filter(is_superuser=False)
    officers = list(people.order_by("username")[:3])
    if passage is None:
        return none(_("There is no open document a draft could rest on."))
    if not officers:
        if scene.workspace.review_policy == ReviewPolicy.OPEN:
            return none(_("Nothing is held for review here, and nobody reviews."))
        return none(_("There is nobody to walk a draft through review."))
    walk = _Walk(scene, passage, officers)
    try:
        walk.go()
    except (DraftError, WrongState, Refused) as error:
        return blocked(
            _("A draft stopped at “%(act)s” after %(n)d steps: %(why)s"),
            act=walk.act,
            n=walk.steps,
            why=str(error)[:200],
        )
    return passed(_WALKED[walk.edits], n=walk.steps, people=len(officers))


def _passage(scene: Scene) -> Passage | None:
    """A passage of a document that is open to all, of the lowest level there is: one approval is likely enough."""
    for level in Classification:
        documents = Document.objects.filter(
            workspace=scene.workspace,
            deleted_at=None,
            restricted=False,
            classification=level,
            current_version__state=VersionState.READY,
        )
        found = Passage.objects.filter(version__in=documents.values("current_version")).exclude(text="").first()
        if found is not None:
            return found
    return None


class _Walk:
    """One walk; `act` is the step under way, `steps` how many are done."""

    def __init__(self, scene: Scene, passage: Passage, officers: list[User]) -> None:
        self.scene, self.passage, self.officers = scene, passage, officers
        self.asker = outsider(scene)
        members.add_member(scene.workspace, self.asker, Role.MEMBER, by=None)
        self.act, self.steps = "", 0
        self.edits = _Edits.NOBODY_LEFT

    def go(self) -> None:
        """Through the verbs of review. Raises what the verbs raise."""
        first, *others = self.officers
        draft = self._step("hold", self._held)
        self.edits = self._may_edit(first, draft)
        self._step("assign", lambda: assign(draft, to=first, by=first))
        self._step("open", lambda: opened(draft, by=first))
        self._returned(draft, first)
        edited = self.edits is _Edits.WALKED
        if edited:
            self._step("return", lambda: return_for_changes(draft, by=first, reason=_REASON))
            self._step("edit", lambda: edit(draft, text=self._longer(draft), by=first, reason=_REASON))
            self._step("submit", lambda: submit(draft, by=first))
        # Whoever edits does not decide.
        deciders = others if edited else [*others, first]
        self._approved(draft, deciders)
        answer = Answer.objects.get(pk=draft.answer_id)
        self._step("reopen", lambda: reopen(answer, by=deciders[0], reason=_REASON))
        self._step("reject", lambda: reject(draft, by=deciders[0], reason=_REASON))
        other = self._step("hold", self._held)
        if edited:
            seen = digest(other.text)
            self._step(
                "approve with edits",
                lambda: approve_with_edits(other, text=self._longer(other), by=first, seen_sha256=seen),
            )
        self._approved(other, deciders)
        released = Answer.objects.get(pk=other.answer_id)
        self._step("take back", lambda: take_back(released, by=deciders[0], reason=_REASON))

    def _may_edit(self, person: User, draft: Draft) -> _Edits:
        if checks.of(self.scene.workspace).judge is not None:
            # What is sent to a judge cannot be rolled back.
            return _Edits.JUDGED
        refused = separation.refusal_to_edit(person, draft.answer)
        return _Edits.NOBODY_LEFT if refused else _Edits.WALKED

    def _returned(self, draft: Draft, by: User) -> None:
        """Back to the asker twice: put in line again by the last reply, and by an officer after one of two replies."""
        for questions in (["?"], ["?", "?"]):
            self._step("return", partial(return_for_changes, draft, by=by, reason=_REASON, questions=questions))
            asked = Clarification.objects.filter(review__draft=draft, replied_at=None)[0]
            self._step("reply", partial(reply, asked, text="!", by=self.asker))
        self._step("submit", lambda: submit(draft, by=by))

    def _longer(self, draft: Draft) -> str:
        """Another text, which is as sound as the one before."""
        text = Draft.objects.get(pk=draft.pk).text
        return f"{text} {text}"

    def _approved(self, draft: Draft, deciders: list[User]) -> None:
        """Approve, and once more by another where two have to."""
        for person in deciders:
            now = Draft.objects.get(pk=draft.pk)
            self._step("approve", partial(approve, now, by=person, seen_sha256=digest(now.text)))
            if Draft.objects.get(pk=draft.pk).state == DraftState.APPROVED:
                return
        raise DraftError(str(_("Two people have to approve, and there are too few.")))

    def _step(self, act: str, do: Callable[[], Any]) -> Any:
        self.act = act
        done = do()
        self.steps += 1
        return done

    def _held(self) -> Draft:
        """A held answer that quotes the passage."""
        workspace, version = self.scene.workspace, self.passage.version
        quote = self.passage.text.strip().splitlines()[0][:_QUOTED].strip()
        start = version.text.index(quote, self.passage.start)
        text = f"{quote} [1]"
        sentence = {"text": text, "start": 0, "end": len(text), "citations": [1], "grounding": 1.0}
        question = Question.objects.create(workspace=workspace, asked_by=self.asker, text="Readiness", language="en")
        answer = Answer.objects.create(
            question=question,
            workspace=workspace,
            asked_by=self.asker,
            policy=ReviewPolicy.REVIEW,
            text=text,
            sentences=[sentence],
            status=AnswerStatus.HELD_FOR_REVIEW,
            ended_at=timezone.now(),
        )
        place = {
            "document": version.document,
            "version": version,
            "start": start,
            "end": start + len(quote),
            "page": self.passage.page,
            "locator": self.passage.locator,
        }
        evidence = Evidence.objects.create(
            answer=answer, rank=1, passage_id=self.passage.pk, sha256=digest(self.passage.text), **place
        )
        Citation.objects.create(answer=answer, number=1, evidence=evidence, quote=quote, **place)
        return Draft.objects.create(workspace=workspace, answer=answer, text=text, sentences=[sentence])
