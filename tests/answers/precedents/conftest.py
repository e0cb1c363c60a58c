"""A program that seeks precedents."""

from tests.api import conftest as programs

#: A program with a token of a person.
program = programs.program
