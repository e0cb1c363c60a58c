"""Of which templates and models the cockpit of a workspace can be told: those that answered in the time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from answers.cockpit.within import EVERYTHING, Chosen
from answers.models import KNOWLEDGE, Answer
from answers.rag_templates import built_in
from workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Choices:
    """Pairs of what an address says and what a person reads."""

    templates: list[tuple[str, str]]
    models: list[tuple[str, str]]

    def taken(self, asked: Mapping[str, str]) -> Chosen:
        """What `asked` (template, model) chooses of them; nothing of what is not offered."""
        template, model = asked.get("template", ""), asked.get("model", "")
        if template not in dict(self.templates):
            template = ""
        if model not in dict(self.models):
            model = ""
        if not template and not model:
            return EVERYTHING
        of = None if not template else "" if template == KNOWLEDGE else UUID(template)
        return Chosen(of, UUID(model) if model else None)


def choices(workspace: Workspace, *, days: int) -> Choices:
    """For somebody inside of the workspace: templates bear the names that it gave."""
    rows = Answer.objects.filter(workspace=workspace, created_at__gte=timezone.now() - timedelta(days=days)).order_by()
    named = rows.values_list("template__template", "template__template__current__name").distinct()
    templates = [
        (KNOWLEDGE, built_in.name_of(KNOWLEDGE)) if pk is None else (str(pk), built_in.told(name)) for pk, name in named
    ]
    models = rows.exclude(endpoint=None).values_list("endpoint", "endpoint__name").distinct()
    return Choices(sorted(templates, key=_by_name), sorted(((str(pk), name) for pk, name in models), key=_by_name))


def _by_name(choice: tuple[str, str]) -> str:
    return choice[1].casefold()
