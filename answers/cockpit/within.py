"""What happened in a workspace, or in the whole installation, since a moment."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Model, QuerySet

from answers.models import Answer
from workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Within:
    """A place and a stretch of time."""

    #: None: the whole installation.
    workspace: Workspace | None
    since: datetime
    now: datetime
    #: Told to somebody inside of the workspace, who knows its names.
    inside: bool

    def rows(self, model: type[Model], path: str = "workspace", **conditions: Any) -> QuerySet[Any]:
        """Rows of the place; `path` leads from the model to its workspace."""
        there = {path: self.workspace} if self.workspace else {}
        return model._default_manager.order_by().filter(**there, **conditions)

    def endings(self) -> dict[str, int]:
        """How many answers stand at each status now, of those begun in the time."""
        rows = self.rows(Answer, created_at__gte=self.since)
        return dict(rows.values_list("status").annotate(Count("pk")))


def of_these(ended: dict[str, int], statuses: Collection[str]) -> int:
    """How many of `ended` stand at one of `statuses`."""
    return sum(number for status, number in ended.items() if status in statuses)
