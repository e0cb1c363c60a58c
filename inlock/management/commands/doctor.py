"""`manage.py doctor`: what runs, what does not, and what to do about it. Starts nothing."""

from dataclasses import asdict
from typing import Any

from inlock import health
from workspaces.commands import PortalCommand


class Command(PortalCommand):
    help = "Look at engines, versions, disk, migrations, workers and settings; name the next step for each fault."

    def run(self, **options: Any) -> dict[str, Any]:
        findings = health.findings()
        for finding in findings:
            self.say(f"{'FAULT' if finding.fault else 'ok':5}  {finding.name}: {finding.state}")
            if finding.fault:
                self.say(f"       {finding.fault}")
            if finding.next_step:
                self.say(f"       → {finding.next_step}")
        faults = sum(bool(finding.fault) for finding in findings)
        if faults:
            self.does_not_hold()
        self.say("Everything is as it should be." if not faults else f"{faults} to look after.")
        return {"ok": not faults, "findings": [asdict(finding) for finding in findings]}
