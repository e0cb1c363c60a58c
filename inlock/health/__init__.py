"""Everything `doctor` and the health page know: one finding a thing looked at, and the next step for each fault."""

from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from inlock import engines
from inlock.health import governance, knowledge, machine, mail, models, people, work
from inlock.health.finding import Finding

__all__ = ["Finding", "Section", "findings", "sections"]


@dataclass(frozen=True)
class Section:
    """Findings that belong together; `code` is permanent."""

    code: str
    findings: list[Finding]


def findings() -> list[Finding]:
    """Look at everything once. Starts nothing and changes nothing, and copes with engines that are down."""
    return [finding for section in sections() for finding in section.findings]


def sections() -> list[Section]:
    """The same in groups, in the order in which a fault in one explains those in the next."""
    statuses = engines.status(settings.VAR)
    running = {status.name for status in statuses if status.running}
    broker_runs = "valkey" in running
    try:
        database, contents, trail = _in_the_database(runs="postgresql" in running)
        # Without its tables there is nothing to say of the mails themselves.
        sent = mail.mail(database_runs=bool(contents))
        asked = models.models(database_runs=bool(contents), broker_runs=broker_runs)
    finally:
        if not connection.in_atomic_block:
            connection.close()
    return [
        Section(
            "engines",
            [
                *(machine.engine(status) for status in statuses),
                *machine.files_set_aside(),
                *database,
                machine.disk(),
                *machine.backup(),
            ],
        ),
        Section(
            "work",
            [
                work.serve(),
                *work.broker(runs=broker_runs),
                *work.background_work(broker_runs=broker_runs),
                sent,
                *asked,
            ],
        ),
        Section("knowledge", contents),
        Section("governance", trail),
        Section("machine", [machine.parsers(), *machine.readers(), *machine.settings_found()]),
    ]


def _in_the_database(*, runs: bool) -> tuple[list[Finding], list[Finding], list[Finding]]:
    """What only the database tells: itself, what the portal knows, and its governance."""
    if not runs:
        return [Finding("migrations", _("not known while the database is down"))], [], []
    migrations = people.migrations()
    if migrations.fault:
        return [migrations], [], []
    governed = [people.accounts(), *people.emergency_account(), people.managers()]
    governed += [*governance.trail(), governance.verification()]
    return [migrations, machine.clock()], knowledge.knowledge(), governed
