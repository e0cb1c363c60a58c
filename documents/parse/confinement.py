"""Shut a process in before it reads an untrusted file: what it may use, reach, open and call.

The limits hold everywhere. Network, files and system calls are closed by the kernel where it is a Linux that can; what
holds here is the answer, which the portal's health page shows.
"""

import contextlib
import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from documents.parse import landlock, seccomp

ROOT = Path(__file__).resolve().parents[2]

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
#: mount_setattr, which came before Landlock did: the same number on every processor, and `struct mount_attr`.
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _READ_ONLY = 442, -100, 0x8000, struct.pack("=QQQQ", 1, 0, 0, 0)

#: Libraries, fonts and the words that text recognition knows; and the few files of the system that libraries ask for.
_LIBRARIES = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/etc/mime.types", "/etc/localtime")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
#: What LibreOffice is made of, besides.
_PROGRAMS = (
    *("/bin", "/sbin", "/var/lib/libreoffice", "/var/spool/libreoffice", "/var/cache/fontconfig"),
    *("/etc/libreoffice", "/etc/alternatives", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/locale.alias"),
)


def shut_in(limits: Mapping[str, float], file: Path | None) -> dict[str, bool]:
    """Keep of files only `file`, this directory and what programs are made of, and give up what else there is.

    Says of `network`, `files` and `calls` whether the kernel closed them.
    """
    closed = dict.fromkeys(("network", "files", "calls"), False)
    programs = bool(limits["programs"])
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # Should memory run short, the kernel is to take this process and not the worker. A container
        # may forbid saying so, and then the other limits have to do.
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
        readable = [place for place in _readable(file, programs=programs) if place.exists()]
        closed["network"] = _leave_network(libc, and_files=programs) and (
            # A program finds its libraries by /proc, of which it may read nothing.
            not programs or _move(libc, [*readable, Path("/proc")])
        )
        writable = [Path.cwd(), Path("/dev/null")] if limits["written_bytes"] else []
        closed["files"] = landlock.confine(readable=[Path.cwd(), *readable], writable=writable, programs=programs)
        closed["calls"] = seccomp.confine(programs=programs)
    _set_limits(limits)
    return closed


def _leave_network(libc: ctypes.CDLL, *, and_files: bool) -> bool:
    away = _CLONE_NEWNET | (_CLONE_NEWNS if and_files else 0)
    # Root needs no user namespace, and would lose its right to read the file in one.
    return any(libc.unshare(flags) == 0 for flags in (away, _CLONE_NEWUSER | away))


def _move(libc: ctypes.CDLL, readable: Iterable[Path]) -> bool:
    """Make the readable places and this directory, as /tmp, all there is: a program may connect to sockets of its own,
    and no filter of the kernel's tells those from a database's but the path to them.
    """
    # Side by side: Landlock's rule for what is its own reaches all that is mounted below it.
    root, own = Path.cwd() / "root", Path.cwd() / "own"
    own.mkdir()
    # The original may lie in the /tmp that was, so this one is there first.
    shown = {root / "tmp": own} | {root / place.relative_to("/"): place for place in readable}
    if libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
        return False
    for inside, place in shown.items():
        if place.is_dir():
            inside.mkdir(parents=True, exist_ok=True)
        elif not inside.exists():
            inside.parent.mkdir(parents=True, exist_ok=True)
            inside.touch()
        if libc.mount(bytes(place), bytes(inside), None, _MS_BIND | _MS_REC, None) != 0:
            return False
        if place != own and not _make_read_only(libc, inside):
            return False
    os.chroot(root)
    os.chdir("/tmp")  # noqa: S108 (nobody else has this one)
    os.environ["HOME"] = os.environ["TMPDIR"] = str(Path.cwd())
    return True


def _make_read_only(libc: ctypes.CDLL, inside: Path) -> bool:
    """With what is mounted below it."""
    size = len(_READ_ONLY)
    return bool(libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, bytes(inside), _AT_RECURSIVE, _READ_ONLY, size) == 0)


def _readable(file: Path | None, *, programs: bool) -> Iterator[Path]:
    if file is not None:
        yield file
    # Code that is loaded when it is needed. Of our own tree only the packages: var/ may lie beside them.
    yield from (Path(each) for each in sys.path if each and Path(each) != ROOT)
    yield ROOT / "documents"
    yield from map(Path, _LIBRARIES + _DEVICES + (_PROGRAMS if programs else ()))
    if programs:
        # Not the whole of /opt, in which the portal may live itself.
        yield from Path("/opt").glob("libreoffice*")


def _set_limits(limits: Mapping[str, float]) -> None:
    # The first limit sends a signal that names the reason, the second one kills.
    _limit(resource.RLIMIT_CPU, limits["cpu_seconds"], grace=5)
    _limit(resource.RLIMIT_AS, limits["memory_bytes"])
    _limit(resource.RLIMIT_NOFILE, limits["open_files"])
    _limit(resource.RLIMIT_FSIZE, limits["written_bytes"])
    _limit(resource.RLIMIT_CORE, 0)
    if not limits["programs"]:
        _limit(resource.RLIMIT_NPROC, 0)


def _limit(what: int, value: float, grace: int = 0) -> None:
    _, hard = resource.getrlimit(what)
    value = int(value)
    most = value + grace if hard == resource.RLIM_INFINITY else min(value + grace, hard)
    try:
        resource.setrlimit(what, (min(value, most), most))
    except (ValueError, OSError):
        # macOS refuses a limit on address space; there the wall clock is what holds.
        if sys.platform == "linux":
            raise
