"""Everything `doctor` and the health page know: one finding a thing looked at, and the next step for each fault."""

import ipaddress
import shutil
import socket
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core import checks
from django.db import OperationalError, connection
from django.utils import timezone

from audit import checkpoints, database_roles
from documents import sandbox
from documents.parse import ParseFailed
from inlock import engines, migrating, supervisor
from inlock.celery import CANARY_SECONDS, QUEUES
from inlock.env import Env
from inlock.tasks import seconds_since_canary
from workspaces import members
from workspaces.dispatch import worker_is_up
from workspaces.identity import local_sign_in

#: Below this much free disk uploads are at risk, and below a tenth of it the database is.
LOW_DISK_BYTES = 2 * 1024**3
ALL_APPLIED = "all applied"
# Two rounds may be lost to a restart without anything being wrong.
CANARY_IS_LATE = 3 * CANARY_SECONDS
#: For as long somebody who looks seldom must learn that the emergency account was used.
EMERGENCY_IS_NEWS = timedelta(days=7)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `fault` is empty when it is as it should be; a next step may still be advised."""

    name: str
    state: str
    fault: str = ""
    next_step: str = ""


def findings() -> list[Finding]:
    """Look at everything once. Starts nothing and changes nothing, and copes with engines that are down."""
    statuses = engines.status(settings.VAR)
    running = {status.name for status in statuses if status.running}
    return [
        *(_engine(status) for status in statuses),
        *_database(runs="postgresql" in running),
        _serve(),
        *_background_work(broker_runs="valkey" in running),
        _parsers(),
        _disk(settings.VAR),
        *_settings(),
    ]


def _engine(status: engines.EngineStatus) -> Finding:
    size = "" if status.disk_bytes is None else f", {_megabytes(status.disk_bytes)}"
    version = f" {status.version}" if status.version else ""
    state = f"{status.title}{version}, {status.kind}, {status.address}{size}"
    if status.name == "chroma" and status.running and not _is_private(urlsplit(status.address).hostname or ""):
        fault = f"Chroma has no authentication, and {status.address} is not a private address: anybody may read there."
        return Finding(status.name, state, fault, "Bind it to a private network, and name that address in CHROMA_URL.")
    return Finding(status.name, state, status.fault, status.next_step)


def _is_private(host: str) -> bool:
    """Whether every address of `host` is this machine's or a private network's."""
    found = {str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    return all(ipaddress.ip_address(address.partition("%")[0]).is_private for address in found)


def _database(*, runs: bool) -> list[Finding]:
    if not runs:
        return [Finding("migrations", "not known while the database is down")]
    try:
        migrations = _migrations()
        if migrations.state != ALL_APPLIED:
            return [migrations]
        return [migrations, _accounts(), *_emergency_account(), _managers(), *_trail()]
    finally:
        connection.close()


def _migrations() -> Finding:
    try:
        missing = migrating.pending()
    except OperationalError as error:
        return Finding("migrations", "not known", f"The database refuses: {error}", "See the database's finding.")
    if not missing:
        return Finding("migrations", ALL_APPLIED)
    step = "Run `manage.py migrate`."
    return Finding("migrations", f"{len(missing)} missing", f"The database lacks {missing[0]} and what follows.", step)


def _accounts() -> Finding:
    """What the checks that need the database find, such as an account with a published password."""
    faults = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    if not faults:
        return Finding("accounts", "no problem found")
    return Finding("accounts", faults[0].id or "", faults[0].msg, faults[0].hint or "")


def _emergency_account() -> list[Finding]:
    """Whether the one account beside the provider would open, and when it last did."""
    if settings.LOCAL_SIGN_IN or not settings.EMERGENCY_ACCOUNT:
        return []
    name = f"emergency account {settings.EMERGENCY_ACCOUNT}"
    if missing := local_sign_in.emergency_lacks():
        step = "Make it whole while the provider works: `changepassword`, and a second factor under its own account."
        return [Finding(name, "closed", f"Nobody could sign in with it: {missing}.", step)]
    used_at = local_sign_in.emergency_used_at()
    if used_at is None:
        return [Finding(name, "never used")]
    state = f"used on {timezone.localtime(used_at):%Y-%m-%d %H:%M}"
    if timezone.now() - used_at > EMERGENCY_IS_NEWS:
        return [Finding(name, state)]
    step = "If none of you did, close the account and read the trail. Otherwise give it another password."
    return [Finding(name, state, "Somebody signed in beside the identity provider.", step)]


def _managers() -> Finding:
    """A provider's groups, or the end of an account, may take the last who could manage a workspace."""
    slugs = list(members.without_manager().order_by("slug").values_list("slug", flat=True))
    if not slugs:
        return Finding("managers", "every workspace has one")
    shown = ", ".join(slugs[:5]) + (", …" if len(slugs) > 5 else "")
    step = "A platform administrator names one, on the workspace's page in the admin."
    return Finding("managers", f"{len(slugs)} missing", f"Nobody may manage these workspaces: {shown}.", step)


