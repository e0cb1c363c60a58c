"""What the cockpit is made of: totals, and figures whose bars are the rows of their tables."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a figure: `told` is its number for a person, `percent` its length beside the longest."""

    #: Of a figure over time, its first day.
    label: str | date
    number: Any
    told: str
    percent: int

    @property
    def name(self) -> str:
        """What it stands for, as its reader writes it."""
        return date_format(self.label, "SHORT_DATE_FORMAT") if isinstance(self.label, date) else self.label


@dataclass(frozen=True, slots=True)
class Column:
    """A bar of a figure over time, in units of its drawing, which is 100 high."""

    x: int
    y: int
    height: int
    label: str
    told: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart and the table behind it; `note` says what it counts where its title does not."""

    code: str
    title: str
    bars: list[Bar]
    note: str = ""
    #: Its bars follow one another in time.
    is_over_time: bool = False

    @property
    def columns(self) -> list[Column]:
        """The bars side by side, each 8 wide with 2 between them."""
        return [
            Column(10 * place, 100 - bar.percent, bar.percent, bar.name, bar.told)
            for place, bar in enumerate(self.bars)
        ]

    @property
    def most(self) -> str:
        """What the longest bar stands for."""
        return next((bar.told for bar in self.bars if bar.percent == 100), "")

    @property
    def width(self) -> int:
        """Of the drawing of the columns."""
        return 10 * len(self.bars) - 2


@dataclass(frozen=True, slots=True)
class Total:
    """A number at the top of the page. `number` is None where there is nothing to tell of."""

    code: str
    label: str
    number: Any
    told: str


@dataclass(frozen=True, slots=True)
class Cockpit:
    """Everything the page says about `days` days until now."""

    days: int
    since: datetime
    totals: list[Total]
    figures: list[Figure]
