"""Bring documents into a workspace for a test, and kill or expire the work on them."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.db.models.functions import Now

from documents import library
from documents.models import Version
from workspaces import killpoints

#: Enough for several passages, each sentence its own, so that ids and texts differ.
LONG = "\n\n".join(
    f"Rule {number}. The {word} is kept for {number} years and then destroyed by two people."
    for number, word in enumerate(["contract", "invoice", "payslip", "minute", "permit", "licence"] * 12, start=1)
)
SHORT = "Parental leave lasts 26 weeks. It is paid in full."


def receive(workspace: Any, by: Any, text: str | bytes = SHORT, path: str = "leave.txt", title: str = "") -> Any:
    """`library.receive` of a text."""
    content = text.encode() if isinstance(text, str) else text
    return library.receive(workspace=workspace, path=path, file=BytesIO(content), filename=path, by=by, title=title)


def again(version: Any) -> Version:
    """The row as it is now."""
    return Version.objects.select_related("document").get(pk=version.pk)


def let_lease_expire(version: Any) -> None:
    """What the clock does after a worker died."""
    Version.objects.filter(pk=version.pk, lease_until__isnull=False).update(lease_until=Now() - timedelta(minutes=1))


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the product catches it, and open transactions are rolled back."""


class Killer:
    """Ends the work at a killpoint, as `INLOCK_CRASH_AT` does, without ending the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        monkeypatch.setattr(killpoints, "_passed", {})

        def die() -> None:
            raise Killed

        monkeypatch.setattr(killpoints, "_die", die)

    def at(self, point: str) -> None:
        killpoints._passed.clear()
        self.monkeypatch.setattr(settings, "CRASH_AT", point)

    def never(self) -> None:
        self.monkeypatch.setattr(settings, "CRASH_AT", "")
