"""What the installation stands on: engines, the process that reads files, disk, settings."""

import ipaddress
import shutil
import socket
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from documents import sandbox
from documents.ingestion import room
from documents.parse import ParseFailed, ocr, old_office
from inlock import engines
from inlock.health.finding import Finding, megabytes
from workspaces.readiness.thresholds import of

#: Seconds that this machine's clock and the database's may differ: less than the step of a sign-in code, and than
#: any lease.
CLOCKS_APART = 5

#: What engines say of themselves, whose own modules know no Django.
_SAID = (
    gettext_noop("It is not running."),
    gettext_noop("Start the portal with `manage.py serve`; any other command starts it for its own duration."),
    gettext_noop("embedded"),
    gettext_noop("external"),
)


def engine(status: engines.EngineStatus) -> Finding:
    """An engine as its status tells, and whether strangers could reach it."""
    size = "" if status.disk_bytes is None else f", {megabytes(status.disk_bytes)}"
    version = f" {status.version}" if status.version else ""
    state = f"{status.title}{version}, {_(status.kind)}, {status.address}{size}"
    if status.name == "chroma" and status.running and not _is_private(urlsplit(status.address).hostname or ""):
        fault = _("Chroma has no authentication, and %(address)s is not a private address: anybody may read there.")
        step = _("Bind it to a private network, and name that address in CHROMA_URL.")
        return Finding(status.name, state, fault % {"address": status.address}, step)
    return Finding(status.name, state, _in_words(status.fault), _in_words(status.next_step))


def _in_words(said: str) -> str:
    return _(said) if said in _SAID else said


def files_set_aside() -> list[Finding]:
    """Files that kept ending their engine and lie beside its new ones."""
    step = _(
        "Nothing is lost: the indexes are put back from the database. Delete the directory once nobody wants to look "
        "into it; until then, receipts of deletions wait where it holds something of what was erased."
    )
    return [
        Finding(
            "files set aside",
            f"{aside.directory.name}, {megabytes(engines.size(aside.directory))}. {aside.why}",
            next_step=step,
        )
        for aside in engines.all_set_aside(settings.VAR)
    ]


