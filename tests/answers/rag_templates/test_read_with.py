"""A row that comes along as JSON is the row that reading it by itself gives, column by column and type by type."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import OuterRef, Subquery
from django.test.utils import CaptureQueriesContext

from answers import endpoints
from answers.models import ModelEndpoint, RagTemplate, TemplateVersion
from answers.rag_templates import choosing
from answers.read_with import RowOf, row_of
from workspaces.models import Workspace

#: A moment that is read with all its digits, and one without any behind the second.
MOMENTS = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
FILLED = {
    "purpose": "Quotes “and” \\ signs\n\tкао и ово",
    "residency_note": "null",
    "model": "м",
    "base_url": "http://127.0.0.1:9/v1",
    "kind": "openai",
    "state": "approved",
    "approved_at": MOMENTS[0],
    "context_tokens": 2_147_483_647,
    "requests_per_minute": 0,
    "concurrent_requests": 3,
    "input_price": Decimal("12345678.0001"),
    "output_price": Decimal("0.1000"),
    "training_price": Decimal("99999999.9999"),
    "lineage": {"steps": [1, 2.5, None, "a"], "of": {"deep": True}},
}


def _columns(row: Any) -> dict[str, tuple[type, Any]]:
    """Name, type and value of each column; a decimal with its places."""
    found = {}
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        found[field.attname] = type(value), str(value) if isinstance(value, Decimal) else value
    return found


@pytest.fixture
def filled(member: Any, manager: Any) -> ModelEndpoint:
    """A row of which no column that can hold something is empty."""
    parent = ModelEndpoint.objects.get(name=endpoints.BUILT_IN)
    people = {"owner": member, "entered_by": manager, "proposed_by": member, "approved_by": manager}
    made = ModelEndpoint.objects.create(name="filled", parent=parent, **people, **FILLED)
    assert None not in [value for _type, value in _columns(made).values()]
    return ModelEndpoint.objects.get(pk=made.pk)


@pytest.mark.parametrize("name", ["filled", endpoints.BUILT_IN])
def test_each_column_of_a_model_comes_as_it_is_read_alone(filled: ModelEndpoint, name: str) -> None:
    alone = ModelEndpoint.objects.get(name=name)

    read = row_of(ModelEndpoint, ModelEndpoint.objects.filter(name=name).values_list(RowOf(ModelEndpoint)).get()[0])

    assert read is not None
    assert _columns(read) == _columns(alone)
    assert not read._state.adding


@pytest.mark.parametrize("has_model", [True, False])
def test_a_version_comes_with_its_template_and_its_model_in_every_column(
    policies: Workspace, adopted: Any, changed: Any, filled: ModelEndpoint, has_model: bool
) -> None:
    version = changed(adopted("policy_lookup"), examples=["“When?”", "Како?"], note="Не \\ ово")
    TemplateVersion.objects.filter(pk=version.pk).update(
        endpoint=filled if has_model else None,
        columns=["a", "б"],
        filters={"folder": None},
        made_at=MOMENTS[1],
    )
    RagTemplate.objects.filter(pk=version.template_id).update(created_at=MOMENTS[1])
    alone = TemplateVersion.objects.select_related("template", "endpoint").get(pk=version.pk)

    with CaptureQueriesContext(connection) as captured:
        found = RagTemplate.objects.filter(pk=alone.template_id).values_list(choosing.version_with("current")).get()[0]
        read = choosing.version_as_read(found)

        assert read is not None
        assert (_columns(read), _columns(read.template)) == (_columns(alone), _columns(alone.template))
        assert (read.endpoint and _columns(read.endpoint)) == (alone.endpoint and _columns(alone.endpoint))
    assert len(captured) == 1


def test_a_row_that_is_not_there_is_none(policies: Workspace, adopted: Any) -> None:
    adopted("policy_lookup")
    nobody = Subquery(ModelEndpoint.objects.filter(name=OuterRef("code")).values(one=RowOf(ModelEndpoint)))

    [found] = RagTemplate.objects.values_list(nobody, flat=True)

    assert row_of(ModelEndpoint, found) is None
    assert choosing.version_as_read(found) is None
