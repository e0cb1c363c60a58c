"""Doorbells: each carries an id and says "look again"; the row is the job."""

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from answers import leases, pipeline, source_changes, withdrawal
from answers.draft_review import erasing
from answers.draft_review import run as examining
from answers.evaluation import working as evaluating
from answers.finetuning import sweeping
from answers.gaps import closing, gathering
from answers.governing import ledger
from answers.models import Answer, EvaluationRun, Examination, Replay, TemplatePreview
from answers.queue import reminders
from answers.rag_templates import previewing
from answers.replays import run as replaying
from answers.reuse import offering
from workspaces.dispatch import dispatch

#: Answers one sweep rings for; the next sweep takes the rest.
_MOST_AT_ONCE = 200


@shared_task(name="answers.tasks.answer_question")
def answer_question(answer_id: str) -> None:
    """Answer one question, if nobody is at it."""
    pipeline.run(UUID(answer_id))


@shared_task(name="answers.tasks.replay_answer")
def replay_answer(replay_id: str) -> None:
    """Make one answer once more and compare, if nobody is at it."""
    replaying.run(UUID(replay_id))


@shared_task(name="answers.tasks.examine_draft")
def examine_draft(examination_id: str) -> None:
    """Work on one draft for a turn, if nobody is at it, and ring again while there is more."""
    if examining.run(UUID(examination_id)):
        dispatch(examine_draft, examination_id)


@shared_task(name="answers.tasks.preview_template")
def preview_template(preview_id: str) -> None:
    """Try one version of a template beside the one in force for a turn, if nobody is at it, and ring again."""
    if previewing.run(UUID(preview_id)):
        dispatch(preview_template, preview_id)


@shared_task(name="answers.tasks.sweep_examinations")
def sweep_examinations() -> None:
    """Ring again for drafts that no living worker holds, and erase those that were kept long enough."""
    waited = Q(lease_until__isnull=False) | Q(asked_at__lt=Now() - timedelta(seconds=settings.SWEEP_SECONDS))
    forgotten = Examination.objects.filter(examining.unheld(), waited).order_by("asked_at")
    for examination_id in forgotten.values_list("pk", flat=True)[:_MOST_AT_ONCE]:
        dispatch(examine_draft, examination_id)
    erasing.erase_old()


@shared_task(name="answers.tasks.evaluate_run")
def evaluate_run(run_id: str) -> None:
    """Ask some questions of a run, if nobody is at it, and ring again while there are more."""
    if evaluating.work(UUID(run_id)):
        dispatch(evaluate_run, run_id)


@shared_task(name="answers.tasks.sweep_answers")
def sweep_answers() -> None:
    """Ring again for answers that no living worker holds, and end those whose sources went while they were held."""
    withdrawal.withdraw_leftovers()
    ledger.release_dead()
    # A new one has its own bell under way; ringing again at once would only double it.
    waited = Q(lease_until__isnull=False) | Q(created_at__lt=Now() - timedelta(seconds=settings.SWEEP_SECONDS))
    forgotten = Answer.objects.filter(leases.unheld(), waited).order_by("created_at")
    for answer_id in forgotten.values_list("pk", flat=True)[:_MOST_AT_ONCE]:
        dispatch(answer_question, answer_id)
    waited = Q(lease_until__isnull=False) | Q(asked_at__lt=Now() - timedelta(seconds=settings.SWEEP_SECONDS))
    replays = Replay.objects.filter(replaying.unheld(), waited).order_by("asked_at")
    for replay_id in replays.values_list("pk", flat=True)[:_MOST_AT_ONCE]:
        dispatch(replay_answer, replay_id)
    previews = TemplatePreview.objects.filter(previewing.unheld(), waited).order_by("asked_at")
    for preview_id in previews.values_list("pk", flat=True)[:_MOST_AT_ONCE]:
        dispatch(preview_template, preview_id)
    waited = Q(lease_until__isnull=False) | Q(started_at__lt=Now() - timedelta(seconds=settings.SWEEP_SECONDS))
    runs = EvaluationRun.objects.filter(evaluating.unheld(), waited).order_by("started_at")
    for run_id in runs.values_list("pk", flat=True)[:_MOST_AT_ONCE]:
        dispatch(evaluate_run, run_id)


@shared_task(name="answers.tasks.sweep_gaps")
def sweep_gaps() -> None:
    """Gather questions that found no good answer, and close gaps whose document answers by now."""
    gathering.gather()
    closing.finish()
    closing.tell_late()


@shared_task(name="answers.tasks.sweep_due")
def sweep_due() -> None:
    """Remind people of what is due soon, or overdue."""
    reminders.remind()


@shared_task(name="answers.tasks.sweep_finetuning")
def sweep_finetuning() -> None:
    """Do all of fine-tuning that is due: flag, build, follow, tidy up, compare."""
    sweeping.sweep()


@shared_task(name="answers.tasks.sweep_approved")
def sweep_approved() -> None:
    """Take up approved answers that may be given again, and remind the approvers of those that expire soon."""
    offering.take_up()
    offering.renew_meanings()
    offering.remind()


@shared_task(name="answers.tasks.sweep_standing")
def sweep_standing() -> None:
    """Suspend what still rests on a source that changed."""
    source_changes.sweep()
