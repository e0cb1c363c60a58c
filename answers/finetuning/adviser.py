"""Which approach fits a use case: retrieval, fine-tuning or both. A pure function of nine answers and stated weights.

Each answer pulls towards retrieval, towards fine-tuning, or towards neither. What only retrieval can give, or what
fine-tuning cannot do without, rules out the rest whatever else pulls.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from answers.models import Verdict

#: Which table this is: an assessment names it, so that an old one can be read as it was made.
WEIGHTS = "adviser-1"
#: Both approaches pull at least so hard for a hybrid, which has the cost of both.
_BOTH = 6


@dataclass(frozen=True, slots=True)
class Option:
    """One answer: how hard it pulls to retrieval and to fine-tuning, from 0 to 4, and what it rules out by itself."""

    code: str
    label: Any
    retrieval: int
    tuning: int
    #: A model that is trained may not answer without retrieval.
    needs_retrieval: bool = False
    #: A model cannot be trained.
    forbids_tuning: bool = False


@dataclass(frozen=True, slots=True)
class Criterion:
    code: str
    question: Any
    options: tuple[Option, ...]

    def option(self, code: str) -> Option:
        """Raises KeyError for a code that is none."""
        return {option.code: option for option in self.options}[code]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What one answer contributed."""

    criterion: Criterion
    option: Option


@dataclass(frozen=True, slots=True)
class Turn:
    """A single other answer that would change the verdict, and to what."""

    criterion: Criterion
    option: Option
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Advice:
    """The verdict, what each answer weighed, the sums, and every single change that would turn it."""

    verdict: Verdict
    retrieval: int
    tuning: int
    weighed: tuple[Weighed, ...]
    turns: tuple[Turn, ...]

    @property
    def decisive(self) -> tuple[Weighed, ...]:
        """Answers that rule something out by themselves."""
        return tuple(one for one in self.weighed if one.option.needs_retrieval or one.option.forbids_tuning)


CRITERIA: tuple[Criterion, ...] = (
    Criterion(
        "task",
        _("How stable and how well defined is the task?"),
        (
            Option("open", _("Open questions about whatever the documents say"), 3, 0),
            Option("mixed", _("A known kind of question, answered in many ways"), 1, 2),
            Option("fixed", _("Always the same task in the same form, such as sorting or a fixed tone"), 0, 4),
        ),
    ),
    Criterion(
        "audit",
        _("Does every answer have to name its sources?"),
        (
            Option("always", _("Yes, each claim with the place it stands on"), 4, 0, needs_retrieval=True),
            Option("sometimes", _("Some answers are checked afterwards"), 2, 0),
            Option("never", _("No, the result speaks for itself"), 0, 2),
        ),
    ),
    Criterion(
        "sensitivity",
        _("How regulated and sensitive is what the model would learn?"),
        (
            # A model cannot forget one document, nor close it to some of those who ask.
            Option("high", _("Open to some people only, or has to be erased on demand"), 4, 0, forbids_tuning=True),
            Option("some", _("Internal, with rules on who may use it"), 2, 0),
            Option("low", _("Everybody who may use the model may read all of it"), 0, 2),
        ),
    ),
    Criterion(
        "change",
        _("How often does the knowledge change?"),
        (
            Option("daily", _("Every day or week"), 4, 0, needs_retrieval=True),
            Option("monthly", _("Every month or quarter"), 2, 1),
            Option("rarely", _("Rarely: once a year or less"), 0, 3),
        ),
    ),
    Criterion(
        "examples",
        _("How many approved examples are at hand?"),
        (
            Option("none", _("Fewer than 50"), 2, 0, forbids_tuning=True),
            Option("some", _("50 to 500"), 0, 1),
            Option("many", _("More than 500"), 0, 4),
        ),
    ),
    Criterion(
        "latency",
        _("How quickly does an answer have to come?"),
        (
            Option("relaxed", _("Some seconds are fine"), 1, 0),
            Option("quick", _("Within a second or two"), 0, 1),
            Option("instant", _("At once, as people type"), 0, 3),
        ),
    ),
    Criterion(
        "transparency",
        _("Do people have to understand why an answer is as it is?"),
        (
            Option("fully", _("Yes, with the passages and the reasons"), 3, 0, needs_retrieval=True),
            Option("partly", _("It helps, but is not asked for"), 1, 0),
            Option("no", _("No"), 0, 1),
        ),
    ),
    Criterion(
        "form",
        _("How particular are tone, terms and form?"),
        (
            Option("plain", _("Any clear answer is fine"), 1, 0),
            Option("house", _("House style that instructions can describe"), 1, 1),
            Option("special", _("A form that instructions alone do not bring about"), 0, 4),
        ),
    ),
    Criterion(
        "budget",
        _("What can be spent on preparing and keeping it?"),
        (
            Option("small", _("Little: it should work with what is there"), 3, 0),
            Option("medium", _("Some days of work now, and a check each quarter"), 1, 1),
            Option("large", _("Training, evaluation and training again are planned for"), 0, 2),
        ),
    ),
)


def assess(choices: Mapping[str, str]) -> Advice:
    """The advice for one option of every criterion. Raises KeyError for a missing or unknown one."""
    weighed = _weighed(choices)
    verdict = _verdict(weighed)
    turns = []
    for criterion in CRITERIA:
        for option in criterion.options:
            other = _verdict(_weighed({**choices, criterion.code: option.code}))
            if option.code != choices[criterion.code] and other != verdict:
                turns.append(Turn(criterion, option, other))
    return Advice(verdict, *_sums(weighed), weighed, tuple(turns))


def _weighed(choices: Mapping[str, str]) -> tuple[Weighed, ...]:
    return tuple(Weighed(criterion, criterion.option(choices[criterion.code])) for criterion in CRITERIA)


def _sums(weighed: tuple[Weighed, ...]) -> tuple[int, int]:
    return sum(one.option.retrieval for one in weighed), sum(one.option.tuning for one in weighed)


def _verdict(weighed: tuple[Weighed, ...]) -> Verdict:
    retrieval, tuning = _sums(weighed)
    if any(one.option.forbids_tuning for one in weighed):
        return Verdict.RETRIEVAL
    if any(one.option.needs_retrieval for one in weighed):
        return Verdict.HYBRID if tuning >= _BOTH else Verdict.RETRIEVAL
    if retrieval >= _BOTH and tuning >= _BOTH:
        return Verdict.HYBRID
    return Verdict.FINE_TUNING if tuning > retrieval else Verdict.RETRIEVAL
