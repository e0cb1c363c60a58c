"""Jobs at a provider, as people have them: begin one, end one, see them."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from answers import governing
from answers.exceptions import TrainingError
from answers.finetuning import sealing, sets
from answers.models import (
    OPEN_JOBS,
    EndpointKind,
    Evidence,
    FineTuningJob,
    ModelEndpoint,
    Purpose,
    SetState,
    TrainingSet,
)
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.notifications.registry import describe
from workspaces.roles import Action

MAX_MODEL, MOST_EPOCHS = 200, 50


@transaction.atomic
def begin(
    training_set: TrainingSet, *, endpoint: ModelEndpoint, base_model: str, epochs: int | None = None, by: User
) -> FineTuningJob:
    """Have a model trained on a sealed set by the provider behind `endpoint`.

    Raises Hidden or Forbidden as access does, and TrainingError where the set is not sealed or in doubt, where a job of
    it is under way, and where the model policy lets nothing of it go there.
    """
    rows = TrainingSet.objects.select_for_update(of=("self",), no_key=True).select_related("workspace")
    training_set = rows.get(pk=training_set.pk)
    access.require(by, Action.MANAGE, training_set)
    base_model = base_model.replace("\0", "").strip()
    if training_set.state != SetState.SEALED:
        raise TrainingError(_("Only a sealed set can be trained on."))
    if not base_model or len(base_model) > MAX_MODEL or not (epochs is None or 1 <= epochs <= MOST_EPOCHS):
        raise TrainingError(_("Name the model to train, and at most %(most)d epochs.") % {"most": MOST_EPOCHS})
    require_permitted(training_set, endpoint, by=by)
    _require_untrained(base_model)
    try:
        with transaction.atomic():
            job = FineTuningJob.objects.create(
                workspace=training_set.workspace,
                training_set=training_set,
                endpoint=endpoint,
                endpoint_label=endpoint.label,
                base_model=base_model,
                epochs=epochs,
                asked_by=by,
            )
    except IntegrityError as error:
        raise TrainingError(_("A job of this set is under way already.")) from error
    record(
        EventType.TUNING_ASKED,
        on=job,
        workspace=training_set.workspace_id,
        by=by,
        training_set=training_set.pk,
        endpoint=job.endpoint_label,
        base_model=base_model,
        epochs=epochs,
        files={file.split: file.sha256 for file in training_set.files.all()},
    )
    return job


@transaction.atomic
def cancel(job: FineTuningJob, *, by: User) -> FineTuningJob:
    """Have the job ended; the provider decides whether that comes in time. Raises TrainingError once it is over."""
    job = FineTuningJob.objects.select_for_update(of=("self",), no_key=True).get(pk=job.pk)
    access.require(by, Action.MANAGE, job)
    if job.state not in OPEN_JOBS:
        raise TrainingError(_("This job is over."))
    if job.cancel_asked_at is None:
        job.cancel_asked_at, job.cancel_asked_by, job.next_at = timezone.now(), by, None
        job.save(update_fields=["cancel_asked_at", "cancel_asked_by", "next_at"])
        record(EventType.TUNING_CANCEL_ASKED, on=job, workspace=job.workspace_id, by=by)
    return job


def require_permitted(training_set: TrainingSet, endpoint: ModelEndpoint, *, by: User) -> None:
    """Return if every text of the set may go to the provider now, for `by`, who asked for it.

    Raises TrainingError with the policy's sentence.
    """
    if not access.allows(by, Action.MANAGE, training_set.workspace):
        raise TrainingError(_("Whoever asked for it may not have anything trained here any more."))
    if Workspace.objects.filter(pk=training_set.workspace_id, archived_at__isnull=False).exists():
        raise TrainingError(_("This workspace is archived, so nothing is sent to a model for it any more."))
    sealing.require_usable(training_set)
    if endpoint.kind != EndpointKind.OPENAI:
        raise TrainingError(_("The built-in model cannot be trained."))
    refused = governing.permitted(
        endpoint,
        purpose=Purpose.FINE_TUNING,
        workspace=training_set.workspace,
        documents=documents_of(training_set),
    )
    if refused:
        raise TrainingError(refused)


def documents_of(training_set: TrainingSet) -> set[UUID]:
    """Every document that an answer of the set rests on."""
    answers = sets.learnt(training_set).order_by().values("answer")
    return set(Evidence.objects.filter(answer__in=answers).order_by().values_list("document", flat=True).distinct())


def offered(workspace: Workspace) -> list[ModelEndpoint]:
    """The endpoints that the workspace may train at, by what the policy says of them without any text."""
    candidates = ModelEndpoint.objects.filter(kind=EndpointKind.OPENAI).order_by("name")
    return [
        one
        for one in candidates
        if not governing.permitted(one, purpose=Purpose.FINE_TUNING, workspace=workspace, documents=())
    ]


def jobs_open_to(user: User) -> QuerySet[FineTuningJob]:
    """The jobs of the workspaces that `user` manages."""
    return FineTuningJob.objects.filter(access.where_allowed(user, Action.MANAGE))


# --- Inside -------------------------------------------------------------------------------------------------


def _require_untrained(base_model: str) -> None:
    """What was trained here knows what its set held: on top of it nothing is trained, which would not be flagged."""
    trained = FineTuningJob.objects.exclude(tuned_model="").values_list("tuned_model", flat=True)
    # Providers name the steps of a training after its model.
    if any(base_model.startswith(name) for name in trained):
        raise TrainingError(_("This model was trained here already. Train the one that it was made of."))


access.guard(FineTuningJob, visible=jobs_open_to, workspace_of=lambda job: job.workspace)
describe(
    FineTuningJob,
    name=lambda job: job.base_model,
    address=lambda job: reverse("answers:tuning_job", kwargs={"slug": job.workspace.slug, "pk": job.pk}),
    prepared=lambda rows: rows.select_related("workspace"),
)
