"""Of which templates and models the cockpit can be told: those that answered in the time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.cockpit.within import EVERYTHING, OWN, Chosen
from answers.models import KNOWLEDGE, Answer
from answers.rag_templates import built_in
from workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Choices:
    """Pairs of what an address says and what a person reads."""

    templates: list[tuple[str, str]]
    models: list[tuple[str, str]]
    #: Templates are told by codes of ours, wherever they were taken in.
    are_outside: bool = False

    def taken(self, asked: Mapping[str, str]) -> Chosen:
        """What `asked` (template, model) chooses of them; nothing of what is not offered."""
        template, model = asked.get("template", ""), asked.get("model", "")
        if template not in dict(self.templates):
            template = ""
        if model not in dict(self.models):
            model = ""
        if not template and not model:
            return EVERYTHING
        return Chosen(self._template(template), UUID(model) if model else None)

    def _template(self, code: str) -> UUID | str | None:
        if not code or self.are_outside:
            return code or None
        return "" if code == KNOWLEDGE else UUID(code)


def choices(workspace: Workspace | None, *, days: int, from_outside: bool = False) -> Choices:
    """For somebody inside of the workspace templates bear the names that it gave; `from_outside`, and for the whole
    installation (None), templates that we wrote stand for wherever they were taken in, and one line for all others."""
    there = {"workspace": workspace} if workspace else {}
    rows = Answer.objects.filter(**there, created_at__gte=timezone.now() - timedelta(days=days)).order_by()
    outside = from_outside or workspace is None
    templates = _told_outside(rows) if outside else _named(rows)
    models = rows.exclude(endpoint=None).values_list("endpoint", "endpoint__name").distinct()
    return Choices(
        sorted(templates, key=_by_name), sorted(((str(pk), name) for pk, name in models), key=_by_name), outside
    )


def _named(rows: QuerySet[Answer]) -> list[tuple[str, str]]:
    named = rows.values_list("template__template", "template__template__current__name").distinct()
    return [
        (KNOWLEDGE, built_in.name_of(KNOWLEDGE)) if pk is None else (str(pk), built_in.told(name)) for pk, name in named
    ]


def _told_outside(rows: QuerySet[Answer]) -> list[tuple[str, str]]:
    written = rows.values_list("template__template__built_in", flat=True).distinct()
    codes = {KNOWLEDGE if code is None else code if code in built_in.CODES else OWN for code in written}
    return [(code, _("Written in workspaces") if code == OWN else built_in.name_of(code)) for code in codes]


def _by_name(choice: tuple[str, str]) -> str:
    return choice[1].casefold()
