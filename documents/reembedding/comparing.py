"""Ask the same questions in both spaces of a migration, with one person's rights, and keep what came back, in numbers.

Nobody is shown more by it than by searching themselves: a document that is closed to whoever compares is found in
neither space, and of other people's questions only counts are told.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import comb
from statistics import mean
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit import context
from audit.events import EventType
from audit.record import record
from documents.embedding.spaces import known
from documents.embedding.vector_space import EmbeddingUnavailable, Space
from documents.exceptions import LeaseLost
from documents.index import IndexUnavailable
from documents.models import ComparisonState, SpaceComparison, SpaceMigration
from documents.reembedding import questions
from documents.reembedding.leases import JobLease, take
from documents.reembedding.problems import Stopped
from documents.search import Hit, SearchResult, is_usable, search
from documents.states import MigrationState
from workspaces import access
from workspaces.exceptions import Refused
from workspaces.killpoints import killpoint
from workspaces.middleware import record_refusal
from workspaces.models import User, Workspace
from workspaces.roles import Action

logger = logging.getLogger(__name__)

#: Spaces are compared by their first ten; what was cited is looked for among twice as many.
TOP, LOOKED_AT = 10, 20
SLICE_SECONDS = 20.0
MAX_STALLS = 6
#: Fewer questions than this say little whatever they say.
FEW = 20
#: A difference that chance brings more often than this is called one.
CHANCE = 0.05


def work(comparison_id: UUID | str) -> str:
    """Ask some of the questions that are left: `more`, `done`, `waiting`, `stopped`, `settled` or `lost`."""
    lease = take(SpaceComparison, comparison_id)
    if lease is None:
        return "settled"
    rows = SpaceComparison.objects.select_related(
        "migration__workspace", "migration__source__endpoint", "migration__target__endpoint", "asked_by"
    )
    comparison = rows.get(pk=lease.row_id)
    try:
        with context.acting(comparison.asked_by):
            outcome = _Comparison(comparison, lease).go()
    except LeaseLost:
        return "lost"
    except (IndexUnavailable, EmbeddingUnavailable) as error:
        logger.warning("Comparison %s waits: %s", comparison.pk, error)
        return _later(comparison, lease, error)
    except Refused as refused:
        record_refusal(refused)
        return _fail(lease, Stopped("not_allowed"))
    except Stopped as stopped:
        return _fail(lease, stopped)
    except (Exception, KeyboardInterrupt, SystemExit):
        # Not to carry on: the next attempt need not wait for the lease.
        lease.release()
        raise
    lease.release()
    return outcome


class _Comparison:
    """One slice of a comparison."""

    def __init__(self, comparison: SpaceComparison, lease: JobLease) -> None:
        self.comparison, self.lease = comparison, lease
        self.migration = comparison.migration
        self.workspace: Workspace = self.migration.workspace
        self.person: User = comparison.asked_by
        # With the floors they had, or would have, when searched in.
        source, target = self.migration.source, self.migration.target
        self.spaces = (
            known(source, floor=self.migration.source_floor, scale=self.migration.source_scale),
            known(target, floor=self.migration.floor, scale=self.migration.scale),
        )

    def go(self) -> str:
        """Raises Refused, Stopped, LeaseLost, IndexUnavailable and EmbeddingUnavailable."""
        if self.lease.stalls > MAX_STALLS:
            raise Stopped("worker_died")
        self.person.refresh_from_db(fields=["is_active"])
        access.require(self.person, Action.MANAGE, self.workspace)
        until = time.monotonic() + SLICE_SECONDS
        left = self.comparison.questions[len(self.comparison.results) :]
        asked_here = questions.find(one["question"] for one in left if "question" in one)
        for one in left:
            self.comparison.results.append(self._ask(one, asked_here))
            self.lease.renew(results=self.comparison.results, stalls=0, problem="", problem_detail={})
            killpoint("space_question_compared")
            if time.monotonic() > until:
                return "more"
        self._end()
        return "done"

    def _ask(self, one: dict[str, Any], asked_here: dict[str, questions.Asked]) -> dict[str, Any]:
        """What both spaces found for one question, in numbers; {} for a question that is gone."""
        if "question" in one:
            asked = asked_here.get(one["question"])
            return self._both(asked.text, cited=asked.cited) if asked else {}
        return self._both(one["text"], expected=frozenset(one["documents"]))

    def _both(self, text: str, *, cited: frozenset[str] = frozenset(), expected: frozenset[str] = frozenset()) -> Any:
        found = [
            _whole(search(self.person, self.workspace, text, LOOKED_AT, space=space), space) for space in self.spaces
        ]
        tops = [[str(hit.passage.pk) for hit in result.hits[:TOP]] for result in found]
        return {
            "found": [len(top) for top in tops],
            "overlap": len(set(tops[0]) & set(tops[1])),
            "same_first": tops[0][:1] == tops[1][:1],
            "usable": [is_usable(result) for result in found],
            "cited": [_rank(result.hits, cited) for result in found] if cited else None,
            "recall": [_recall(result.hits, expected) for result in found] if expected else None,
        }

    def _end(self) -> None:
        summary = summarise(self.comparison.results)
        with self.lease.writing():
            SpaceComparison.objects.filter(pk=self.comparison.pk).update(
                state=ComparisonState.DONE, ended_at=timezone.now(), summary=summary
            )
            # A comparison is what a switch has to wait for.
            SpaceMigration.objects.filter(pk=self.migration.pk, state=MigrationState.COMPARING).update(
                state=MigrationState.READY
            )
            record(
                EventType.EMBEDDING_COMPARED,
                on=self.workspace,
                workspace=self.workspace,
                by=self.person,
                migration=self.migration.pk,
                comparison=self.comparison.pk,
                source=self.migration.source.name,
                target=self.migration.target.name,
                kind=self.comparison.kind,
                **summary,
            )


@dataclass(frozen=True, slots=True)
class _Pairs:
    """What changed for the questions where it is known what should be found: lower is better."""

    better: int
    worse: int

    @property
    def by_chance(self) -> float:
        """How often chance alone would part as many questions at least so unevenly (sign test, two-sided)."""
        parted = self.better + self.worse
        less = min(self.better, self.worse)
        return min(1.0, 2 * sum(comb(parted, count) for count in range(less + 1)) / 2**parted)


def summarise(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The figures of a comparison, over the questions that could be asked."""
    asked = [one for one in results if one]
    cited = [one["cited"] for one in asked if one["cited"]]
    recall = [one["recall"] for one in asked if one["recall"]]
    # What was not among those looked at stands behind all of them.
    ranks = [[rank or LOOKED_AT + 1 for rank in pair] for pair in cited] + [
        [-share for share in pair] for pair in recall
    ]
    pairs = _Pairs(sum(new < old for old, new in ranks), sum(new > old for old, new in ranks))
    return {
        "questions": len(asked),
        "overlap": _percent([one["overlap"] / max(1, *one["found"]) for one in asked if any(one["found"])]),
        "same_first": sum(one["same_first"] for one in asked),
        "usable": [sum(one["usable"][side] for one in asked) for side in (0, 1)],
        "known": len(ranks),
        "cited": len(cited),
        "cited_in_top": [sum(bool(pair[side]) and pair[side] <= TOP for pair in cited) for side in (0, 1)],
        "recall": [_percent([pair[side] for pair in recall]) for side in (0, 1)] if recall else None,
        "better": pairs.better,
        "worse": pairs.worse,
        "by_chance": round(pairs.by_chance * 100),
        "few": len(asked) < FEW,
    }


