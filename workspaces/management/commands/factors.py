"""`manage.py factors USER [--remove]`: a person's second factors, and the way out when the last one is lost."""

from argparse import ArgumentParser
from typing import Any

from django.utils.translation import gettext as _

from workspaces.commands import PortalCommand
from workspaces.exceptions import PortalError
from workspaces.identity import factors
from workspaces.models import User


class Command(PortalCommand):
    help = "Show a person's second factors, or remove them when phone, key and recovery codes are lost."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER")
        parser.add_argument("--remove", action="store_true", help="remove all of them and end the person's sessions")

    def run(self, *, user: str, remove: bool, **options: Any) -> dict[str, Any]:
        account = User.objects.filter(username=user).first()
        if account is None:
            raise PortalError(_("There is no account called %(name)s.") % {"name": user})
        found = factors.remove_all(account, by=None) if remove else factors.kinds(account)
        what = ", ".join(found) or "none"
        self.say(f"Removed from {user}: {what}." if remove else f"{user} has: {what}.")
        return {"user": user, "removed" if remove else "factors": found}
