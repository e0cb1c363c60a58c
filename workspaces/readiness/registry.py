"""What a check of readiness is, and the list of all of them; every app adds its own when it loads."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import models
from django.urls import resolve, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workspaces.models import Outcome, Workspace

T = TypeVar("T")


class Area(models.TextChoices):
    """What a check is about, in the order of the report. Codes are permanent."""

    CONNECTORS = "connectors", _("Connectors")
    RIGHTS = "rights", _("People and rights")
    DATA = "data", _("Data coverage")
    MODELS = "models", pgettext_lazy("area of readiness", "Models")
    REVIEW = "review", _("Review flow")
    TEMPLATES = "templates", pgettext_lazy("area of readiness", "Templates")
    TRAIL = "trail", _("Audit trail")
    OPERATIONS = "operations", _("Operations")


@dataclass(frozen=True, slots=True)
class Found:
    """What one look found. `sentence` is marked with `gettext_noop` and has a place for each of `facts`.

    Facts are counts, codes, dates, and names of people, groups, sources and models: never text or titles of documents,
    questions or answers, because the report leaves the portal.
    """

    outcome: Outcome
    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)


def passed(sentence: str, **facts: Any) -> Found:
    """All is well, as far as this check looks."""
    return Found(Outcome.PASS, sentence, facts)


def warned(sentence: str, **facts: Any) -> Found:
    """Somebody should look at it; it keeps nobody from a pilot."""
    return Found(Outcome.WARN, sentence, facts)


def blocked(sentence: str, **facts: Any) -> Found:
    """No pilot as long as this is so."""
    return Found(Outcome.BLOCK, sentence, facts)


def none(sentence: str, **facts: Any) -> Found:
    """It does not concern this workspace, which the sentence explains."""
    return Found(Outcome.NONE, sentence, facts)


class Scene:
    """The workspace under a run's eyes, and what several checks read of it once."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._known: dict[Any, Any] = {}

    def once(self, read: Callable[["Scene"], T]) -> T:
        """What `read(scene)` gives, read at its first asking and kept for the rest of the run."""
        if read not in self._known:
            self._known[read] = read(self)
        found: T = self._known[read]
        return found


Look = Callable[[Scene], Found]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at. `look` may write what it likes: all of it is rolled back."""

    #: Permanent.
    code: str
    area: Area
    label: Any
    look: Look
    #: The name of the address where it is put right: of a page of the workspace, or of the portal.
    fix: str = ""
    #: The action that opens that page, where the page itself does not say it.
    needs: str = ""
    #: The facts as the sentence names them in the reader's language, where they hold codes.
    told: Callable[[dict[str, Any]], dict[str, Any]] = field(default=lambda facts: facts)

    def fix_in(self, workspace: Workspace) -> str:
        """The path of the page where it is put right; "" where only the operator can."""
        if not self.fix:
            return ""
        if self.fix.startswith("admin"):
            return reverse(self.fix)
        return reverse(self.fix, kwargs={"slug": workspace.slug})

    def opened_by(self, workspace: Workspace) -> str:
        """The action of the workspace or the platform that opens that page; "" where there is none."""
        path = self.fix_in(workspace)
        return self.needs or (getattr(resolve(path).func, "required_action", "") if path else "")


#: Called after each check, once what it wrote is undone; the apps above add themselves when they load.
afterwards: list[Callable[[], None]] = []
_checks: dict[str, Check] = {}


def check(code: str, area: Area, label: Any, **more: Any) -> Callable[[Look], Look]:
    """Register the function below as the check called `code`; its name for people says what holds when it passes.

    `more`: other fields of Check.
    """

    def add(look: Look) -> Look:
        if code in _checks:
            raise ValueError(f"There is a check called {code} already.")
        _checks[code] = Check(code, area, label, look, **more)
        return look

    return add


def checks() -> list[Check]:
    """All checks, area by area, each area's in the order of their registration."""
    order = list(Area)
    return sorted(_checks.values(), key=lambda one: order.index(one.area))


def known(code: str) -> Check | None:
    """The check of that code; None for one that an earlier release made and this one does not."""
    return _checks.get(code)
