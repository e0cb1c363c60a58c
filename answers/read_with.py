"""Read a row of another table inside a statement that is made anyway, as JSON, and make a model of it again."""

from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.db.models.functions import JSONObject

M = TypeVar("M", bound=Model)


def columns_of(model: type[Model], at: str = "") -> JSONObject:
    """All columns of `model`, which lies at the path `at` of the query (`template__`); for `row_of`."""
    return JSONObject(**{field.attname: f"{at}{field.attname}" for field in model._meta.concrete_fields})


def row_of(model: type[M], found: dict[str, Any] | None) -> M | None:
    """The row that `columns_of` read; None where there was none."""
    if found is None or found[model._meta.pk.attname] is None:
        return None
    fields = model._meta.concrete_fields
    return model.from_db(DEFAULT_DB_ALIAS, list(found), [field.to_python(found[field.attname]) for field in fields])