def _percent(shares: Sequence[float]) -> int | None:
    return round(mean(shares) * 100) if shares else None


def _whole(result: SearchResult, space: Space) -> SearchResult:
    """The result, unless an index or a server kept part of it back: such a one compares nothing."""
    for leg in result.legs:
        if leg.fault and not leg.exact:
            if space.remote is not None:
                raise EmbeddingUnavailable(result.sentence, passes=True)
            raise IndexUnavailable(result.sentence)
    return result


def _rank(hits: Sequence[Hit], cited: frozenset[str]) -> int | None:
    return next((hit.rank for hit in hits if str(hit.passage.pk) in cited), None)


def _recall(hits: Sequence[Hit], expected: frozenset[str]) -> float:
    return len({hit.document.path for hit in hits[:TOP]} & expected) / len(expected)


def _later(comparison: SpaceComparison, lease: JobLease, error: Exception) -> str:
    is_provider = isinstance(error, EmbeddingUnavailable)
    stopped = Stopped("provider", sentence=str(error)) if is_provider else Stopped("index")
    if lease.stalls >= MAX_STALLS:
        return _fail(lease, stopped)
    at = timezone.now() + timedelta(seconds=5 * 2 ** (lease.stalls - 1))
    lease.release(problem=stopped.code, problem_detail=stopped.detail, retry_at=at)
    return "waiting"


def _fail(lease: JobLease, stopped: Stopped) -> str:
    lease.release(
        state=ComparisonState.FAILED,
        ended_at=timezone.now(),
        problem=stopped.code,
        problem_detail=stopped.detail,
    )
    return "stopped"
