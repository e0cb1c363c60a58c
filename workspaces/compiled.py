"""Statements whose SQL Django makes once in a process; each run reads the database anew, with values of its own.

Where a statement runs with every question or request, building a query set and compiling it takes more of the processor
than the database takes to answer it.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import date
from functools import partial
from secrets import token_hex
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler

R = TypeVar("R")

#: What stands in a statement while it is made, by the type of the value that takes its place.
_PLACEHOLDERS: dict[type, Callable[[], Any]] = {UUID: uuid4, str: partial(token_hex, 16)}


class Compiled(Generic[R]):
    """The rows of the query set that `make` builds of values of the types `takes` (UUID or str), as often as wanted.

    The statement must be the same whoever acts and whenever: where rights take another form for a superuser, a token or
    a view as somebody else, they do not go through here, or apart for each form; and the time of day is the database's
    (`Now`). Raises LookupError for a value that is only part of what the database is given, or none, and ValueError for
    a date or a time, which would stay what it was.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, R]], *takes: type) -> None:
        self._make = make
        self._takes = takes
        self._made: _Made | None = None

    def __call__(self, *values: Any) -> list[R]:
        """The rows with these values, as the database has them now. A list: what it came from takes no more filters."""
        if len(values) != len(self._takes) or not all(map(isinstance, values, self._takes)):
            raise TypeError(f"This statement takes {', '.join(kind.__name__ for kind in self._takes)}.")
        made = self._made
        if made is None:
            made = self._made = self._compile()
        rows = made.rows.all()
        rows.query.get_compiler = partial(made.compiler_with, values)  # type: ignore[method-assign]
        return list(rows)

    def _compile(self) -> "_Made":
        placeholders = [_PLACEHOLDERS[kind]() for kind in self._takes]
        rows = self._make(*placeholders)
        compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        # The connection is the thread's that came first, and would live as long as the process.
        compiler.connection = None
        others = [str(given) for given in parameters if given not in placeholders]
        for placeholder in placeholders:
            if placeholder not in parameters or any(str(placeholder) in given for given in others):
                raise LookupError("A value of this statement takes no place in it by itself.")
        if any(isinstance(given, date) for given in parameters):
            raise ValueError("This statement has a date or a time in it, which would stay what it is now.")
        places = [(n, placeholders.index(given)) for n, given in enumerate(parameters) if given in placeholders]
        return _Made(rows, compiler, sql, tuple(parameters), places)


@dataclass(frozen=True, slots=True)
class _Made:
    """A statement, and where the values stand among its parameters: (place, number of the value)."""

    rows: QuerySet[Any, Any]
    compiler: SQLCompiler
    sql: str
    parameters: tuple[Any, ...]
    places: list[tuple[int, int]]

    def compiler_with(self, values: tuple[Any, ...], using: str = DEFAULT_DB_ALIAS, **_more: Any) -> SQLCompiler:
        """What Django asks for the SQL and makes rows with; a copy, because a connection belongs to one thread."""
        parameters = list(self.parameters)
        for place, number in self.places:
            parameters[place] = values[number]
        compiler = copy(self.compiler)
        compiler.connection = connections[using]
        compiler.as_sql = lambda *_given, **_named: (self.sql, tuple(parameters))  # type: ignore[method-assign]
        return compiler
