"""Read a row of another table inside a statement that is made anyway, as JSON, and make a model of it again."""

from decimal import Decimal
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import DecimalField, F, Field, Func, JSONField, Model

M = TypeVar("M", bound=Model)


class RowOf(Func):
    """The row of `model` that lies at the path `at` of a query (`template__`), as one JSON object; for `row_of`.

    One expression for all columns: Django resolves and compiles each column that a statement names on its own, which
    took longer than the database takes to read them. NULL where a join found no row.
    """

    output_field = JSONField()

    def __init__(self, model: type[Model], at: str = "") -> None:
        # No key: it stands in two tables, and the join would be left out for it.
        column = next(field for field in model._meta.concrete_fields if not field.primary_key and not field.is_relation)
        super().__init__(F(f"{at}{column.attname}"))

    def as_sql(self, compiler: Any, connection: Any, *_more: Any, **_named: Any) -> tuple[str, tuple[str | int, ...]]:
        [column] = self.get_source_expressions()
        return f"to_jsonb({compiler.quote_name_unless_alias(column.alias)})", ()


def row_of(model: type[M], found: dict[str, Any] | None) -> M | None:
    """The row that `RowOf` read; None where there was none."""
    if found is None:
        return None
    fields = model._meta.concrete_fields
    return model.from_db(
        DEFAULT_DB_ALIAS,
        [field.attname for field in fields],
        [_value(field, found[str(field.column)]) for field in fields],
    )


def _value(field: "Field[Any, Any]", read: Any) -> Any:
    """A column as reading it by itself gives it; a number of JSON has no decimal places of its own."""
    value = field.to_python(read)
    if isinstance(field, DecimalField) and value is not None:
        return value.quantize(Decimal(1).scaleb(-field.decimal_places))
    return value
