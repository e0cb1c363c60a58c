"""`hold list|place|lift … --as USER`: the legal holds of a workspace."""

from argparse import SUPPRESS, ArgumentParser
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from documents.deletion import holds
from documents.exceptions import HoldError
from documents.models import LegalHold
from workspaces import access
from workspaces.commands import PortalCommand
from workspaces.exceptions import Hidden
from workspaces.models import User, Workspace
from workspaces.roles import Action, PlatformAction


class Command(PortalCommand):
    help = "Place a legal hold on a document or a whole workspace, lift it, or list those that stand."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        acts = parser.add_subparsers(dest="act", required=True, metavar="list|place|lift")
        for act, words in (("list", "those that stand"), ("place", "keep something"), ("lift", "end a hold")):
            of = acts.add_parser(act, help=words)
            # Behind the sub-command as well as before it, where a default would undo it.
            of.add_argument("--json", action="store_true", default=SUPPRESS, help="print one JSON document")
            of.add_argument("slug", metavar="SLUG")
            of.add_argument("--as", dest="username", required=True, metavar="USER", help="whose rights to use")
            if act == "place":
                of.add_argument("--document", type=UUID, metavar="ID", help="one document; without it all of them")
            if act == "lift":
                of.add_argument("hold", metavar="ID", type=UUID, help="as `hold list` prints it")
            if act != "list":
                of.add_argument("--reason", required=True, help="kept with the hold and in the trail")

    def run(self, *, act: str, slug: str, username: str, **given: Any) -> Any:
        user = self._person(username)
        workspace = self._workspace_to_hold(user, slug)
        if act == "place":
            hold = self._place(workspace, user, **given)
            return self._said(hold, user) | self._said_beyond(hold)
        if act == "lift":
            return self._said(self._lift(workspace, user, **given), user)
        standing = holds.holds_known_to(user).filter(workspace=workspace, lifted_at=None)
        return [self._said(hold, user) for hold in standing.select_related("document", "placed_by")]

    def _workspace_to_hold(self, user: User, slug: str) -> Workspace:
        """A platform administrator holds workspaces that are none of theirs to open."""
        if PlatformAction.HOLD_WORKSPACES in access.platform_actions(user):
            found = Workspace.objects.filter(slug=slug).first()
            if found is None:
                raise Hidden(user=user, action=Action.HOLD)
            return found
        return self.workspace(user, slug, Action.HOLD)

    def _place(self, workspace: Workspace, user: User, *, document: UUID | None, reason: str) -> LegalHold:
        found = None
        if document is not None:
            found = holds.holdable(user).filter(workspace=workspace, pk=document).first()
            if found is None:
                raise Hidden(user=user, workspace=workspace, action=Action.HOLD)
        return holds.place(workspace, found, by=user, reason=reason)

    def _lift(self, workspace: Workspace, user: User, *, hold: UUID, reason: str) -> LegalHold:
        found = holds.holds_known_to(user).filter(workspace=workspace, pk=hold).first()
        if found is None:
            raise HoldError(_("There is no such hold."))
        holds.lift(found, by=user, reason=reason)
        found.refresh_from_db()
        return found

    def _said_beyond(self, hold: LegalHold) -> dict[str, int]:
        """What the hold came too late for: erasures that had begun go on."""
        beyond = holds.beyond_holding(hold.workspace, hold.document)
        if beyond:
            self.say(holds.BEYOND_HOLDING % {"count": beyond})
        return {"beyond_holding": beyond}

    def _said(self, hold: LegalHold, user: User) -> dict[str, Any]:
        hold = holds.holds_known_to(user).get(pk=hold.pk)
        what, reason = holds.titles([hold])[0], hold.reason if hold.tells else "–"
        self.say(f"{hold.pk}  {what}  {reason}{'' if hold.lifted_at is None else '  (lifted)'}")
        return {
            "hold": str(hold.pk),
            "document": str(hold.document_id) if hold.document_id else None,
            "reason": reason,
            "placed_at": hold.placed_at,
            "placed_by": hold.placed_by.get_username(),
            "lifted_at": hold.lifted_at,
        }
