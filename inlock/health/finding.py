"""What is said of one thing that was looked at, and how figures in it are written."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

#: What is looked at, for people. What a name ends in beside one of these is a queue, an account or a model.
_LABELS = {
    "accounts": _("accounts"),
    "answers": _("answers"),
    "background work": _("background work"),
    "backup": _("backup"),
    "broker": _("broker"),
    "checkpoints": _("checkpoints"),
    "clock": _("clock"),
    "disk": _("disk"),
    "embedding model": _("embedding model"),
    "embedding endpoint": _("embedding endpoint"),
    "emergency account": _("emergency account"),
    "files": _("files"),
    "files set aside": _("files set aside"),
    "indexes": _("indexes"),
    "leases": _("leases"),
    "mail": pgettext_lazy("the service", "mail"),
    "managers": _("managers"),
    "migrations": _("migrations"),
    "model": _("model"),
    "old Office files": _("old Office files"),
    "parsers": _("parsers"),
    "reranker": _("reranker"),
    "schedule": _("schedule"),
    "serve": "serve",
    "settings": _("settings"),
    "sources": _("sources"),
    "text recognition": _("text recognition"),
    "trail": _("trail"),
    "verification": _("verification"),
    "worker": _("worker"),
}
_NAMED = ("emergency account", "embedding endpoint", "model", "reranker", "worker")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `fault` is empty when it is as it should be; a next step may still be advised.

    `name` is permanent, for programs; all else is in the language of whoever is looking.
    """

    name: str
    state: str
    fault: str = ""
    next_step: str = ""

    @property
    def label(self) -> str:
        """The name for people. Engines and Django's checks are called the same in every language."""
        if self.name in _LABELS:
            return str(_LABELS[self.name])
        for kind in _NAMED:
            if self.name.startswith(f"{kind} "):
                return f"{_LABELS[kind]} {self.name.removeprefix(f'{kind} ')}"
        return self.name


def megabytes(count: int) -> str:
    """Bytes as megabytes, for a person."""
    return f"{count / 1024**2:,.0f} MB"
