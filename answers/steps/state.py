"""What the steps hand to each other, and what each reports about itself."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Model

from answers.models import Answer, Grounding, ModelEndpoint, TemplateVersion, WorkspaceChecks
from answers.prompts import Prompt
from workspaces.models import User, Workspace

if TYPE_CHECKING:
    from answers.evaluation.trial import Trial
    from answers.policy.verdicts import Verdict
    from answers.reuse.giving import Given


@dataclass(frozen=True, slots=True)
class Source:
    """A passage the asker may open, authorised in the database just before it goes into the prompt."""

    number: int
    passage_id: UUID
    document_id: UUID
    version_id: UUID
    title: str
    #: Exactly `version.text[start:end]`, read from the stored version.
    text: str
    start: int
    end: int
    page: int | None
    locator: str
    language: str
    sha256: str
    scores: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Quote:
    """A citation before it is stored: `source.text[start:end]` is the quote."""

    number: int
    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]


@dataclass(slots=True)
class Sentence:
    """A sentence of the answer, where it stands in the text (its marks included), and what it cites."""

    text: str
    start: int
    end: int
    citations: list[int] = field(default_factory=list)
    #: Share of the sentence's content words that its quotes contain; None where that cannot be measured.
    grounding: float | None = None
    #: One of `models.Grounding`; "" in answers from before there were verdicts.
    verdict: str = ""
    #: `{"code": …, "what": …}` each, for `grounding.in_words`: what the verdict rests on, the weightiest first.
    reasons: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Summary:
    """How many sentences of an answer end as what, for lists, release rules and the provenance.

    `lowest` is the least grounding, 0 to 1; None where none could be measured.
    """

    sentences: int = 0
    partly: int = 0
    unsupported: int = 0
    lowest: float | None = None

    @property
    def share_unsupported(self) -> float:
        """0 to 1; 0 of no sentences."""
        return self.unsupported / self.sentences if self.sentences else 0.0

    @property
    def verdict(self) -> str:
        """What the weakest sentence is; "" of no sentences."""
        if not self.sentences:
            return ""
        if self.unsupported:
            return Grounding.UNSUPPORTED.value
        return Grounding.PARTLY.value if self.partly else Grounding.SUPPORTED.value


@dataclass(slots=True)
class State:
    """One question on its way through the steps; every step fills in its own part."""

    answer: Answer
    #: What this is tried for; then the answer is no row, and nothing of it is kept as one. None for a real answer.
    trial: "Trial | None" = None
    # scope
    #: The version it is made with; None: the built-in knowledge template.
    template: TemplateVersion | None = None
    policy: str = ""
    endpoint: ModelEndpoint | None = None
    # understand
    #: A follow-up as a question of its own; "" where the question stands alone.
    asked_as: str = ""
    # reuse
    #: The approved answer that is given again, with what it rests on.
    reused: "Given | None" = None
    # retrieve
    #: How strict the workspace is and who judges, read once; None until it was read.
    checks: WorkspaceChecks | None = None
    #: Whether part of the index was not available, so that passages may be missing.
    limited: bool = False
    sources: list[Source] = field(default_factory=list)
    #: source number → id of its stored Evidence row
    evidence_ids: dict[int, UUID] = field(default_factory=dict)
    # compose
    prompt: Prompt | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    #: All that the model sent, and the part of it that is meant for the asker.
    raw: str = ""
    written: str = ""
    # cite, ground
    text: str = ""
    sentences: list[Sentence] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    grounding: Summary = Summary()
    # route
    #: What the release policy decided, and on what.
    release: "Verdict | None" = None
    dropped: int = 0

    @property
    def asker(self) -> User:
        return self.answer.asked_by

    @property
    def workspace(self) -> Workspace:
        return self.answer.workspace

    @property
    def subject(self) -> Model:
        """What an entry of the trail is about: the answer, or what it is tried for."""
        return self.answer if self.trial is None else self.trial.run

    @property
    def question(self) -> str:
        """What is searched for and answered."""
        return self.asked_as or self.answer.question.text

    @property
    def language(self) -> str:
        return self.answer.question.language


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step did, for the provenance; `ending` is set when the answer ends with this step."""

    code: str = "done"
    detail: dict[str, Any] = field(default_factory=dict)
    ending: str = ""
