"""`manage.py token list|revoke`: the API tokens there are, and the end of one, from a terminal.

Tokens are made on the portal, by the person they act for: a command would have to print one for somebody else.
"""

from argparse import ArgumentParser
from typing import Any

from django.db.models import CharField, Q
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from workspaces.commands import PortalCommand
from workspaces.exceptions import PortalError
from workspaces.models import ApiToken
from workspaces.tokens import keeping as tokens


class Command(PortalCommand):
    help = "List API tokens, or revoke one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("act", choices=["list", "revoke"])
        parser.add_argument("which", nargs="?", metavar="TOKEN", help="its id, or its first characters as `list` shows")
        parser.add_argument("--of", metavar="USER", help="list only this person's")

    def run(self, *, act: str, which: str | None, of: str | None, **options: Any) -> dict[str, Any]:
        if act == "list":
            return self._list(of)
        if which is None:
            raise PortalError(_("Say which token to revoke: its id, or its first characters."))
        return self._revoke(which)

    def _list(self, of: str | None) -> dict[str, Any]:
        rows = ApiToken.objects.filter(revoked_at=None).select_related("user").prefetch_related("workspaces")
        found = [_document(token) for token in (rows.filter(user__username=of) if of else rows)]
        for token in found:
            workspaces = ", ".join(token["workspaces"])
            self.say(f"{token['prefix']}…  {token['user']}  {token['name']}  {workspaces}  until {token['expires_at']}")
        if not found:
            self.say("There are no API tokens.")
        return {"tokens": found}

    def _revoke(self, which: str) -> dict[str, Any]:
        rows = ApiToken.objects.annotate(code=Cast("pk", CharField()))
        found = list(rows.filter(Q(code=which) | Q(prefix=which)))
        if len(found) != 1:
            raise PortalError(
                _("%(count)s tokens are called %(which)s: give the id of one.") % {"count": len(found), "which": which}
            )
        tokens.revoke(found[0], by=None)
        self.say(f"Revoked: {found[0]}")
        return {"revoked": str(found[0].pk)}


def _document(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.pk,
        "prefix": token.prefix,
        "name": token.name,
        "user": token.user.get_username(),
        "workspaces": sorted(workspace.slug for workspace in token.workspaces.all()),
        "actions": token.actions,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "fault": tokens.fault_of(token),
    }
