"""Try a version beside the one in force: work on it in the background, and read what it came to.

Each question is a trial (`answers.evaluation.trial`): nothing of it is an answer, so nothing of it can be released.
The row is the job: ten questions are worked on in turns, so that people who ask do not wait for all of them.
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from answers import endpoints
from answers.evaluation import trial as trying
from answers.exceptions import EndpointError, LeaseLost
from answers.models import (
    OPEN_PREVIEWS,
    PreviewResult,
    PreviewState,
    Purpose,
    TemplatePreview,
    TemplateVersion,
)
from audit import context
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents.models import Document
from workspaces import access
from workspaces.exceptions import Refused
from workspaces.models import User
from workspaces.places import PLACES
from workspaces.roles import Action

logger = logging.getLogger(__name__)

#: Attempts in a row that were broken off and brought no result.
MOST_DEATHS = 3


def unheld() -> Q:
    """Open previews that no living worker holds."""
    return Q(state__in=OPEN_PREVIEWS) & (Q(lease_until=None) | Q(lease_until__lt=Now()))


def run(preview_id: UUID) -> bool:
    """Work on the preview for a turn, unless it is over or another worker is at it; whether a turn is left to do.

    It waits for a place in this process as a question of a person does, and ends its turn with the result it is at
    while somebody waits for one.
    """
    with PLACES.taken(preview_id) as is_ours:
        return is_ours and _take_up(preview_id)


def _take_up(preview_id: UUID) -> bool:
    taken = TemplatePreview.objects.filter(unheld(), pk=preview_id).update(
        state=PreviewState.WORKING,
        attempt=F("attempt") + 1,
        # A lease that was left standing is an attempt that was broken off.
        deaths=F("deaths") + Case(When(lease_until__isnull=False, then=Value(1)), default=Value(0)),
        lease_until=Now() + timedelta(seconds=settings.LEASE_SECONDS),
    )
    if not taken:
        return False
    related = ("asked_by", "workspace__models__default_endpoint", "workspace__checks__judge")
    versions = ("candidate__template", "candidate__endpoint", "beside__template", "beside__endpoint")
    preview = TemplatePreview.objects.select_related(*related, *versions).get(pk=preview_id)
    with context.acting(None):
        try:
            return _work(preview)
        except LeaseLost:
            logger.info("Preview %s was taken over; attempt %s ends.", preview.pk, preview.attempt)
            return False
        except BaseException:
            # Whatever ended this attempt, the next sweep need not wait for the lease.
            _held(preview).update(lease_until=Now())
            raise


def _work(preview: TemplatePreview) -> bool:
    if preview.deaths >= MOST_DEATHS:
        return _end(preview, PreviewState.FAILED, _("Three attempts were broken off."))
    done = set(preview.results.values_list("position", "is_candidate"))
    try:
        access.require(preview.asked_by, Action.MANAGE, preview.workspace)
        for position, question in enumerate(preview.questions):
            for is_candidate, version in ((False, preview.beside), (True, preview.candidate)):
                if (position, is_candidate) in done:
                    continue
                _try(preview, position, question, version, is_candidate=is_candidate)
                if PLACES.waiting:
                    return bool(_held(preview).update(lease_until=None))
    except (Refused, EndpointError) as error:
        return _end(preview, PreviewState.FAILED, str(error))
    return _end(preview, PreviewState.DONE)


def _try(
    preview: TemplatePreview, position: int, question: str, version: TemplateVersion | None, *, is_candidate: bool
) -> None:
    """One question with one version, and what came of it. Raises LeaseLost, EndpointError, Refused."""
    trial = trying.Trial(run=preview, held=lambda: _held(preview), purpose=Purpose.PREVIEW.value)
    endpoint = version.endpoint if version and version.endpoint else endpoints.default_for(preview.workspace)
    state = trying.begin(
        question,
        workspace=preview.workspace,
        by=preview.asked_by,
        trial=trial,
        endpoint=endpoint,
        template=version,
        attempt=preview.attempt,
    )
    tried = trying.attempt(state)
    summary = state.grounding
    with transaction.atomic():
        lease_until = Now() + timedelta(seconds=settings.LEASE_SECONDS)
        if not _held(preview).update(lease_until=lease_until, deaths=0):
            raise LeaseLost(preview.pk)
        PreviewResult.objects.create(
            preview=preview,
            position=position,
            is_candidate=is_candidate,
            ending=tried.ending,
            text=state.text,
            text_sha256=digest(state.text) if state.text else "",
            quotes=[
                {
                    "number": quote.number,
                    "title": quote.source.title,
                    "place": _("page %(number)s") % {"number": quote.source.page}
                    if quote.source.page and quote.source.locator.isdigit()
                    else quote.source.locator,
                    "quote": quote.text,
                }
                for quote in state.quotes
            ],
            documents=sorted({str(source.document_id) for source in state.sources}),
            figures={
                "seconds": round(tried.seconds, 3),
                "sentences": summary.sentences,
                "unsupported": summary.unsupported,
                "lowest": summary.lowest,
                "problem": tried.problem if tried.ending != "answered" else "",
            },
        )


@transaction.atomic
def _end(preview: TemplatePreview, state: PreviewState, problem: str = "") -> bool:
    """The ending and its entry, if the preview is still this attempt's; no turn is left. Raises LeaseLost."""
    ended = {"state": state, "problem": problem[:300], "ended_at": timezone.now(), "lease_until": None}
    if not _held(preview).update(**ended):
        raise LeaseLost(preview.pk)
    record(
        EventType.TEMPLATE_TRIAL_ENDED,
        on=preview,
        workspace=preview.workspace_id,
        by=preview.asked_by,
        template=preview.candidate.template.code,
        number=preview.candidate.number,
        outcome=state.value,
    )
    return False


def _held(preview: TemplatePreview) -> QuerySet[TemplatePreview]:
    return TemplatePreview.objects.filter(pk=preview.pk, attempt=preview.attempt, state=PreviewState.WORKING)


@transaction.atomic
def results_of(preview: TemplatePreview, *, by: User) -> list[PreviewResult]:
    """What came of it, with the entry that it was read; of a text on a closed document nothing but the ending.

    While it is under way no text is handed out: each look would be another entry. Raises Hidden or Forbidden.
    """
    access.require(by, Action.MANAGE, preview)
    results = list(preview.results.all())
    named = {id for result in results for id in result.documents}
    still_open = {str(pk) for pk in access.visible(by, Document).filter(pk__in=named).values_list("pk", flat=True)}
    for result in results:
        result.is_closed = bool(result.text) and not set(result.documents) <= still_open  # type: ignore[attr-defined]
        if result.is_closed or preview.is_open:  # type: ignore[attr-defined]
            result.text, result.quotes = "", []
    if any(result.text for result in results):
        record(
            EventType.TEMPLATE_TRIAL_READ,
            on=preview,
            workspace=preview.workspace_id,
            by=by,
            template=preview.candidate.template.code,
            texts_sha256=[result.text_sha256 for result in results if result.text],
        )
    return results