def _trail() -> list[Finding]:
    """Whether the trail is signed in time, and whether the portal itself could rewrite it."""
    late = checkpoints.late() if _expects_workers() else []
    powers = database_roles.powers_over_the_trail()
    signed = Finding("checkpoints", f"written to {settings.CHECKPOINTS}")
    if late:
        step = "Run `manage.py audit checkpoint`, which says what is in the way; `audit verify` says where damage is."
        signed = Finding("checkpoints", "late", f"Chains without a checkpoint in time: {', '.join(late)}.", step)
    if not powers or not settings.PRODUCTION:
        return [signed]
    if settings.EMBEDDED_DATABASE:
        return [signed, Finding("trail", "the portal owns this database; checkpoints outside would show a rewriting")]
    step = "Divide the database between two roles: `manage.py audit roles` prints the SQL; see docs/operations.md."
    fault = f"The portal's role in the database {powers[0]}: whoever takes the portal over can rewrite the trail."
    return [signed, Finding("trail", "not out of the portal's reach", fault, step)]


def _serve() -> Finding:
    told = supervisor.report(settings.VAR)
    if told is None:
        return Finding("serve", "not running here; commands do the work in their own process")
    children = told.get("children", [])
    state = ", ".join(f"{child['name']} {child['state']}" for child in children)
    faults = [child["fault"] for child in children if child["state"] == "restarting"]
    step = "It is restarted by itself; the log named above says why it ended." if faults else ""
    return Finding("serve", f"{told.get('url')} ({state})", " ".join(faults), step)


def _background_work(*, broker_runs: bool) -> list[Finding]:
    if not broker_runs:
        return [Finding("background work", "not known while the broker is down")]
    found = [_queue(queue) for queue in QUEUES]
    if not any(finding.fault for finding in found) and _expects_workers():
        found.append(_canary())
    return found


def _expects_workers() -> bool:
    """Workers belong to a running `serve`, or to an installation with a broker of its own."""
    return supervisor.report(settings.VAR) is not None or bool(Env().str("REDIS_URL"))


def _queue(queue: str) -> Finding:
    name = f"worker {queue}"
    if worker_is_up(queue):
        return Finding(name, "takes work")
    if not _expects_workers():
        return Finding(name, "none; commands do the work in their own process")
    step = f"Start a worker: `celery --app inlock.celery worker -Q {queue}`. Under `serve` it starts by itself."
    return Finding(name, "none", f"No worker takes from the queue {queue}.", step)


def _canary() -> Finding:
    try:
        seconds = seconds_since_canary()
    except (redis.RedisError, OSError) as error:
        return Finding("schedule", "not known", f"The broker refuses: {error}", "See the broker's finding.")
    if seconds is not None and seconds < CANARY_IS_LATE:
        return Finding("schedule", f"a scheduled task ran {seconds:.0f} seconds ago")
    when = "since the broker was set up" if seconds is None else f"for {seconds:.0f} seconds"
    step = "Just after a start, look again in a minute. Otherwise see the logs of beat and of the worker."
    return Finding("schedule", "late", f"No scheduled task has run {when}.", step)


def _parsers() -> Finding:
    """Files are read in a child process; whether that child is without a network depends on the system."""
    try:
        isolated = sandbox.network_isolated()
    except ParseFailed as error:
        step = "Look at the limits of this system on memory and processes, then read a file again."
        return Finding(
            "parsers", "not known", f"The process that reads files does not start ({error.code}, {error.detail}).", step
        )
    if isolated:
        return Finding("parsers", "read files in a process of their own, without a network")
    step = "Allow user namespaces to this account (sysctl user.max_user_namespaces), or keep the host off the network."
    return Finding("parsers", "read files in a process of their own, which this system leaves its network", "", step)


def _disk(var: Path) -> Finding:
    usage = shutil.disk_usage(var)
    state = f"{_megabytes(usage.free)} free of {_megabytes(usage.total)} at {var}"
    if usage.free > LOW_DISK_BYTES:
        return Finding("disk", state)
    step = "Free some space, or move the directory and name its new place in INLOCK_VAR."
    return Finding("disk", state, "Little disk space is left; the database stops when there is none.", step)


def _settings() -> list[Finding]:
    """What Django's own checks find, with those for deployment in production mode."""
    serious = [
        message
        for message in checks.run_checks(include_deployment_checks=settings.PRODUCTION)
        if message.level >= checks.WARNING and not message.is_silenced()
    ]
    if not serious:
        return [Finding("settings", f"{settings.MODE} mode, no problem found")]
    return [Finding("settings", message.id or "", message.msg, message.hint or "") for message in serious]


def _megabytes(count: int) -> str:
    return f"{count / 1024**2:,.0f} MB"
