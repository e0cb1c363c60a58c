"""What a version adds to a prompt."""

from dataclasses import dataclass

from answers.models import Shape, TemplateVersion
from answers.rag_templates.shapes import form_of

#: Quotations the built-in model lists where a template asks for more than sentences.
_ITEMS = 10


@dataclass(frozen=True, slots=True)
class Task:
    """The part of a version that a model is told, as `prompts.render` takes it."""

    instructions: str
    form: str
    items: int


def task_of(version: TemplateVersion | None) -> Task | None:
    """None where a version adds nothing: the plain prompt then asks, as without a template."""
    if version is None or (not version.instructions and version.shape == Shape.ANSWER):
        return None
    instructions = version.instructions or "Answer the question."
    items = 0 if version.shape == Shape.ANSWER else _ITEMS
    return Task(instructions, form_of(version.shape, version.columns), items)
