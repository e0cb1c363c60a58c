"""Tell people what happened: `notify` is the one call for every app above."""

from workspaces.notifications.notify import notify, notify_each

__all__ = ["notify", "notify_each"]
