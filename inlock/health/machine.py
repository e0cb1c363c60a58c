"""What the installation stands on: engines, the process that reads files, disk, settings."""

import ipaddress
import shutil
import socket
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

from documents import sandbox
from documents.ingestion import room
from documents.parse import ParseFailed, ocr, old_office
from inlock import engines
from inlock.health.finding import Finding, megabytes


def engine(status: engines.EngineStatus) -> Finding:
    """An engine as its status tells, and whether strangers could reach it."""
    size = "" if status.disk_bytes is None else f", {megabytes(status.disk_bytes)}"
    version = f" {status.version}" if status.version else ""
    state = f"{status.title}{version}, {status.kind}, {status.address}{size}"
    if status.name == "chroma" and status.running and not _is_private(urlsplit(status.address).hostname or ""):
        fault = f"Chroma has no authentication, and {status.address} is not a private address: anybody may read there."
        return Finding(status.name, state, fault, "Bind it to a private network, and name that address in CHROMA_URL.")
    return Finding(status.name, state, status.fault, status.next_step)


def files_set_aside() -> list[Finding]:
    """Files that kept ending their engine and lie beside its new ones."""
    step = (
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
    "network": ("its network", "allow user namespaces to this account (sysctl user.max_user_namespaces)"),
    "files": ("other files of this account", "run a kernel with Landlock (5.13 or newer)"),
    "calls": ("sockets and other processes", "run a kernel with seccomp filters"),
}


def parsers() -> Finding:
    """Files are read in a child process; what the kernel closes to that child depends on the system."""
    try:
        isolation = sandbox.isolation()
    except ParseFailed as error:
        step = "Look at the limits of this system on memory and processes, then read a file again."
        return Finding(
            "parsers", "not known", f"The process that reads files does not start ({error.code}, {error.detail}).", step
        )
    open_to_it = [told for name, told in _LEFT_OPEN.items() if not getattr(isolation, name)]
    if not open_to_it:
        return Finding(
            "parsers", "read files in a process of their own, without a network, other files or other processes"
        )
    state = f"read files in a process of their own; this system leaves it {', '.join(left for left, _ in open_to_it)}"
    step = f"To close that, {'; '.join(how for _, how in open_to_it)}. Until then keep the host off the network."
    return Finding("parsers", state, "", step)


def disk() -> Finding:
    """What is free, and whether files are still taken in."""
    free, total = room.free_bytes(), shutil.disk_usage(settings.VAR).total
    state = f"{megabytes(free)} free of {megabytes(total)} at {settings.VAR}"
    if not room.is_short():
        return Finding("disk", state)
    least = megabytes(settings.LOW_DISK_BYTES)
    fault = f"Less than {least} are free: no files are taken in. The database stops when there is nothing left."
    return Finding("disk", state, fault, "Free some space, or move the directory and name its new place in INLOCK_VAR.")


def readers() -> list[Finding]:
    """Programs beside ours that read what our parsers cannot; an installation may do without them."""
    try:
        recognition = f"Tesseract, for {', '.join(_recognised())}"
    except ParseFailed:
        recognition = "no Tesseract: scans and pictures fail with a sentence that says so"
    office = "LibreOffice" if old_office.program() else "no LibreOffice: DOC, XLS and PPT fail with a sentence"
    return [Finding("text recognition", recognition), Finding("old Office files", office)]


@cache
def _recognised() -> tuple[str, ...]:
    """The languages that are read. Each look loads their models, half a second's work, and the process keeps them."""
    return ocr.Engine().languages


def settings_found() -> list[Finding]:
    """What Django's own checks find, with those for deployment in production mode."""
    serious = _serious()
    if not serious:
        return [Finding("settings", f"{settings.MODE} mode, no problem found")]
    return [Finding("settings", message.id or "", message.msg, message.hint or "") for message in serious]


@cache
def _serious() -> tuple[checks.CheckMessage, ...]:
    """They read code, settings and environment, which a process keeps to its end, and take half a second of work."""
    found = checks.run_checks(include_deployment_checks=settings.PRODUCTION)
    return tuple(message for message in found if message.level >= checks.WARNING and not message.is_silenced())
