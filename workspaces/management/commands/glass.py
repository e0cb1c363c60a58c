"""`glass break|end SLUG --as USER`: a superuser states why they use a workspace without a role, and ends it again."""

from argparse import SUPPRESS, ArgumentParser
from typing import Any

from workspaces import access
from workspaces.commands import PortalCommand
from workspaces.glass import breaking as glass
from workspaces.models import User


class Command(PortalCommand):
    help = "Let a superuser use rights they hold no role for, in one workspace and for a while, with a reason."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        acts = parser.add_subparsers(dest="act", required=True, metavar="break|end")
        for act, words in (("break", "state the reason"), ("end", "end it before its time")):
            of = acts.add_parser(act, help=words)
            # Behind the sub-command as well as before it, where a default would undo it.
            of.add_argument("--json", action="store_true", default=SUPPRESS, help="print one JSON document")
            of.add_argument("slug", metavar="SLUG")
            of.add_argument("--as", dest="username", required=True, metavar="USER", help="the superuser")
            if act == "break":
                of.add_argument("--reason", required=True, help="why; written into the workspace's trail")
                of.add_argument("--minutes", type=int, default=60, help="for how long, at most eight hours")

    def run(self, *, act: str, slug: str, username: str, **given: Any) -> dict[str, Any]:
        user = self._person(username)
        workspace = glass.find_workspace(slug, by=user)
        if act == "break":
            broken = glass.break_glass(workspace, by=user, **given)
            self.say(f"{workspace.slug} is open to {user.username} until {broken.until:%H:%M}, and recorded.")
            return {"workspace": workspace.slug, "user": user.username, "until": broken.until}
        return self._end(user, workspace)

    def _end(self, user: User, workspace: Any) -> dict[str, Any]:
        broken = access.broken_glass(user, workspace)
        if broken is not None:
            glass.end(broken, by=user)
        self.say(f"{workspace.slug} is open to {user.username} as their roles allow.")
        return {"workspace": workspace.slug, "user": user.username, "ended": broken is not None}
