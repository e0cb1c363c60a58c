"""Checks of the templates: those switched on can answer, what is in force was tried, and nothing waits at the gate."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy, gettext_noop

from answers.models import CandidateState, EvaluationRun, GateCandidate, QuestionSet, RagTemplate, RunState
from answers.rag_templates import choosing, filters
from workspaces.readiness.registry import Area, Found, Scene, blocked, check, none, passed, warned

_ = gettext_noop
_FIX = "answers:rag_templates"


def _switched_on(scene: Scene) -> Sequence[RagTemplate]:
    rows = RagTemplate.objects.filter(workspace=scene.workspace, enabled=True)
    return list(rows.select_related("current__endpoint"))


def _cannot_answer(template: RagTemplate) -> bool:
    version = template.current
    if version is None or (version.endpoint is not None and not version.endpoint.usable):
        return True
    return bool(version.filters) and not filters.matching(filters.read(version.filters), template.workspace)


@check("templates.answer", Area.TEMPLATES, gettext_lazy("Templates that are switched on can answer"), fix=_FIX)
def answer(scene: Scene) -> Found:
    switched_on = scene.once(_switched_on)
    if not switched_on:
        return passed(_("The built-in knowledge template answers; no other is switched on."))
    unable = [one for one in switched_on if _cannot_answer(one)]
    standard = choosing.standard_of(scene.workspace)
    if standard is not None and any(one.pk == standard.template_id for one in unable):
        return blocked(_("The workspace's own standard template cannot answer: its model or its documents are gone."))
    rate = warned if unable else passed
    return rate(
        _("Templates without a model or documents to answer from: %(n)d of %(all)d."),
        n=len(unable),
        all=len(switched_on),
    )


@check("templates.evaluated", Area.TEMPLATES, gettext_lazy("What is in force was evaluated"), fix="answers:evaluation")
def evaluated(scene: Scene) -> Found:
    if not QuestionSet.objects.filter(workspace=scene.workspace).exists():
        return none(_("There is no question set to evaluate with."))
    done = EvaluationRun.objects.filter(workspace=scene.workspace, state=RunState.DONE)
    versions = {str(one.current_id) for one in scene.once(_switched_on)}
    tried = set(
        done.filter(candidate__kind="template", candidate__target__in=versions).values_list(
            "candidate__target", flat=True
        )
    )
    missing = len(versions - tried)
    if missing:
        return warned(
            _("Templates in force that no question set was run on: %(n)d of %(all)d."), n=missing, all=len(versions)
        )
    if not done.exists():
        return warned(_("There is a question set, and it was never run to its end."))
    return passed(
        _("Templates in force, each run on a question set: %(n)d; the workspace itself was evaluated."), n=len(tried)
    )


@check("templates.gate", Area.TEMPLATES, gettext_lazy("Nothing waits at the change gate"), fix="answers:gate")
def gate(scene: Scene) -> Found:
    count = GateCandidate.objects.filter(workspace=scene.workspace, state=CandidateState.WAITING).count()
    rate = warned if count else passed
    return rate(_("Changes that have to pass before they go live: %(n)d."), n=count)
