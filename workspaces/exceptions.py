"""What can be refused here. Every error carries a sentence for the person it happens to."""

from collections.abc import Sequence
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


class ViewerMayNot(Forbidden):
    """The person who is looked at as may open the thing; who looks may not."""

    sentence = _("This person may open this. You may not yourself, so its text is not shown.")

    def __init__(self, *, user: Any, **what: Any) -> None:
        self.sentence = _("%(name)s may open this. You may not yourself, so its text is not shown.") % {
            "name": user.name
        }
        super().__init__(user=user, **what)


class ReasonNeeded(Refused):
    """A superuser has no right to this of their own, and has not yet stated why they would use it without one."""

    sentence = _("You hold no right to this. State your reason first: it is recorded with everything you then open.")


class PortalError(Exception):
    """Something a person asked for cannot be done; the message says why and what to do instead."""


class MembershipError(PortalError):
    """A change of people or roles that cannot be made."""


class LinkError(PortalError):
    """An account cannot be linked to an identity of the provider, or unlinked from it."""


class GlassError(PortalError):
    """The glass cannot be broken as asked."""


class BarError(PortalError):
    """A never rule that cannot be made or lifted."""


class WorkspaceError(PortalError):
    """A change of a workspace that cannot be made."""


class RoleError(PortalError):
    """A change of a role of this installation that cannot be made."""


class ClaimRuleError(PortalError):
    """A rule over an identity provider's groups that cannot be made."""


class GroupInUse(PortalError):
    """Grants, bars or rules rest on the group; `uses` says which, and deleting it must be asked for with them."""

    def __init__(self, uses: Sequence[Any]) -> None:
        super().__init__(_("Grants, bars or rules rest on this group. Look at what would change, and confirm it."))
        self.uses = uses


class ReviewError(PortalError):
    """A step of an access review that cannot be taken."""


class ReadinessError(PortalError):
    """A check of readiness or a change of phase that cannot be made now."""


class ViewingError(PortalError):
    """A view as another person that cannot begin."""


class Viewing(Forbidden):
    """Whoever sees the portal as another person only looks."""

    sentence = _("You are seeing the portal as somebody else, so you can only look. End the view first.")


class TokenError(PortalError):
    """An API token that cannot be made as it was asked for."""


class TokenRefused(Exception):
    """A request came with a token that is not to be used. `why` is a short code, `token` the row if there is one."""

    def __init__(self, why: str, token: Any = None) -> None:
        super().__init__(why)
        self.why, self.token = why, token


class CannotUnseal(Exception):
    """A sealed secret does not open: its key is no longer among INLOCK_ENCRYPTION_KEYS, or it was altered."""

    def __init__(self) -> None:
        super().__init__(
            "A stored secret does not open with any of INLOCK_ENCRYPTION_KEYS. Put the key it was sealed with back "
            "into the list, or enter the secret anew."
        )


class TooManyAttempts(Exception):
    """Somebody tried too often. `seconds` is how long to wait."""

    def __init__(self, *, seconds: int) -> None:
        super().__init__(f"Too many attempts: wait {seconds} seconds.")
        self.seconds = seconds


class CountingUnavailable(Exception):
    """Attempts cannot be counted now, so nobody may try."""
