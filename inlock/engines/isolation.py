"""Run an engine so that it dies with its keeper, and not as root where it refuses to be root.

PostgreSQL will not run as root. A user namespace shows it another user id
while files stay ours: no account is made and nothing is chowned or loosened,
even below a closed home. Where the kernel forbids namespaces, an unprivileged
account is used instead.
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1

# Looked up before any fork: between fork and exec a child should do as little as possible.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Identity:
    """Who an engine runs as. `uid` is the id it sees in a namespace, or the account it runs under."""

    kind: str  # "self", "namespace" or "account"
    uid: int
    gid: int


def own_identity() -> Identity:
    return Identity("self", os.geteuid(), os.getegid())


def namespace_identity() -> Identity:
    """An id with a name, because initdb wants to know what its user is called. It carries no rights."""
    named = [entry for entry in pwd.getpwall() if entry.pw_uid not in (0, 65534)]
    entry = min(named, key=lambda entry: entry.pw_uid) if named else pwd.getpwnam("nobody")
    return Identity("namespace", entry.pw_uid, entry.pw_gid)


def account_identity() -> Identity:
    """The account to use where namespaces are forbidden."""
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Identity("account", entry.pw_uid, entry.pw_gid)
    raise LookupError("this system has neither an account called postgres nor one called nobody")


def needs_other_identity() -> bool:
    """Whether PostgreSQL would refuse us: as root, or with a user id without a name, as in some containers."""
    if os.geteuid() == 0:
        return True
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return True
    return False


def process_arguments(identity: Identity, *, death_signal: int = signal.SIGTERM) -> dict[str, Any]:
    """Keyword arguments for `subprocess.Popen` that put a child under `identity` and tie it to our life.

    Call from a program with one thread: the parent-death signal follows the
    thread that forked, and code runs between fork and exec.
    """
    arguments: dict[str, Any] = {"preexec_fn": _before_exec(identity, death_signal, os.getpid())}
    if identity.kind == "account":
        arguments |= {"user": identity.uid, "group": identity.gid, "extra_groups": []}
    return arguments


def _before_exec(identity: Identity, death_signal: int, parent: int) -> Callable[[], None]:
    outer_uid, outer_gid = os.geteuid(), os.getegid()

    def prepare() -> None:
        if identity.kind == "namespace":
            _enter_namespace(identity, outer_uid, outer_gid)
        # Started in the background of a shell without job control, all of us ignore SIGQUIT and would pass that on:
        # a worker that still loads would outlive us.
        signal.signal(death_signal, signal.SIG_DFL)
        # After the namespace: entering one clears the parent-death signal.
        tie_to_parent(death_signal, parent)

    return prepare


def tie_to_parent(death_signal: int, parent: int) -> None:
    """Ask the kernel to signal this process when `parent` dies. Elsewhere than on Linux it does nothing, and
    the next start sweeps what was left over.
    """
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), death_signal)


def _enter_namespace(identity: Identity, outer_uid: int, outer_gid: int) -> None:
    if _libc is None:
        raise OSError("user namespaces exist on Linux only")
    if _libc.unshare(CLONE_NEWUSER) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"user namespaces are forbidden here: {os.strerror(code)}")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{identity.uid} {outer_uid} 1")
    _write("/proc/self/gid_map", f"{identity.gid} {outer_gid} 1")


def _write(path: str, content: str) -> None:
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, content.encode())
    finally:
        os.close(handle)
