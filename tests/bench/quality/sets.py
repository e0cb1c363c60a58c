"""What is measured: one line for each set, in the order of the table that comes out.

To add one, write a module with `measure(bench, name)` and give it a line here.
"""

from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

#: The package's own modules, imported when their set is run: Django is not set up before.
_HERE = "tests.bench.quality"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: of which set, by what (a way to search, a model, a threshold), what it is, and what it is to beat.

    `floor` None: nothing was promised. `at_most`: less is better.
    """

    set: str
    way: str
    name: str
    value: float
    count: int
    floor: float | None = None
    at_most: bool = False

    @property
    def holds(self) -> bool:
        if self.floor is None:
            return True
        return self.value <= self.floor if self.at_most else self.value > self.floor

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"value": round(self.value, 4), "holds": self.holds}


@dataclass(frozen=True, slots=True)
class Set:
    """A name for --only, the module that measures it, and the folders of DATA that it reads."""

    name: str
    module: str
    folders: tuple[str, ...]

    def is_in(self, data: Path) -> bool:
        return all((data / folder).is_dir() for folder in self.folders)

    def measure(self, bench: Any) -> list[Figure]:
        figures: list[Figure] = import_module(f"{_HERE}.{self.module}").measure(bench, self.name)
        return figures


SETS = (
    Set("scifact", "judged", ("scifact",)),
    Set("cranfield", "judged", ("cranfield",)),
    Set("squad2", "judged", ("squad2",)),
    Set("filings", "filings", ("filings",)),
    Set("serbian-words", "serbian", ("progit",)),
    Set("english-to-serbian", "serbian", ("progit",)),
    Set("serbian-to-english", "serbian", ("progit",)),
    Set("refusal", "refusal", ("squad2", "cranfield")),
    Set("built-in-answers", "answers", ("squad2",)),
    Set("grounding", "grounding", ("squad2",)),
    Set("reuse", "alike", ("squad2",)),
    Set("gaps", "alike", ("squad2",)),
)
