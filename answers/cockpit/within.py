"""What happened in a workspace, or in the whole installation, since a moment: all, or by one template or model."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Model, Q, QuerySet

from answers.models import KNOWLEDGE, Answer, Draft, Feedback, Question, Review
from answers.rag_templates import built_in
from workspaces.models import Workspace

#: All templates that were written in workspaces, which are not told apart from outside of them.
OWN = "own"
#: By which path a row belongs to an answer. What has none cannot be told of a template or model.
_ANSWER: dict[type[Model], str] = {Answer: "", Draft: "answer__", Review: "draft__answer__", Feedback: "answer__"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Only what was answered with one template, by one model, or both.

    `template` is a workspace's, or "" for the built-in way to answer, which is no workspace's. From outside it is the
    code of one that we wrote, wherever it was taken in, or `OWN` for all that were written in workspaces.
    """

    template: UUID | str | None = None
    endpoint: UUID | None = None

    def __bool__(self) -> bool:
        return self.template is not None or self.endpoint is not None

    def of(self, path: str = "") -> Q:
        """The condition on rows from which `path` leads to the answer."""
        wanted = Q()
        if self.template is not None:
            wanted &= self._of_template(f"{path}template__template")
        if self.endpoint is not None:
            wanted &= Q(**{f"{path}endpoint": self.endpoint})
        return wanted

    def _of_template(self, path: str) -> Q:
        none = Q(**{path: None})
        if isinstance(self.template, UUID):
            return Q(**{path: self.template})
        if not self.template:
            return none
        if self.template == OWN:
            return ~none & ~Q(**{f"{path}__built_in__in": built_in.CODES})
        ours = Q(**{f"{path}__built_in": self.template})
        return none | ours if self.template == KNOWLEDGE else ours


EVERYTHING = Chosen()


@dataclass(frozen=True, slots=True)
class Within:
    """A place and a stretch of time."""

    #: None: the whole installation.
    workspace: Workspace | None
    since: datetime
    now: datetime
    #: Told to somebody inside of the workspace, who knows its names.
    inside: bool
    chosen: Chosen = EVERYTHING

    def rows(self, model: type[Model], path: str = "workspace", **conditions: Any) -> QuerySet[Any]:
        """Rows of the place, of what was chosen; `path` leads from the model to its workspace."""
        there = {path: self.workspace} if self.workspace else {}
        found = model._default_manager.order_by().filter(**there, **conditions)
        if self.chosen and model is Question:
            return found.filter(pk__in=Answer.objects.filter(self.chosen.of()).order_by().values("question"))
        return found.filter(self.chosen.of(_ANSWER[model])) if self.chosen and model in _ANSWER else found

    def endings(self) -> dict[str, int]:
        """How many answers stand at each status now, of those begun in the time."""
        rows = self.rows(Answer, created_at__gte=self.since)
        return dict(rows.values_list("status").annotate(Count("pk")))


def of_these(ended: dict[str, int], statuses: Collection[str]) -> int:
    """How many of `ended` stand at one of `statuses`."""
    return sum(number for status, number in ended.items() if status in statuses)
