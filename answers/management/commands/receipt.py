"""`receipt ANSWER_ID --as USER`: the signed receipt of one answer."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from answers.exceptions import ReceiptError
from answers.models import Answer
from answers.provenance import receipts
from workspaces import access
from workspaces.commands import PortalCommand
from workspaces.models import User
from workspaces.roles import Action


class Command(PortalCommand):
    help = "Print a signed receipt of an answer, which audit/verifier.py checks anywhere."
    acts_as_person = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("answer", metavar="ANSWER_ID", help="as `ask` prints it")
        parser.add_argument("--out", type=Path, metavar="FILE", help="write it to a file instead")

    def run(self, *, answer: str, out: Path | None, user: User, **options: Any) -> Any:
        found = access.find(user, Action.ASK, Answer, pk=answer)
        document = receipts.issue(found, by=user)
        if out is None:
            self.say(document)
            return json.loads(document)
        try:
            out.write_text(f"{document}\n", encoding="utf-8")
        except OSError as error:
            raise ReceiptError(_("Cannot write %(file)s: %(why)s.") % {"file": out, "why": error.strerror}) from error
        self.say(_("The receipt is in %(file)s.") % {"file": out})
        return {"file": str(out)}
