"""Examine one draft: clause by clause, each written down before the next, then the draft as a whole.

The row is the job. It may be taken up by any worker at any clause; a long draft is worked on in turns, so that it does
not keep questions waiting.
"""

import logging
from collections.abc import Sequence
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.draft_review import asking, guidance, guides, news, whole
from answers.draft_review.clauses import split
from answers.draft_review.found import Found
from answers.draft_review.holding import Watch, from_now, ours, renew, unheld
from answers.draft_review.keeping import digest_of, rows_of
from answers.draft_review.sending import Closed
from answers.draft_review.verdict import decide
from answers.exceptions import EndpointError, LeaseLost, ModelFailed, TemplateError
from answers.language import speaking
from answers.models import (
    Clause,
    Examination,
    ExaminationState,
    Finding,
    FindingCategory,
)
from answers.prompts import draft_reviewing
from answers.queue.due import due_after, hours_of
from answers.states import AnswerStatus
from answers.steps.state import Source
from audit import context
from audit.events import EventType
from audit.record import record
from documents.embeddings import EmbeddingUnavailable
from workspaces.exceptions import Refused
from workspaces.places import PLACES

logger = logging.getLogger(__name__)

#: Attempts that end without letting go of the row before it is given up.
MOST_DEATHS = 3
#: How long one turn lasts at most, but for the clause it is at.
TURN_SECONDS = 20.0
#: Clauses a model failed at, after which it is not asked about the others.
MOST_FAILURES = 3


def run(examination_id: UUID) -> bool:
    """Work on the draft for a turn, unless it is settled or another worker is at it; whether a turn is left to do.

    It waits for a place in this process as a question of a person does, and ends its turn with the clause it is at
    while somebody waits for one.
    """
    with PLACES.taken(examination_id) as is_ours:
        return is_ours and _take_up(examination_id)


def _take_up(examination_id: UUID) -> bool:
    taken = Examination.objects.filter(unheld(), pk=examination_id).update(
        state=ExaminationState.WORKING,
        attempt=F("attempt") + 1,
        # A lease that was left standing is a worker that died.
        deaths=F("deaths") + Case(When(lease_until__isnull=False, then=Value(1)), default=Value(0)),
        lease_until=from_now(),
    )
    if not taken:
        return False
    related = ("asked_by", "workspace", "endpoint", "template__template")
    examination = Examination.objects.select_related(*related).get(pk=examination_id)
    with context.acting(None), speaking(examination.language):
        try:
            return _work(examination)
        except LeaseLost:
            logger.info("Examination %s was ended or taken over; attempt %s ends.", examination_id, examination.attempt)
            return False
        except BaseException:
            # The next sweep need not wait for the lease, and this attempt is counted.
            ours(examination).update(lease_until=Now())
            raise


def _work(examination: Examination) -> bool:
    if examination.deaths >= MOST_DEATHS:
        _end(examination, ExaminationState.FAILED, _("Three attempts were broken off."))
        return False
    if examination.workspace.archived_at is not None:
        _end(examination, ExaminationState.REFUSED, _("This workspace is archived: no model is asked for it any more."))
        return False
    until = monotonic() + TURN_SECONDS
    try:
        _split(examination)
        for clause in examination.clauses.filter(done_at=None).order_by("place"):
            _examine(examination, clause)
            if monotonic() > until or PLACES.waiting:
                return bool(ours(examination).update(lease_until=None))
        _finish(examination)
    except (Refused, TemplateError) as error:
        _end(examination, ExaminationState.REFUSED, str(error))
    except EmbeddingUnavailable:
        _end(examination, ExaminationState.FAILED, _("The workspace's documents could not be searched."))
    return False


@transaction.atomic
def _split(examination: Examination) -> None:
    renew(examination)
    if examination.clauses.exists():
        return
    parts = enumerate(split(examination.text), start=1)
    Clause.objects.bulk_create(
        Clause(examination=examination, place=place, label=part.label, start=part.start, end=part.end)
        for place, part in parts
    )


