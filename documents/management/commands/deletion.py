"""`deletion list SLUG|receipt ID --as USER`: what was deleted, and the signed receipts of it."""

import json
from argparse import SUPPRESS, ArgumentParser
from typing import Any

from documents.deletion import holds
from documents.deletion.receipts import hand_out
from documents.deletion.traces_in_words import standing_of
from documents.models import Deletion
from workspaces import access
from workspaces.commands import PortalCommand
from workspaces.exceptions import Hidden
from workspaces.models import User
from workspaces.roles import Action


class Command(PortalCommand):
    help = "List what was deleted in a workspace, or print the receipt of a deletion for audit/verifier.py."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        acts = parser.add_subparsers(dest="act", required=True, metavar="list|receipt")
        for act, words in (("list", "what was deleted, and how far its erasure is"), ("receipt", "the signed receipt")):
            of = acts.add_parser(act, help=words)
            # Behind the sub-command as well as before it, where a default would undo it.
            of.add_argument("--json", action="store_true", default=SUPPRESS, help="print one JSON document")
            of.add_argument("--as", dest="username", required=True, metavar="USER", help="whose rights to use")
            of.add_argument("what", metavar="SLUG" if act == "list" else "ID")

    def run(self, *, act: str, username: str, what: str, **options: Any) -> Any:
        user = self._person(username)
        return self._list(user, what) if act == "list" else self._receipt(user, what)

    def _list(self, user: User, slug: str) -> list[dict[str, Any]]:
        workspace = self.workspace(user, slug, Action.MANAGE_DOCUMENTS)
        deletions = access.visible(user, Deletion).filter(workspace=workspace, restored_at=None)
        return [self._said(one) for one in deletions.select_related("document").order_by("-deleted_at")]

    def _said(self, deletion: Deletion) -> dict[str, Any]:
        standing = standing_of(deletion, held=holds.on_document(deletion.document).exists())
        self.say(f"{deletion.pk}  {deletion}  {standing.label}: {standing.sentence}")
        return {
            "deletion": str(deletion.pk),
            "document": str(deletion.document_id),
            "version": str(deletion.version_id) if deletion.version_id else None,
            "deleted_at": deletion.deleted_at,
            "erased_at": deletion.erased_at,
            "found": {one["place"]: sorted(one["found"]) for one in deletion.search.get("places", []) if one["found"]},
            "receipt": deletion.receipt_issued_at,
        }

    def _receipt(self, user: User, pk: str) -> Any:
        deletion = access.find(user, Action.MANAGE_DOCUMENTS, Deletion, pk=pk)
        if not deletion.is_named:
            raise Hidden(user=user, workspace=deletion.workspace, action=Action.MANAGE_DOCUMENTS, thing=deletion)
        receipt = hand_out(deletion, by=user)
        self.say(receipt)
        return json.loads(receipt)
