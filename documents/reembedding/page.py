"""A change of the embedding model as its page and the command tell it to one person."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from documents.models import ComparisonKind, ComparisonState, SpaceComparison, SpaceMigration
from documents.reembedding import questions
from documents.reembedding.comparing import CHANCE, LOOKED_AT, TOP
from documents.reembedding.problems import sentence
from documents.reembedding.spaces import kept_beside, unused
from documents.states import COMPARABLE, MigrationState, migration_may_become
from workspaces.models import User

_TONES = {
    MigrationState.BUILDING: "run",
    MigrationState.DROPPING: "run",
    MigrationState.PAUSED: "wait",
    MigrationState.COMPARING: "wait",
    MigrationState.READY: "ok",
    MigrationState.SWITCHED: "ok",
    MigrationState.DONE: "ok",
    MigrationState.FAILED: "fail",
}
#: What a person may do, by the state it leads to.
ACTS = {
    "start": MigrationState.BUILDING,
    "pause": MigrationState.PAUSED,
    "cancel": MigrationState.CANCELLED,
    "switch": MigrationState.SWITCHED,
    "roll_back": MigrationState.ROLLED_BACK,
    "drop": MigrationState.DROPPING,
}


@dataclass(frozen=True)
class Way:
    """One change, with what may be done about it now."""

    migration: SpaceMigration

    @property
    def tone(self) -> str:
        return _TONES.get(MigrationState(self.migration.state), "none")

    @property
    def working(self) -> bool:
        return self.migration.state in (MigrationState.BUILDING, MigrationState.DROPPING)

    @property
    def sentence(self) -> str:
        return sentence(self.migration.problem, self.migration.problem_detail)

    @property
    def comparable(self) -> bool:
        return self.migration.state in COMPARABLE

    @cached_property
    def questions_go_to(self) -> str:
        """The server that a comparison sends other people's questions to, although nobody is searched there; or ""."""
        beside = kept_beside(self.migration)
        return beside.name if beside.remote else ""

    @cached_property
    def acts(self) -> frozenset[str]:
        return frozenset(act for act, to in ACTS.items() if migration_may_become(self.migration.state, to))

    @property
    def unused(self) -> str:
        """The name of the space whose vectors would go."""
        return unused(self.migration).name

    @property
    def time(self) -> str:
        return duration(self.migration.estimate["seconds"])

    def as_document(self) -> dict[str, Any]:
        """For programs; the names are stable."""
        migration = self.migration
        return {
            "id": migration.pk,
            "workspace": migration.workspace.slug,
            "from": migration.source.name,
            "to": migration.target.name,
            "state": migration.state,
            "passages": migration.total,
            "done": migration.done,
            "computed": migration.computed,
            "tokens": migration.tokens,
            "estimate": migration.estimate,
            "problem": migration.problem,
            "sentence": self.sentence,
            "retry_at": migration.retry_at,
            "acts": sorted(self.acts),
        }


@dataclass(frozen=True)
class Row:
    """One question of a comparison; `text` is empty where it is not this person's to read."""

    text: str
    overlap: int
    same_first: bool
    before: str
    after: str
    change: int


@dataclass(frozen=True)
class Compared:
    """A comparison as one person may see it."""

    comparison: SpaceComparison
    person: User

    @property
    def tone(self) -> str:
        return {ComparisonState.RUNNING: "run", ComparisonState.DONE: "ok"}.get(
            ComparisonState(self.comparison.state), "fail"
        )

    @property
    def working(self) -> bool:
        return self.comparison.state == ComparisonState.RUNNING

    @property
    def sentence(self) -> str:
        return sentence(self.comparison.problem, self.comparison.problem_detail)

    @property
    def done(self) -> int:
        return len(self.comparison.results)

    @property
    def total(self) -> int:
        return len(self.comparison.questions)

    @property
    def confidence(self) -> str:
        """How much the figures say."""
        summary = self.comparison.summary
        notes = []
        if summary["few"]:
            notes.append(
                ngettext(
                    "It is only %(number)d question: a single one weighs much.",
                    "These are only %(number)d questions: a single one weighs much.",
                    summary["questions"],
                )
                % {"number": summary["questions"]}
            )
        if not summary["known"]:
            notes.append(_("Of none of them is it known what should be found, so only the overlap can be told."))
        elif summary["better"] or summary["worse"]:
            chance = summary["by_chance"]
            notes.append(
                _("Chance alone would part them as unevenly in %(percent)d of 100 cases: this is a difference.")
                % {"percent": chance}
                if chance <= CHANCE * 100
                else _("Chance alone would part them as unevenly in %(percent)d of 100 cases: this may be none.")
                % {"percent": chance}
            )
        return " ".join(notes)

    @cached_property
    def rows(self) -> list[Row]:
        pairs = list(zip(self.comparison.questions, self.comparison.results, strict=False))
        if self.comparison.kind == ComparisonKind.RECENT:
            readable = questions.texts(self.person, (one["question"] for one, _result in pairs))
            words = [readable.get(one["question"], "") for one, _result in pairs]
        else:
            # What somebody wrote to compare with is theirs.
            own = self.comparison.asked_by_id == self.person.pk
            words = [one["text"] if own else "" for one, _result in pairs]
        return [_row(text, result) for text, (_one, result) in zip(words, pairs, strict=True) if result]

    @property
    def untold(self) -> int:
        """Questions whose words this person may not read."""
        return sum(not row.text for row in self.rows)

    def as_document(self) -> dict[str, Any]:
        """For programs; the names are stable, and there are no words of questions."""
        return {
            "id": self.comparison.pk,
            "kind": self.comparison.kind,
            "state": self.comparison.state,
            "asked_at": self.comparison.asked_at,
            "summary": self.comparison.summary,
            "sentence": self.sentence,
        }


def _row(text: str, result: dict[str, Any]) -> Row:
    if result["cited"]:
        old, new = (rank or LOOKED_AT + 1 for rank in result["cited"])
        before, after = (str(rank) if rank else f">{LOOKED_AT}" for rank in result["cited"])
        change = old - new
    elif result["recall"]:
        before, after = (f"{share * 100:.0f} %" for share in result["recall"])
        change = (result["recall"][1] > result["recall"][0]) - (result["recall"][1] < result["recall"][0])
    else:
        before, after, change = "", "", 0
    most = max(1, *result["found"])
    return Row(text, round(result["overlap"] / min(TOP, most) * 100), result["same_first"], before, after, change)


def duration(seconds: float) -> str:
    """About how long, as a person says it."""
    if seconds < 60:
        return _("less than a minute")
    if seconds < 5400:
        minutes = round(seconds / 60)
        return ngettext("about %(number)d minute", "about %(number)d minutes", minutes) % {"number": minutes}
    hours = round(seconds / 3600)
    return ngettext("about %(number)d hour", "about %(number)d hours", hours) % {"number": hours}