def _examine(examination: Examination, clause: Clause) -> None:
    """Hold one clause against the guidance and write down what was found, unless the row was lost meanwhile."""
    words = examination.text[clause.start : clause.end]
    hits = guides.find(examination, words)
    with transaction.atomic():
        renew(examination)
        sources = guides.authorised(examination.asked_by, examination.workspace, hits)
        asks = bool(sources) and asking.has_a_model(examination) and examination.unread < MOST_FAILURES
        guides.keep(clause, sources)
    found, counted = _asked(examination, clause, sources) if asks else ([], {})
    if not asks and sources and asking.has_a_model(examination):
        counted = {"unread": 1}
    language = examination.language.partition("-")[0]
    taken = [(one.start, one.end) for one in found]
    for one in guidance.check(examination.text, clause.start, clause.end, language, sources):
        is_beside = not any(one.start < end and start < one.end for start, end in taken)
        if is_beside and (not found or one.category == FindingCategory.CONFLICT):
            found.append(one)
    _write(examination, clause, sources, found, counted)


def _asked(examination: Examination, clause: Clause, sources: Sequence[Source]) -> tuple[list[Found], dict[str, int]]:
    """What the model found; where it fails, nothing, counted, with the reason kept. Raises LeaseLost."""
    watch = Watch(examination)
    try:
        found, dropped = asking.ask(examination, clause, sources, watch.should_stop)
    except Closed:
        # It found something that its owner may not open any more: it is not read, and nothing rests on it.
        return [], {"unread": 1}
    except (ModelFailed, EndpointError) as error:
        logger.warning("Examination %s, clause %s: %s", examination.pk, clause.place, type(error).__name__)
        examination.problem = _problem(error)
        return [], {"unread": 1}
    if watch.lost:
        raise LeaseLost(examination.pk)
    return found, {"dropped": dropped}


@transaction.atomic
def _write(
    examination: Examination,
    clause: Clause,
    sources: Sequence[Source],
    found: Sequence[Found],
    counted: dict[str, int],
) -> None:
    for name, more in counted.items():
        setattr(examination, name, getattr(examination, name) + more)
    renew(
        examination,
        problem=examination.problem,
        prompt_version=draft_reviewing.VERSION if asking.has_a_model(examination) else "",
        **{name: getattr(examination, name) for name in counted},
    )
    # A document that went, or was closed to them, while the model wrote takes what rests on it along.
    held = guides.still_open(examination.asked_by, examination.workspace, sources)
    kept = [one for one in found if held or one.source is None]
    Finding.objects.bulk_create(rows_of(kept, examination, clause))
    Clause.objects.filter(pk=clause.pk).update(done_at=timezone.now())


def _finish(examination: Examination) -> None:
    found = list(whole.check(examination))
    by_model = Finding.objects.filter(examination=examination, by_model=True).exists()
    with transaction.atomic():
        renew(examination)
        # Looking took a while: a document that was closed to them meanwhile takes what rests on it along.
        left = guides.left_open(examination.asked_by, found)
        Finding.objects.bulk_create(rows_of(left, examination, None))
        verdict = decide(examination, by_model=by_model)
        state = ExaminationState.HELD if verdict.held else ExaminationState.RELEASED
        _settle(
            examination,
            state,
            release_rule=verdict.rule,
            takes_two=verdict.takes_two,
            due_at=due_after(hours_of(examination.workspace_id)) if verdict.held else None,
            findings_sha256=digest_of(examination),
            examined_at=timezone.now(),
        )


@transaction.atomic
def _end(examination: Examination, state: ExaminationState, problem: str) -> None:
    """It comes to no findings."""
    examination.problem = problem[:300]
    _settle(examination, state, problem=examination.problem)


def _settle(examination: Examination, state: ExaminationState, **changes: Any) -> None:
    """The ending, its entry and its notices, if the row is still this attempt's. Raises LeaseLost."""
    if not ours(examination).update(state=state, lease_until=None, **changes):
        raise LeaseLost(examination.pk)
    for name, value in (changes | {"state": state}).items():
        setattr(examination, name, value)
    record(
        EventType.EXAMINATION_ENDED,
        on=examination,
        workspace=examination.workspace_id,
        by=examination.asked_by,
        outcome=state.value,
        findings=examination.findings.count(),
        dropped=examination.dropped,
        unread=examination.unread,
        findings_sha256=examination.findings_sha256,
        text_sha256=examination.text_sha256,
        rule=examination.release_rule,
    )
    news.ended(examination)


def _problem(error: ModelFailed | EndpointError) -> str:
    if isinstance(error, EndpointError):
        return str(error)[:300]
    return ": ".join(part for part in (str(AnswerStatus(error.status).label), error.detail) if part)[:300]
