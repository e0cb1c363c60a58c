"""A provider of fine-tuning, an endpoint there, and a sealed set to train on."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def provider_server(monkeypatch: Any) -> Iterator[Any]:
    """The public fine-tuning API on this machine; its key is in the environment."""
    from tests.answers.finetuning import provider_server

    monkeypatch.setenv("INLOCK_KEY_TRAINING", provider_server.KEY)
    with provider_server.serve() as server:
        yield server


@pytest.fixture
def trainer(provider_server: Any, offer: Any, legal: Any) -> Any:
    """An approved endpoint at the provider, open to `legal`."""
    from django.utils import timezone

    from answers.models import EndpointKind, ModelEndpoint

    endpoint = ModelEndpoint(
        name="trainer",
        kind=EndpointKind.OPENAI,
        base_url=provider_server.url,
        model="small-1",
        key_reference="INLOCK_KEY_TRAINING",
        state="approved",
        approved_at=timezone.now(),
    )
    return offer(legal, endpoint)


@pytest.fixture
def sealed(legal: Any, member: Any, reviewer: Any, manager: Any) -> Any:
    """A sealed set of two examples."""
    from tests.answers.finetuning.scene import a_sealed_set

    return a_sealed_set(legal, member, reviewer, manager)


@pytest.fixture
def followed(monkeypatch: Any) -> Any:
    """followed(job, looks=1) → the job after so many looks, none of which had to wait."""
    from answers.finetuning import following
    from answers.models import FineTuningJob

    def follow(job: Any, looks: int = 1) -> Any:
        for _look in range(looks):
            FineTuningJob.objects.filter(pk=job.pk).update(next_at=None)
            following.follow(job.pk)
        job.refresh_from_db()
        return job

    return follow