def _is_private(host: str) -> bool:
    """Whether every address of `host` is this machine's or a private network's."""
    found = {str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    return all(ipaddress.ip_address(address.partition("%")[0]).is_private for address in found)


#: What a system may leave open to the process that reads files, and what closes it.
_LEFT_OPEN = {
    "network": (
        gettext_lazy("its network"),
        gettext_lazy("allow user namespaces to this account (sysctl user.max_user_namespaces)"),
    ),
    "files": (gettext_lazy("other files of this account"), gettext_lazy("run a kernel with Landlock (5.13 or newer)")),
    "calls": (gettext_lazy("sockets and other processes"), gettext_lazy("run a kernel with seccomp filters")),
}


def parsers() -> Finding:
    """Files are read in a child process; what the kernel closes to that child depends on the system."""
    try:
        isolation = sandbox.isolation()
    except ParseFailed as error:
        step = _("Look at the limits of this system on memory and processes, then read a file again.")
        fault = _("The process that reads files does not start (%(code)s, %(detail)s).")
        return Finding("parsers", _("not known"), fault % {"code": error.code, "detail": error.detail}, step)
    open_to_it = [told for name, told in _LEFT_OPEN.items() if not getattr(isolation, name)]
    if not open_to_it:
        closed = _("read files in a process of their own, without a network, other files or other processes")
        return Finding("parsers", closed)
    state = _("read files in a process of their own; this system leaves it %(what)s")
    step = _("To close that, %(how)s. Until then keep the host off the network.")
    left, how = (", ".join(str(told[0]) for told in open_to_it), "; ".join(str(told[1]) for told in open_to_it))
    return Finding("parsers", state % {"what": left}, "", step % {"how": how})


def disk() -> Finding:
    """What is free, and whether files are still taken in."""
    free, total = room.free_bytes(), shutil.disk_usage(settings.VAR).total
    state = _("%(free)s free of %(total)s at %(place)s")
    state %= {"free": megabytes(free), "total": megabytes(total), "place": settings.VAR}
    if not room.is_short():
        return Finding("disk", state)
    fault = _("Less than %(least)s are free: no files are taken in. The database stops when there is nothing left.")
    step = _("Free some space, or move the directory and name its new place in INLOCK_VAR.")
    return Finding("disk", state, fault % {"least": megabytes(settings.LOW_DISK_BYTES)}, step)


def backup_made_at() -> datetime | None:
    """When the last backup was whole, by the file that whatever makes them touches; None where nothing tells of any.

    Raises OSError when that file cannot be looked at.
    """
    if not settings.BACKUP_MARKER:
        return None
    return datetime.fromtimestamp(Path(settings.BACKUP_MARKER).stat().st_mtime, UTC)


def backup() -> list[Finding]:
    """How old the last backup is; nothing where the portal cannot know."""
    step = _("Look at what makes your backups; it touches the file named in INLOCK_BACKUP_MARKER once one is whole.")
    try:
        made_at = backup_made_at()
    except OSError as error:
        fault = _("The file that tells of backups cannot be looked at: %(error)s.") % {"error": error.strerror}
        return [Finding("backup", _("not known"), fault, step)]
    if made_at is None:
        return []
    hours = (timezone.now() - made_at).total_seconds() / 3600
    if hours < -1:
        fault = _("The file that tells of backups is dated in the future, so it tells of none.")
        return [Finding("backup", _("not known"), fault, step)]
    told = {"hours": max(int(hours), 0), "when": f"{timezone.localtime(made_at):%Y-%m-%d %H:%M}"}
    state = _("the last is %(hours)d hours old, of %(when)s") % told
    if hours < of("backup_hours_block"):
        return [Finding("backup", state)]
    return [Finding("backup", state, _("The last backup is too old to count on."), step)]


def clock() -> Finding:
    """How far this machine's clock and the database's are apart, to half of what asking took."""
    asked_at = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        (there,) = cursor.fetchone()
    answered_at = time.time()
    unsure = (answered_at - asked_at) / 2
    apart = there - (asked_at + unsure)
    state = _("%(seconds).1f seconds from the database's") % {"seconds": apart}
    if abs(apart) - unsure < CLOCKS_APART:
        return Finding("clock", state)
    fault = _("This machine's clock and the database's differ: times in the trail, mails and sign-in codes go wrong.")
    return Finding("clock", state, fault, _("Let both machines take their time from a time server (NTP)."))


def readers() -> list[Finding]:
    """Programs beside ours that read what our parsers cannot; an installation may do without them."""
    try:
        recognition = _("Tesseract, for %(languages)s") % {"languages": ", ".join(_recognised())}
    except ParseFailed:
        recognition = _("no Tesseract: scans and pictures fail with a sentence that says so")
    office = "LibreOffice" if old_office.program() else _("no LibreOffice: DOC, XLS and PPT fail with a sentence")
    return [Finding("text recognition", recognition), Finding("old Office files", office)]


@cache
def _recognised() -> tuple[str, ...]:
    """The languages that are read. A look loads the model of one, a sixth of a second's work."""
    return ocr.languages()


def settings_found() -> list[Finding]:
    """What Django's own checks find, with those for deployment in production mode."""
    serious = _serious()
    if not serious:
        return [Finding("settings", _("%(mode)s mode, no problem found") % {"mode": settings.MODE})]
    return [Finding("settings", message.id or "", message.msg, message.hint or "") for message in serious]


@cache
def _serious() -> tuple[checks.CheckMessage, ...]:
    """They read code, settings and environment, which a process keeps to its end, and take half a second of work."""
    found = checks.run_checks(include_deployment_checks=settings.PRODUCTION)
    return tuple(message for message in found if message.level >= checks.WARNING and not message.is_silenced())
