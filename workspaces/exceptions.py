"""What can be refused here. Every error carries a sentence for the person it happens to."""

from typing import Any

from django.utils.translation import gettext_lazy as _


class Refused(Exception):
    """An act was refused. `workspace`, `action` and `thing` say what, for the trail."""

    sentence: Any = _("You may not do this.")

    def __init__(self, *, user: Any = None, workspace: Any = None, action: str = "", thing: Any = None) -> None:
        super().__init__(str(self.sentence))
        self.user, self.workspace, self.action, self.thing = user, workspace, action, thing


class Hidden(Refused):
    """For a stranger the thing does not exist: the same answer as for an id that never was."""

    sentence = _("There is nothing here, or it is not open to you.")


class Forbidden(Refused):
    """A member may see the thing but not do this with it."""

    sentence = _("Your role does not allow this. Ask a workspace manager.")


class PortalError(Exception):
    """Something a person asked for cannot be done; the message says why and what to do instead."""


class MembershipError(PortalError):
    """A change of people or roles that cannot be made."""


class WorkspaceError(PortalError):
    """A change of a workspace that cannot be made."""


class CannotUnseal(Exception):
    """A sealed secret does not open: its key is no longer among INLOCK_ENCRYPTION_KEYS, or it was altered."""

    def __init__(self) -> None:
        super().__init__(
            "A stored secret does not open with any of INLOCK_ENCRYPTION_KEYS. Put the key it was sealed with back "
            "into the list, or enter the secret anew."
        )
