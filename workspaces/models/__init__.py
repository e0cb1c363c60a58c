"""People, workspaces, who belongs to which in what role, and what the governance of rights keeps."""

from workspaces.models.governance import (
    AccessReview,
    AccessReviewLine,
    ApiToken,
    Bar,
    BreakGlass,
    ClaimRule,
    PlatformPolicy,
    RoleBar,
    Verdict,
    ViewAs,
)
from workspaces.models.notification import (
    Channel,
    Correspondence,
    Mail,
    MailState,
    Notification,
    NotificationChoice,
)
from workspaces.models.people import Membership, PeopleGroup, User
from workspaces.models.workspace import (
    CustomRole,
    ReviewPolicy,
    Workspace,
    WorkspaceGroupGrant,
    WorkspaceRole,
    WorkspaceUserGrant,
)

__all__ = [
    "AccessReview",
    "AccessReviewLine",
    "ApiToken",
    "Bar",
    "BreakGlass",
    "Channel",
    "ClaimRule",
    "Correspondence",
    "CustomRole",
    "Mail",
    "MailState",
    "Membership",
    "Notification",
    "NotificationChoice",
    "PeopleGroup",
    "PlatformPolicy",
    "ReviewPolicy",
    "RoleBar",
    "User",
    "Verdict",
    "ViewAs",
    "Workspace",
    "WorkspaceGroupGrant",
    "WorkspaceRole",
    "WorkspaceUserGrant",
]
