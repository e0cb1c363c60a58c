"""`audit verify [SLUG]` and `audit export SLUG`: the trail from a terminal, for the operator."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from audit import chain
from workspaces import trail
from workspaces.commands import PortalCommand
from workspaces.exceptions import PortalError
from workspaces.models import Workspace

#: Faults printed of one chain; --json has them all.
_SHOWN = 20


class Command(PortalCommand):
    help = "Verify the audit trail, or write one chain of it as JSON lines."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("act", choices=["verify", "export"])
        parser.add_argument(
            "slug", nargs="?", metavar="SLUG", help="a workspace, or “platform”; verify without it takes every chain"
        )

    def run(self, *, act: str, slug: str | None, **options: Any) -> Any:
        if act == "verify":
            return self._verify(_chains() if slug is None else [_chain(slug)])
        if slug is None:
            raise PortalError("Say which chain to export: a workspace's short name, or platform.")
        return self._export(_chain(slug))

    def _verify(self, chains: list[trail.Chain]) -> dict[str, Any]:
        outcomes = [(which.code, trail.verify(which, by=None)) for which in chains]
        for code, outcome in outcomes:
            if outcome.holds:
                self.say(f"{code}: {outcome.events} entries, the chain holds.")
                continue
            self.does_not_hold()
            self.say(f"{code}: {outcome.events} entries, {len(outcome.faults)} faults:")
            for fault in outcome.faults[:_SHOWN]:
                self.say(f"  {fault.seq} {fault.kind}: {fault.sentence}")
            if len(outcome.faults) > _SHOWN:
                self.say(f"  and {len(outcome.faults) - _SHOWN} more.")
        return {
            "holds": self.holds,
            "chains": [{"slug": code, "holds": outcome.holds, **asdict(outcome)} for code, outcome in outcomes],
        }

    def _export(self, which: trail.Chain) -> dict[str, Any]:
        lines = trail.lines(which, by=None)
        if self.as_json:
            header, *entries = [json.loads(line) for line in lines]
            return {**header, "events": entries}
        for line in lines:
            self.say(line)
        return {}


def _chains() -> list[trail.Chain]:
    """The platform's and every workspace's, so that one whose entries are all gone does not pass unnoticed."""
    return [trail.Chain(), *(trail.Chain(workspace) for workspace in Workspace.objects.order_by("slug"))]


def _chain(slug: str) -> trail.Chain:
    if slug == chain.PLATFORM:
        return trail.Chain()
    workspace = Workspace.objects.filter(slug=slug).first()
    if workspace is None:
        raise PortalError(f"There is no workspace called {slug}.")
    return trail.Chain(workspace)
