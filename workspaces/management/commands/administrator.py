"""`manage.py administrator USER`: make an account a platform administrator, or take that back.

An account that does not exist is created without a password.
"""

from argparse import ArgumentParser
from typing import Any

from django.utils.translation import gettext as _

from workspaces.commands import PortalCommand
from workspaces.exceptions import PortalError
from workspaces.members import create_user, set_platform_administrator
from workspaces.models import User


class Command(PortalCommand):
    help = "Make an account a platform administrator: workspaces, accounts and model endpoints, but no content."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER")
        parser.add_argument("--remove", action="store_true", help="take the role back")

    def run(self, *, user: str, remove: bool, **options: Any) -> dict[str, Any]:
        account = User.objects.filter(username=user).first()
        if account is None and not remove:
            account = create_user(username=user, by=None)
        if account is None or not account.is_active:
            raise PortalError(_("There is no active account called %(name)s.") % {"name": user})
        set_platform_administrator(account, administrator=not remove, by=None)
        self.say(f"{user} is {'no longer' if remove else 'now'} a platform administrator.")
        return {"user": user, "administrator": not remove}
