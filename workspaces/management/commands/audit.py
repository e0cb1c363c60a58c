"""The trail from a terminal, for the operator: verify, export, sign, divide the database's roles."""

import json
import shutil
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from audit import archive, chain, database_roles, export, signing
from audit.exceptions import AuditError
from workspaces import held_rights
from workspaces.auditing import evidence_pack, trail
from workspaces.commands import PortalCommand
from workspaces.exceptions import PortalError
from workspaces.models import Workspace

#: Faults printed of one chain; --json has them all.
_SHOWN = 20


class Command(PortalCommand):
    help = "Verify, export, sign, pack or archive the audit trail; print the public key, or SQL for the tables' owner."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "act", choices=["verify", "export", "checkpoint", "pack", "archive", "detach", "key", "roles"]
        )
        parser.add_argument(
            "slug",
            nargs="?",
            metavar="SLUG",
            help="a workspace, or “platform”; without it, every chain (not for export)",
        )
        parser.add_argument("--format", choices=list(export.KINDS), default="jsonl", help="how to export")
        parser.add_argument(
            "--after", type=int, default=0, metavar="CURSOR", help="export what follows the entry with this number"
        )
        parser.add_argument(
            "--accept-new-key", action="store_true", help="sign although the key before is lost and cannot vouch"
        )

        parser.add_argument(
            "--since", default="", metavar="DATE", help="for `pack`: the first day; default: from the start"
        )
        parser.add_argument("--until", default="", metavar="DATE", help="for `pack`: the last day; default: until now")
        parser.add_argument("--workspace", metavar="SLUG", help="for `pack`: the same as SLUG")
        parser.add_argument(
            "--out", type=Path, metavar="FILE", help="for `pack` and `archive`: where it goes, a new file for `archive`"
        )
        parser.add_argument(
            "--before", default="", metavar="DATE", help="for `archive`: the first day that stays in the database alone"
        )
        parser.add_argument(
            "--archive",
            type=Path,
            metavar="FILE",
            help="for `detach`: the archive whose entries may leave the database",
        )
        parser.add_argument("--owner", metavar="ROLE", help="for `roles`: who owns the tables and migrates")
        parser.add_argument("--application", metavar="ROLE", help="for `roles`: who the portal runs as")

    def run(self, *, act: str, slug: str | None, **options: Any) -> Any:
        try:
            if act == "export":
                if slug is None:
                    raise PortalError(_("Say which chain to export: a workspace's short name, or platform."))
                return self._export(_chain(slug), options["format"], options["after"])
            if act == "pack":
                return self._pack(slug or options["workspace"], options["since"], options["until"], options["out"])
            if act in {"archive", "detach"}:
                if slug is None:
                    raise PortalError(_("Say which chain: a workspace's short name, or platform."))
                if act == "archive":
                    return self._archive(_chain(slug), options["before"], options["out"])
                return self._detach(_chain(slug), options["archive"])
            if act == "key":
                return self._key()
            if act == "roles":
                return self._roles(options["owner"], options["application"])
            chains = _chains() if slug is None else [_chain(slug)]
            return self._verify(chains) if act == "verify" else self._checkpoint(chains, options["accept_new_key"])
        except AuditError as error:
            raise PortalError(str(error)) from error

    def _verify(self, chains: list[trail.Chain]) -> dict[str, Any]:
        outcomes = [(which.code, trail.verify(which, by=None)) for which in chains]
        for code, outcome in outcomes:
            if outcome.holds:
                signed = f", as {outcome.checkpoints} checkpoints say" if outcome.checkpoints else ""
                behind = f" behind {outcome.archived} that are in an archive" if outcome.archived else ""
                self.say(f"{code}: {outcome.events} entries{behind}, the chain holds{signed}.")
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

    def _export(self, which: trail.Chain, kind: str, after: int) -> dict[str, Any]:
        if self.as_json and kind != "jsonl":
            raise PortalError(_("--json goes with --format jsonl alone."))
        lines = trail.lines(which, by=None, kind=kind, after=after)
        if self.as_json:
            header, *entries = [json.loads(line) for line in lines]
            return {**header, "events": entries}
        for line in lines:
            self.say(line)
        return {}

    def _checkpoint(self, chains: list[trail.Chain], accept_new_key: bool) -> dict[str, Any]:
        made = []
        for which in chains:
            checkpoint = trail.sign(which, accept_new_key=accept_new_key)
            told = f"signed up to entry {checkpoint.seq}" if checkpoint else "nothing new to sign"
            self.say(f"{which.code}: {told}.")
            made.append(
                {"slug": which.code, "seq": checkpoint and checkpoint.seq, "root": checkpoint and checkpoint.root}
            )
        return {"checkpoints": made}

    def _pack(self, slug: str | None, since: str, until: str, out: Path | None) -> dict[str, Any]:
        if out is None:
            raise PortalError(_("Say where the archive goes: --out FILE."))
        chains = _chains() if slug is None else [_chain(slug)]
        period = evidence_pack.period_of(since, until)
        try:
            with evidence_pack.make(chains, period, by=None) as pack, out.open("wb") as file:
                shutil.copyfileobj(pack, file)
        except OSError as error:
            raise PortalError(
                _("Cannot write %(file)s: %(why)s.") % {"file": error.filename or out, "why": error.strerror}
            ) from error
        self.say(f"{out}: {', '.join(which.code for which in chains)}. Check it with audit/verifier.py.")
        return {"file": str(out), "chains": [which.code for which in chains], "key": signing.current_key().public}

    def _archive(self, which: trail.Chain, before: str, out: Path | None) -> dict[str, Any]:
        if out is None or not before:
            raise PortalError(
                _("Say from which day on entries stay, and where the archive goes: --before DATE --out FILE.")
            )
        moment = evidence_pack.period_of(before, "").since
        upto = archive.last_checkpoint(which.name, moment).seq
        carried = {held_rights.CARRIED: held_rights.carried_on(which, upto)}
        try:
            made = archive.make(which.name, before=moment, path=out, carried=carried)
        except OSError as error:
            raise PortalError(
                _("Cannot write %(file)s: %(why)s.") % {"file": error.filename or out, "why": error.strerror}
            ) from error
        self.say(f"{out}: {which.code} up to entry {made.upto}. Keep it: check it with audit/verifier.py.")
        return {"file": str(out), "slug": which.code, "upto": made.upto, "manifest_sha256": chain.digest(made.document)}

    def _detach(self, which: trail.Chain, file: Path | None) -> dict[str, Any]:
        if file is None:
            raise PortalError(_("Say which archive holds what is to leave: --archive FILE."))
        try:
            with file.open("rb") as content:
                script = archive.detaching(which.name, content)
        except OSError as error:
            raise PortalError(_("Cannot read %(file)s: %(why)s.") % {"file": file, "why": error.strerror}) from error
        self.say(script)
        return {"slug": which.code, "sql": script}

    def _key(self) -> dict[str, Any]:
        public = signing.current_key().public
        self.say(public)
        return {"key": public}

    def _roles(self, owner: str | None, application: str | None) -> dict[str, Any]:
        if not owner or not application or owner == application:
            raise PortalError(
                _("Name two roles: --owner, which migrates, and --application, which the portal runs as.")
            )
        script = database_roles.script(owner=owner, application=application)
        self.say(script)
        return {"sql": script}


def _chains() -> list[trail.Chain]:
    """The platform's and every workspace's, so that one whose entries are all gone does not pass unnoticed."""
    return [trail.Chain(), *(trail.Chain(workspace) for workspace in Workspace.objects.order_by("slug"))]


def _chain(slug: str) -> trail.Chain:
    if slug == chain.PLATFORM:
        return trail.Chain()
    workspace = Workspace.objects.filter(slug=slug).first()
    if workspace is None:
        raise PortalError(_("There is no workspace called %(slug)s.") % {"slug": slug})
    return trail.Chain(workspace)
