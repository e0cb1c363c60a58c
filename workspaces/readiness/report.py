"""The signed report of a run: what every check found, the verdict, and the trail's entry about it with its proof.

docs/receipts.md describes it; `audit/verifier.py` checks it without the portal.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import signing
from audit.chain import canonical, digest, workspace_chain
from audit.events import EventType
from audit.exceptions import AuditError
from audit.models import Event
from audit.receipts import Prover
from audit.record import record
from workspaces.auditing.evidence_pack import Period
from workspaces.exceptions import ReadinessError
from workspaces.models import ReadinessResult, ReadinessRun, ReadinessState, User, Workspace
from workspaces.readiness import reading, scoring

logger = logging.getLogger(__name__)

FORMAT = "inlock-readiness-1"


def results_in(results: Iterable[ReadinessResult]) -> str:
    """The results as their hash is taken: canonical JSON of what the report carries, in the order of the report."""
    return canonical({"results": [_result(one) for one in results]})


def issue(run: ReadinessRun) -> str:
    """Sign the report of a finished run and keep it with the row; "" where the chain cannot be signed now.

    That is itself what the checks of the trail find, and the next asking tries again.
    """
    if run.report or run.state != ReadinessState.DONE:
        return run.report
    event = Event.objects.filter(
        chain=workspace_chain(run.workspace_id), object_id=str(run.pk), type=EventType.READINESS_CHECKED
    ).first()
    if event is None:
        return ""
    try:
        prover = Prover(event.chain, upto=event.seq)
        document = signing.sign(_content(run) | prover.proof([event]))
    except AuditError as error:
        logger.error("No signed report of readiness %s: %s", run.pk, error)  # noqa: TRY400 (the sentence says it all)
        return ""
    ReadinessRun.objects.filter(pk=run.pk, report="").update(report=document)
    run.refresh_from_db(fields=["report"])
    return run.report


def take(run: ReadinessRun, *, by: User) -> str:
    """The signed report for a person who takes it away, which is recorded.

    Raises Hidden or Forbidden, and ReadinessError while there is none.
    """
    reading.require(by, run.workspace)
    document = issue(run)
    if not document:
        raise ReadinessError(_("There is no signed report yet: it is not done, or the trail cannot be signed."))
    with transaction.atomic():
        record(
            EventType.READINESS_REPORT_TAKEN,
            on=run,
            workspace=run.workspace,
            by=by,
            report_sha256=digest(document),
        )
    return document


def reports_of(workspace: Workspace, period: Period) -> Iterator[tuple[str, str]]:
    """What readiness adds to an evidence pack: the reports of the period."""
    runs = ReadinessRun.objects.filter(workspace=workspace, ended_at__gte=period.since, ended_at__lt=period.until)
    for run in runs.filter(state=ReadinessState.DONE).select_related("workspace", "asked_by").order_by("ended_at"):
        # The worker may have died between the verdict and the signing.
        if document := issue(run):
            yield f"receipts/readiness-{run.pk}.json", document


def _content(run: ReadinessRun) -> dict[str, Any]:
    by, workspace = run.asked_by, run.workspace
    results = list(run.results.all())
    return {
        "format": FORMAT,
        "readiness": str(run.pk),
        "workspace": {"id": str(workspace.pk), "slug": workspace.slug, "name": workspace.name},
        "asked": {
            "at": run.asked_at.isoformat(),
            "by": {"id": str(by.pk), "username": by.get_username()} if by else {"id": "", "username": "system"},
            "cause": run.cause,
        },
        "ended_at": run.ended_at.isoformat() if run.ended_at else "",
        "is_go": bool(run.is_go),
        "score": run.score or 0,
        "scores": run.scores,
        "outcomes": scoring.counts(results),
        "results": [_result(one) for one in results],
        "sentences": {one.code: reading.in_english(one) for one in results},
        "issued_at": timezone.now().isoformat(),
    }


def _result(one: ReadinessResult) -> dict[str, Any]:
    return {
        "code": one.code,
        "area": one.area,
        "outcome": one.outcome,
        "sentence": one.sentence,
        "facts": one.facts,
        "milliseconds": one.milliseconds,
        "made_at": one.made_at.isoformat(),
    }
