"""What belongs to one timeline: a question, its answer and its draft; the models of a workspace and the workspace.
And the reasons of approvals, of which the trail has the hashes, the words for the states of answers, and those for what
was changed in rules, limits and models.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from answers.endpoints import SETTINGS
from answers.evaluation.figures import Metric
from answers.exceptions import PolicyError
from answers.governing.limits import LIMITS
from answers.models import (
    Answer,
    Budget,
    Draft,
    FlagReason,
    ModelEndpoint,
    Priority,
    QuestionSet,
    ReuseRules,
    Review,
    Strictness,
    WorkspaceModels,
)
from answers.policy import rules
from answers.queue.reminders import LATE, SOON
from answers.rag_templates.built_in import name_of
from answers.review.reasons import ACTS
from answers.states import AnswerStatus
from audit.events import EventType
from audit.timeline import Setting, fields, kept_reasons, spoken, spoken_settings
from workspaces.auditing.trail import told_with
from workspaces.endpoints.base import EndpointState
from workspaces.timeline import moment


def _with_answer(answer: Answer) -> Iterable[Model]:
    return [answer.question, *([answer.draft] if hasattr(answer, "draft") else [])]


def _with_draft(draft: Draft) -> Iterable[Model]:
    return [draft.answer, draft.answer.question]


def _with_models(models: WorkspaceModels) -> Iterable[Model]:
    return [models.workspace]


def _reason_of_approval(details: dict[str, Any]) -> str:
    return Review.objects.filter(pk=details.get("review")).values_list("reason", flat=True).first() or ""


kept_reasons.append(_reason_of_approval)
told_with[WorkspaceModels] = _with_models
told_with[Answer] = _with_answer
told_with[Draft] = _with_draft
spoken[EventType.DRAFT_REMINDED, "when"] = spoken[EventType.EXAMINATION_REMINDED, "when"] = {
    SOON: pgettext_lazy("entry of the trail", "due soon"),
    LATE: pgettext_lazy("entry of the trail", "overdue"),
}
spoken[EventType.GAP_REMINDED, "when"] = {
    SOON: pgettext_lazy("entry of the trail", "due on this day"),
    LATE: pgettext_lazy("entry of the trail", "overdue"),
}
spoken[EventType.ANSWER_REFUSED, "status"] = spoken[EventType.ANSWER_FAILED, "status"] = dict(AnswerStatus.choices)
for _type in (
    EventType.TEMPLATE_ADOPTED,
    EventType.TEMPLATE_SAVED,
    EventType.TEMPLATE_IN_FORCE,
    EventType.TEMPLATE_SWITCHED,
    EventType.TEMPLATE_TRIED,
    EventType.TEMPLATE_TRIAL_ENDED,
    EventType.TEMPLATE_TRIAL_READ,
):
    spoken[_type, "template"] = name_of


def _rule(kept: Any) -> str:
    """A release rule as people read it; one that cannot be read by its name."""
    try:
        [rule] = rules.read([kept])
    except PolicyError:
        return str(kept.get("name", "–")) if isinstance(kept, dict) else str(kept)
    return f"{rule.name}: {rule.sentence}" if rule.is_on else f"{rule.name}: {rule.sentence} ({_OFF})"


def _threshold(kept: Any) -> str:
    """What a gate asks of one measure."""
    if not isinstance(kept, dict):
        return str(kept)
    told = [str(dict(Metric.choices).get(kept.get("metric", ""), kept.get("metric")))]
    if kept.get("limit") is not None:
        told.append(str(kept["limit"]))
    if kept.get("worse_by") is not None:
        told.append(_("at most %(by)s worse") % {"by": kept["worse_by"]})
    return " · ".join(told)


def _question_set(stored: str) -> str:
    """The name of the set that has this id; what is none stays."""
    try:
        found = QuestionSet.objects.filter(pk=UUID(stored)).values_list("name", flat=True).first()
    except ValueError:
        return stored
    return found or stored


_OFF = pgettext_lazy("entry of the trail", "off")
fields(EventType.BUDGET_CHANGED, Budget, *LIMITS)
fields(EventType.REUSE_CHANGED, ReuseRules, "enabled", "days", "remind_days")
fields(EventType.ENDPOINT_CHANGED, ModelEndpoint, *SETTINGS)
for _type in (
    EventType.ENDPOINT_APPROVED,
    EventType.ENDPOINT_MADE_DEFAULT,
    EventType.ENDPOINT_NO_DEFAULT,
    EventType.ENDPOINT_RETIRED,
    EventType.ENDPOINT_REOPENED,
):
    spoken_settings[_type, "state"] = Setting(gettext_lazy("State"), dict(EndpointState.choices))
for _type in (EventType.GATE_CHANGED, EventType.GATE_LOOSENING_ASKED):
    spoken_settings[_type, "enabled"] = Setting(gettext_lazy("Changes have to pass"))
    spoken_settings[_type, "question_set"] = Setting(gettext_lazy("Question set"), _question_set)
    spoken_settings[_type, "set_version"] = Setting(gettext_lazy("Version of the question set"))
    spoken_settings[_type, "thresholds"] = Setting(gettext_lazy("What has to be reached"), _threshold)
for _type in (EventType.DRAFT_RANKED, EventType.EXAMINATION_RANKED):
    spoken_settings[_type, "priority"] = Setting(gettext_lazy("Priority"), dict(Priority.choices))
    spoken_settings[_type, "due_at"] = Setting(gettext_lazy("Due"), moment)
for _act, _label in ACTS.items():
    spoken_settings[EventType.REVIEW_REASONS_CHANGED, _act] = Setting(_label)
spoken_settings.update(
    {
        (EventType.WORKSPACE_CHANGED, "strictness"): Setting(gettext_lazy("Strictness"), dict(Strictness.choices)),
        (EventType.WORKSPACE_CHANGED, "judge"): Setting(gettext_lazy("Judge")),
        (EventType.WORKSPACE_CHANGED, "default_model"): Setting(gettext_lazy("Default model")),
        (EventType.WORKSPACE_CHANGED, "models"): Setting(gettext_lazy("Models")),
        (EventType.WORKSPACE_CHANGED, "review_hours"): Setting(gettext_lazy("Hours until a draft is due")),
        (EventType.WORKSPACE_CHANGED, "remind_hours"): Setting(gettext_lazy("Hours before that to remind")),
        (EventType.RELEASE_RULES_CHANGED, ""): Setting(gettext_lazy("Release rules"), _rule),
        (EventType.FALLBACKS_CHANGED, ""): Setting(gettext_lazy("Stand-ins")),
        (EventType.TRAINING_RULES_CHANGED, "on"): Setting(
            gettext_lazy("What takes a model out of use by itself"), dict(FlagReason.choices)
        ),
        (EventType.SUGGESTIONS_CHANGED, ""): Setting(
            gettext_lazy("Suggested questions, by their hashes"), lambda sha256: f"{sha256[:8]}…"
        ),
        (EventType.TEMPLATE_SWITCHED, ""): Setting(gettext_lazy("Offered")),
        (EventType.TEMPLATE_IN_FORCE, ""): Setting(gettext_lazy("Version")),
        (EventType.TEMPLATE_STANDARD, ""): Setting(gettext_lazy("Standard template"), name_of),
    }
)
