"""What a check or a model found, before it is stored. Pure."""

from dataclasses import dataclass

from answers.models import FindingCategory, Severity
from answers.steps.state import Source

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """`start` and `end` are in the draft; `cited` is a range of `source.text`; `other` another place of the draft."""

    severity: Severity
    category: FindingCategory
    start: int
    end: int
    explanation: str
    suggestion: str = ""
    source: Source | None = None
    cited: Span | None = None
    other: Span | None = None
    by_model: bool = False

    def __post_init__(self) -> None:
        if (self.source is None) != (self.cited is None):
            raise ValueError("A passage is cited with its words, or not at all.")
