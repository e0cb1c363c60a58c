"""Tell people what happened: `notify` is the one call for every app above."""

from workspaces.notifications.notify import notify

__all__ = ["notify"]
