"""Assessments of use cases: made, made anew as the next version of their series, and taken away as a file."""

import json
from collections.abc import Iterator, Mapping

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from answers.exceptions import TrainingError
from answers.finetuning import adviser
from answers.finetuning.adviser import Advice
from answers.finetuning.sealing import Taken
from answers.models import Assessment
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

MAX_NAME, MAX_NOTE = 120, 2000
FORMAT = "inlock-assessment-1"
#: What an assessment can be taken away as → its content type.
FORMATS = {"json": "application/json", "md": "text/markdown; charset=utf-8"}


@transaction.atomic
def make(
    workspace: Workspace,
    *,
    name: str,
    note: str,
    choices: Mapping[str, str],
    follows: Assessment | None = None,
    by: User,
) -> Assessment:
    """Assess a use case, anew where it `follows` an earlier look at the same one.

    Raises Hidden or Forbidden as access does, and TrainingError for a missing name or answer.
    """
    access.require(by, Action.MANAGE, workspace)
    if follows is not None:
        access.require(by, Action.MANAGE, follows)
        if follows.workspace_id != workspace.pk:
            raise ValueError("An assessment is followed in its own workspace.")
    name, note = " ".join(name.replace("\0", "").split()), note.replace("\0", "").strip()
    if not name or len(name) > MAX_NAME or len(note) > MAX_NOTE:
        raise TrainingError(_("Give it a name of at most %(limit)d characters.") % {"limit": MAX_NAME})
    # What else was sent is no answer to any question, so it is not kept either.
    given = {one.code: choices.get(one.code, "") for one in adviser.CRITERIA}
    try:
        advice = adviser.assess(given)
    except KeyError as error:
        raise TrainingError(_("Answer every question.")) from error
    made = Assessment(
        workspace=workspace,
        name=name,
        note=note,
        choices=given,
        weights=adviser.WEIGHTS,
        verdict=advice.verdict,
        made_by=by,
    )
    if follows is not None:
        made.series, made.version = follows.series, _next_version(follows)
    made.save(force_insert=True)
    record(
        EventType.ASSESSMENT_MADE,
        on=made,
        workspace=workspace,
        by=by,
        series=made.series,
        version=made.version,
        weights=made.weights,
        choices=given,
        verdict=str(made.verdict),
    )
    return made


@transaction.atomic
def take(assessment: Assessment, format: str, *, by: User) -> Taken:
    """The assessment as a file, one of `FORMATS`; that it was taken is in the trail. Raises TrainingError."""
    access.require(by, Action.MANAGE, assessment)
    if format not in FORMATS:
        raise TrainingError(_("There is no such file of an assessment."))
    text = _as_json(assessment) if format == "json" else _as_markdown(assessment)
    record(
        EventType.ASSESSMENT_EXPORTED,
        on=assessment,
        workspace=assessment.workspace_id,
        by=by,
        format=format,
        version=assessment.version,
        sha256=digest(text),
    )
    name = f"assessment-{assessment.series.hex[:8]}-{assessment.version}.{format}"
    return Taken(name, text.encode(), FORMATS[format])


def advice_of(assessment: Assessment) -> Advice | None:
    """What each answer weighed; None where it was made with weights that this installation has no more."""
    return adviser.assess(assessment.choices) if assessment.weights == adviser.WEIGHTS else None


def versions_of(assessment: Assessment) -> QuerySet[Assessment]:
    """Every look at the same use case, the newest first."""
    rows = Assessment.objects.filter(workspace=assessment.workspace_id, series=assessment.series)
    return rows.select_related("made_by").order_by("-version")


def newest_in(workspace: Workspace) -> QuerySet[Assessment]:
    """The last look at each use case of the workspace."""
    last = Assessment.objects.filter(workspace=workspace).order_by("series", "-version").distinct("series")
    return Assessment.objects.filter(pk__in=last.values("pk")).select_related("made_by").order_by("-made_at")


def assessments_open_to(user: User) -> QuerySet[Assessment]:
    """The assessments of the workspaces that `user` manages."""
    return Assessment.objects.filter(access.where_allowed(user, Action.MANAGE))


# --- Inside -------------------------------------------------------------------------------------------------


def _next_version(follows: Assessment) -> int:
    # The first version is the lock of its series: two who look again at once make two versions.
    rows = Assessment.objects.filter(workspace=follows.workspace_id, series=follows.series)
    rows.select_for_update(of=("self",), no_key=True).get(version=1)
    return int(rows.aggregate(last=Max("version"))["last"]) + 1


def _as_json(assessment: Assessment) -> str:
    advice = advice_of(assessment)
    content = {
        "format": FORMAT,
        "series": str(assessment.series),
        "version": assessment.version,
        "workspace": assessment.workspace.slug,
        "name": assessment.name,
        "description": assessment.note,
        "made": {"at": assessment.made_at.isoformat(), "by": assessment.made_by.get_username()},
        "weights": assessment.weights,
        "verdict": assessment.verdict,
        "answers": assessment.choices,
    }
    if advice is not None:
        content |= {
            "sums": {"retrieval": advice.retrieval, "fine_tuning": advice.tuning},
            "weighed": {
                one.criterion.code: {"retrieval": one.option.retrieval, "fine_tuning": one.option.tuning}
                for one in advice.weighed
            },
            "decisive": [one.criterion.code for one in advice.decisive],
            "would_change": [
                {"criterion": turn.criterion.code, "answer": turn.option.code, "verdict": str(turn.verdict)}
                for turn in advice.turns
            ],
        }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _as_markdown(assessment: Assessment) -> str:
    return "\n".join(_lines(assessment)) + "\n"


def _lines(assessment: Assessment) -> Iterator[str]:
    yield f"# {_plain(assessment.name)}"
    yield ""
    yield f"**{assessment.get_verdict_display()}**"
    yield ""
    yield _("Version %(version)d, %(when)s, %(who)s. Weights: %(weights)s.") % {
        "version": assessment.version,
        "when": assessment.made_at.date().isoformat(),
        "who": _plain(assessment.made_by.name),
        "weights": assessment.weights,
    }
    if assessment.note:
        yield from ("", *(f"> {_plain(line)}" for line in assessment.note.splitlines()))
    advice = advice_of(assessment)
    if advice is None:
        return
    yield from ("", "| {} | {} | {} | {} |".format(*_headings()), "| --- | --- | ---: | ---: |")
    for one in advice.weighed:
        yield f"| {one.criterion.question} | {one.option.label} | {one.option.retrieval} | {one.option.tuning} |"
    yield f"| {_('Sum')} | | {advice.retrieval} | {advice.tuning} |"
    yield from ("", f"## {_('What would change it')}", "")
    for turn in advice.turns:
        yield f"- {turn.criterion.question} {turn.option.label} → {turn.verdict.label}"
    if not advice.turns:
        yield _("No single other answer would.")


def _headings() -> tuple[str, str, str, str]:
    return _("Question"), _("Answer"), _("Retrieval"), _("Fine-tuning")


def _plain(text: str) -> str:
    """People's words as words: nothing in them is markup or ends the line."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|!" else char for char in " ".join(text.split()))


access.guard(Assessment, visible=assessments_open_to, workspace_of=lambda assessment: assessment.workspace)
