"""An answer as a card of the portal: what is on it and which addresses it talks to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from answers import endpoints, review, separation
from answers.chat import feedback
from answers.chat.doubts import Doubt, doubts
from answers.citations import marks
from answers.gaps import gathering
from answers.language import spoken_as
from answers.models import (
    Answer,
    Citation,
    Clarification,
    EndpointKind,
    Feedback,
    FeedbackReason,
    GapQuestion,
    Question,
    Reuse,
    Shape,
)
from answers.querysets import answers_given_to
from answers.rag_templates import shapes
from answers.rag_templates.built_in import told
from answers.reading import Reading, asked_as, place_in_words, place_of, read
from answers.review import reasons
from answers.states import HELD, OPEN, RELEASED, AnswerStatus
from answers.suspension import suspended
from workspaces import access
from workspaces.models import User, Workspace

_PARAGRAPH = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Part:
    """A run of text, or one citation mark; both are escaped by the template."""

    text: str = ""
    citation: Citation | None = None
    url: str = ""
    panel_url: str = ""


@dataclass(frozen=True, slots=True)
class Shaped:
    """One line of an answer that keeps a form: its cells, and its badge where a model judged."""

    cells: list[list[Part]]
    label: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """One source below the answer."""

    n: int
    title: str
    place: str
    url: str
    panel_url: str
    #: The document is past its last valid day.
    is_expired: bool


class Card:
    """One answer as `by` sees it now. Making a card of a released answer leaves an entry in the trail."""

    def __init__(
        self, answer: Answer, *, by: User, models: Sequence[str] | None = None, reading: Reading | None = None
    ) -> None:
        """`models`: the names of those the workspace offers, where whoever makes many cards knows them already.

        `reading`: what `by` may see of the answer, where that was found out a moment ago.
        """
        self.answer = answer
        self._models = models
        self._by = by
        self.question: Question = answer.question
        self.reading: Reading = reading or read(answer, by=by)
        self.slug = answer.workspace.slug
        self.is_mine = answer.asked_by_id == by.pk
        self.classification = separation.classification_of(answer) if self.reading.text else None

    @property
    def is_working(self) -> bool:
        return self.answer.status in OPEN

    @property
    def follows(self) -> bool:
        """Whether the asker's page keeps a stream open: seconds, until the answer has an ending."""
        return self.is_mine and self.is_working

    @property
    def waits(self) -> bool:
        """Whether a reviewer's decision can still come. The page asks for it now and then: that takes hours, and a
        browser has six connections to a server in all."""
        return self.is_mine and self.answer.status in HELD

    @property
    def may_ask_again(self) -> bool:
        """Offered where asking again can bring something else."""
        family = self.reading.status.family
        return self.is_mine and family in {"failed", "stopped", "refused", "suspended"}

    @property
    def has_way_out(self) -> bool:
        """Whether its asker is helped on: nothing they may open bears on the question."""
        return self.is_mine and self.answer.status == AnswerStatus.REFUSED_NO_EVIDENCE

    @property
    def models(self) -> Sequence[str]:
        """The models that may answer the question once more, where there is a choice."""
        if not self.is_mine or self.is_working:
            return ()
        if self._models is None:
            self._models = endpoints.names_for(self.answer.workspace)
        return self._models if len(self._models) > 1 else ()

    @property
    def model_name(self) -> str:
        """Its name among `models`, as far as it is still there."""
        return self.answer.endpoint.name if self.answer.endpoint else ""

    @property
    def asked_as(self) -> str:
        """What a follow-up was understood as; "" to whoever may not open all it rests on."""
        return asked_as(self.reading, by=self._by)

    @property
    def language(self) -> str:
        """The language this turn is spoken in: the question's where the portal speaks it, else the page's."""
        return spoken_as(self.question.language)

    @cached_property
    def clarifications(self) -> list[Clarification]:
        """What reviewers want to know from the person before they decide."""
        return review.questions_to(self._by, self.answer) if self.is_mine and self.may_reply else []

    @property
    def may_reply(self) -> bool:
        return self.answer.status == AnswerStatus.HELD_RETURNED

    @property
    def may_reopen(self) -> bool:
        """Whether the person may put this released answer under review again, or take it back."""
        return not self.is_mine and review.may_reopen(self.answer, self._by)

    @property
    def reopening_reasons(self) -> list[str]:
        offered = reasons.offered(self.answer.workspace)
        return list(dict.fromkeys(offered["reopen"] + offered["take_back"]))

    @cached_property
    def reuse(self) -> Reuse | None:
        """Which approved answer this is, given again."""
        return Reuse.objects.select_related("verified_by", "approved__endpoint").filter(answer=self.answer).first()

    @cached_property
    def own_feedback(self) -> Feedback | None:
        """What the reader said of it before."""
        return feedback.own(self.answer, self._by)

    @property
    def feedback_reasons(self) -> list[tuple[str, str]]:
        return FeedbackReason.choices

    @cached_property
    def sent(self) -> GapQuestion | None:
        """Where the question stands among those without a good answer."""
        return gathering.place_of(self.answer) if self.is_mine else None

    @property
    def may_send(self) -> bool:
        """Offered where the answer did not help; what became of it is told wherever it was sent."""
        if not self.is_mine or not gathering.may_be_sent(self.answer):
            return False
        if self.answer.status not in RELEASED:
            return True
        return bool((self.own_feedback and not self.own_feedback.helped) or (self.sent and self.sent.sent_at))

    @property
    def why_suspended(self) -> list[str]:
        """Which of its documents was deleted, when and by whom, if that closed it; named where it was open to them."""
        if self.answer.status != AnswerStatus.SUSPENDED:
            return []
        standing = list(self.answer.suspensions.filter(ended_at=None).select_related("document", "suspended_by"))
        erased = [_("The text of the answer was erased.")] if any(one.erased_at for one in standing) else []
        return [suspended.in_words(suspension, to=self._by) for suspension in standing] + erased

    @property
    def model(self) -> str:
        """What wrote it, without the address it was reached at."""
        return self.answer.model_label

    @property
    def is_quoted(self) -> bool:
        """Whether the text is nothing but quotations."""
        endpoint = (self.reuse.approved if self.reuse else self.answer).endpoint
        return bool(endpoint and endpoint.kind == EndpointKind.EXTRACTIVE)

    @property
    def seconds(self) -> float | None:
        if self.answer.ended_at is None or self.answer.status not in RELEASED:
            return None
        took: timedelta = self.answer.ended_at - self.answer.created_at
        return took.total_seconds()

    @property
    def doubts(self) -> list[Doubt]:
        """Sentences that do not stand whole on what they cite."""
        return doubts(self.reading.sentences)

    @property
    def paragraphs(self) -> list[list[Part]]:
        """The released text with its marks turned into citations; a mark without one stays text."""
        return [self._parts(paragraph) for paragraph in _PARAGRAPH.split(self.reading.text) if paragraph.strip()]

    @cached_property
    def shaped(self) -> list[Shaped] | None:
        """The text line by line in the form its template asks for; None for sentences, and where it was not kept."""
        version = self.answer.template
        items = shapes.read(version.shape, version.columns, self.reading.text) if version else None
        if items is None:
            return None
        return [Shaped([self._parts(cell) for cell in item.cells], item.label, item.tone) for item in items]

    @property
    def columns(self) -> Sequence[str]:
        """The headings of its table; empty where it is none, or only quotes."""
        version, lines = self.answer.template, self.shaped
        if version is None or not lines or version.shape != Shape.TABLE or len(lines[0].cells) == 1:
            return ()
        return [told(name) for name in version.columns or shapes.DEFAULT_COLUMNS]

    @property
    def lost_its_form(self) -> bool:
        """Whether it was to have a form and has none."""
        version = self.answer.template
        return bool(version and version.shape != Shape.ANSWER and self.reading.text and self.shaped is None)

    @property
    def template_name(self) -> str:
        """What it was asked with; "" for the workspace's plain way."""
        return told(self.answer.template.name) if self.answer.template else ""

    @property
    def chips(self) -> list[Chip]:
        return [
            Chip(
                c.number,
                c.document.title,
                place_in_words(c),
                place_of(c, self.slug),
                self._panel(c),
                c.document.is_expired,
            )
            for c in self.reading.citations
        ]

    def url(self, name: str) -> str:
        return reverse(f"answers:{name}", kwargs={"slug": self.slug, "pk": self.answer.pk})

    @property
    def urls(self) -> dict[str, str]:
        names = ("answer", "card", "events", "stop", "again", "rephrase", "way_out", "provenance")
        return {name: self.url(name) for name in names}

    def _parts(self, text: str) -> list[Part]:
        known = {citation.number: citation for citation in self.reading.citations}
        parts, after = [], 0
        for match in marks.MARK.finditer(text):
            citation = known.get(int(match[1]))
            if citation is None:
                continue
            parts.append(Part(text[after : match.start()].removesuffix(" ")))
            parts.append(Part(citation=citation, url=place_of(citation, self.slug), panel_url=self._panel(citation)))
            after = match.end()
        return [*parts, Part(text[after:])]

    def _panel(self, citation: Citation) -> str:
        kwargs = {"slug": self.slug, "pk": self.answer.pk, "number": citation.number}
        return reverse("answers:citation", kwargs=kwargs)


def given_to(user: User, workspace: Workspace) -> QuerySet[Answer]:
    """Others' answers that were shared with `user` or declassified for them in `workspace`, newest first."""
    given = answers_given_to(user).filter(workspace=workspace)
    return given.select_related("question__asked_by", "workspace", "endpoint", "template").order_by("-created_at")


def asked_by(user: User, workspace: Workspace) -> QuerySet[Answer]:
    """The last answer of each question `user` asked in `workspace`, newest question first."""
    last = Answer.objects.filter(workspace=workspace, asked_by=user).order_by("question_id", "-created_at")
    shown = access.within_view(Answer.objects.filter(pk__in=last.distinct("question_id").values("pk")))
    return shown.select_related("question__conversation__template", "workspace", "endpoint", "template").order_by(
        "-created_at"
    )
