"""`workspace create SLUG --name …`: a workspace with its people, for the operator at the command line."""

from argparse import SUPPRESS, ArgumentParser
from typing import Any

from django.db import transaction

from workspaces import members
from workspaces.commands import PortalCommand
from workspaces.models import ReviewPolicy, User
from workspaces.roles import Role


class Command(PortalCommand):
    help = "Create a workspace with people in it. Accounts that do not exist are created without a password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        create = parser.add_subparsers(dest="act", required=True, metavar="create").add_parser(
            "create", help="create a workspace"
        )
        # Behind the sub-command as well as before it, where a default would undo it.
        create.add_argument("--json", action="store_true", default=SUPPRESS, help="print one JSON document")
        create.add_argument("slug", metavar="SLUG", help="short name, as in hr-policies")
        create.add_argument("--name", default="", help="what people see")
        create.add_argument("--policy", choices=ReviewPolicy.values, default=ReviewPolicy.OPEN)
        for role in Role:
            create.add_argument(
                f"--{role}", action="append", default=[], metavar="USER", help=f"{role.label}; may be given again"
            )

    def run(self, *, act: str, slug: str, name: str, policy: str, **people: list[str]) -> dict[str, Any]:
        created: list[str] = []
        with transaction.atomic():
            workspace = members.create_workspace(slug=slug, name=name or slug, policy=policy, by=None)
            for role in Role:
                for username in people[role]:
                    members.add_member(workspace, self._account(username, created), role, by=None)
        self.say(f"Workspace {workspace.slug} is there ({workspace.get_review_policy_display()}).")
        for role in Role:
            if people[role]:
                self.say(f"  {role.label}: {', '.join(people[role])}")
        if created:
            self.say(f"New accounts without a password: {', '.join(created)}.")
            self.say("Give them one with `manage.py changepassword USER`.")
        return {
            "workspace": workspace.slug,
            "id": workspace.pk,
            "name": workspace.name,
            "policy": workspace.review_policy,
            "people": {str(role): people[role] for role in Role if people[role]},
            "created_accounts": created,
        }

    def _account(self, username: str, created: list[str]) -> User:
        user = User.objects.filter(username=username).first()
        if user is None:
            user = members.create_user(username=username, by=None)
            created.append(username)
        return user
