"""Whether a change passed: its own run of the gate's questions, as they are now, against the thresholds.

A run counts only while nothing differs from it: the same questions, the same setup, every case asked and none ended
in a fault. What differs by now has to be run again.
"""

from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from answers.evaluation import setup
from answers.evaluation.figures import Difference, differences
from answers.evaluation.querysets import cases_in
from answers.evaluation.sets import sha256_of
from answers.evaluation.thresholds import Threshold, from_data
from answers.exceptions import EndpointError, EvaluationError
from answers.models import EvaluationRun, GateCandidate, RunState, WorkspaceGate
from workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Check:
    """One threshold held against the runs: what was asked, what came out, and whether that is enough."""

    threshold: Threshold
    #: "limit" or "worse".
    asks: str
    wanted: float
    #: None where the runs measured nothing of it.
    got: float | None
    holds: bool


@dataclass(slots=True)
class Verdict:
    """What is known of a candidate: the runs that count, each check, and what is missing as sentences."""

    candidate: GateCandidate
    run: EvaluationRun | None = None
    baseline: EvaluationRun | None = None
    checks: list[Check] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    #: The hash over what would go live now; "" where it is gone.
    setup_sha256: str = ""

    @property
    def passed(self) -> bool:
        return not self.missing

    @property
    def overridden(self) -> bool:
        """Whether two people agreed to exactly what would go live now."""
        candidate = self.candidate
        return bool(
            candidate.override_agreed_by_id and self.setup_sha256 and candidate.override_sha256 == self.setup_sha256
        )


def of(candidate: GateCandidate, gate: WorkspaceGate) -> Verdict:
    """The verdict on `candidate` at this moment."""
    found = Verdict(candidate)
    workspace = Workspace.objects.select_related(
        "models__default_endpoint", "templates_choice__standard__current__endpoint", "checks__judge"
    ).get(pk=candidate.workspace_id)
    try:
        found.setup_sha256 = _sha256(workspace, candidate)
        now = _sha256(workspace, candidate, replaced=True)
    except (EvaluationError, EndpointError) as error:
        found.missing.append(str(error))
        return found
    cases_sha256 = sha256_of(cases_in(gate.question_set, gate.set_version))
    runs = EvaluationRun.objects.filter(
        workspace=workspace, question_set=gate.question_set, cases_sha256=cases_sha256, state=RunState.DONE
    ).order_by("-started_at")
    found.run = runs.filter(setup_sha256=found.setup_sha256).first()
    found.baseline = runs.filter(setup_sha256=now).first()
    if found.run is None:
        found.missing.append(_("It has not been run on the questions as they are now."))
        return found
    _require_whole(found, found.run)
    thresholds = from_data(gate.thresholds)
    if any(one.worse_by is not None for one in thresholds):
        if found.baseline is None:
            found.missing.append(_("What is live has not been run on the same questions, so nothing can be compared."))
        else:
            _require_whole(found, found.baseline)
    _hold(found, thresholds)
    return found


def _sha256(workspace: Workspace, candidate: GateCandidate, *, replaced: bool = False) -> str:
    chosen = setup.with_candidate(workspace, candidate, replaced=replaced)
    return setup.sha256_of(setup.describe(chosen))


def _require_whole(found: Verdict, run: EvaluationRun) -> None:
    """A figure over the questions that happened to work says nothing about the others."""
    counts = run.figures["counts"]
    if counts["closed"]:
        found.missing.append(
            ngettext(
                "%(number)d question was not asked: a document of it is closed to who started the run.",
                "%(number)d questions were not asked: documents of them are closed to who started the run.",
                counts["closed"],
            )
            % {"number": counts["closed"]}
        )
    if counts["faults"]:
        found.missing.append(
            ngettext(
                "%(number)d question ended in a fault.", "%(number)d questions ended in a fault.", counts["faults"]
            )
            % {"number": counts["faults"]}
        )


def _hold(found: Verdict, thresholds: list[Threshold]) -> None:
    run, baseline = found.run, found.baseline
    if run is None:
        return
    parted: dict[str, Difference] = {}
    if baseline is not None:
        parted = {one.metric: one for one in differences(list(baseline.results.all()), list(run.results.all()))}
    for threshold in thresholds:
        if threshold.limit is not None:
            found.checks.append(_against_limit(threshold, threshold.limit, run))
        if threshold.worse_by is not None and baseline is not None:
            found.checks.append(_against_live(threshold, threshold.worse_by, parted.get(threshold.metric)))
    for check in found.checks:
        if not check.holds:
            found.missing.append(_sentence(check))


def _against_limit(threshold: Threshold, limit: float, run: EvaluationRun) -> Check:
    figure = run.figures.get(threshold.metric)
    end = ("low" if threshold.is_share else "high") if threshold.by_bound else "value"
    got = figure[end] if figure else None
    holds = got is not None and (got >= limit if threshold.is_share else got <= limit)
    return Check(threshold, "limit", limit, got, holds)


def _against_live(threshold: Threshold, worse_by: float, parted: Difference | None) -> Check:
    got = (parted.interval.low if threshold.by_bound else parted.interval.value) if parted else None
    return Check(threshold, "worse", -worse_by, got, got is not None and got >= -worse_by)


def _sentence(check: Check) -> str:
    told = {"metric": check.threshold.metric.label, "wanted": _number(check, check.wanted)}
    if check.got is None:
        return _("“%(metric)s” was not measured: no question asks for it.") % told
    told["got"] = _number(check, check.got)
    if check.asks == "worse":
        return _("“%(metric)s” differs by %(got)s from what is live; at least %(wanted)s is asked.") % told
    if check.threshold.is_share:
        return _("“%(metric)s” is %(got)s; at least %(wanted)s is asked.") % told
    return _("“%(metric)s” is %(got)s; at most %(wanted)s is asked.") % told


def _number(check: Check, value: float) -> str:
    told = f"{value * 100:.1f}\xa0%" if check.threshold.is_share else f"{value:.3g}"
    return told.replace("-", "−")
