"""Register what a job came to as a candidate: an endpoint with its parent and its lineage, approved by nobody yet."""

from django.utils.text import slugify

from answers.models import FineTuningJob, ModelEndpoint
from audit.chain import digest
from workspaces.endpoints.base import EndpointState

_MAX_NAME = 60
#: What the candidate has in common with the endpoint it was trained at.
_INHERITED = (
    "kind",
    "provider",
    "base_url",
    "key_reference",
    "key_header",
    "api_version",
    "length_field",
    "sends_temperature",
    "asks_usage",
    "context_tokens",
    "requests_per_minute",
    "concurrent_requests",
    "connect_seconds",
    "first_token_seconds",
    "total_seconds",
    "max_output_tokens",
    "owner",
    "residency",
    "residency_note",
    "ceiling",
)


def register(job: FineTuningJob) -> ModelEndpoint:
    """The candidate for the model that `job` made; inside the transaction that ends the job.

    Its prices are not known: a provider asks more for trained models than for the ones they were made of.
    """
    parent, training_set = job.endpoint, job.training_set
    candidate = ModelEndpoint(
        name=_name(job),
        model=job.tuned_model,
        state=EndpointState.CANDIDATE,
        entered_by=job.asked_by,
        proposed_by=job.asked_by,
        parent=parent,
        lineage={
            "workspace": str(job.workspace_id),
            "training_set": str(training_set.pk),
            "manifest_sha256": digest(training_set.manifest),
            "files": {file.split: file.sha256 for file in training_set.files.all()},
            "job": str(job.pk),
            "remote_job": job.remote_id,
            "base_model": job.base_model,
            "tuned_model": job.tuned_model,
            "ceiling": training_set.ceiling,
        },
        **{name: getattr(parent, name) for name in _INHERITED},
    )
    candidate.save()
    job.result = candidate
    FineTuningJob.objects.filter(pk=job.pk).update(result=candidate)
    return candidate


def _name(job: FineTuningJob) -> str:
    # The job's own letters, so that no two are ever called the same.
    return f"{slugify(job.endpoint.name)[: _MAX_NAME - 15]}-tuned-{job.pk.hex[:8]}"
