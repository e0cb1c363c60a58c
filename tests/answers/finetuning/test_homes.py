"""A trained model answers where its examples come from, and nowhere else."""

import pytest

from answers import governing
from answers.models import EndpointKind, ModelEndpoint, Purpose

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("purpose", [Purpose.ANSWER, Purpose.EVALUATION, Purpose.FINE_TUNING])
def test_a_model_that_was_trained_on_another_workspaces_answers_is_refused(purpose, policies, legal, offer):
    from django.utils import timezone

    tuned = offer(
        legal,
        ModelEndpoint(
            name="tuned",
            kind=EndpointKind.OPENAI,
            base_url="http://127.0.0.1:9/v1",
            model="ft:small-1",
            state="approved",
            approved_at=timezone.now(),
            lineage={"workspace": str(policies.pk)},
        ),
    )
    offer(policies, tuned)

    assert "another workspace" in governing.permitted(tuned, purpose=purpose, workspace=legal, documents=())
    assert governing.permitted(tuned, purpose=purpose, workspace=policies, documents=()) == ""
