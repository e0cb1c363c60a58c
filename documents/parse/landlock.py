"""Close the file system to this process and its children, but for a few places (Landlock, Linux 5.13 and later).

After the kernel's own description, https://docs.kernel.org/userspace-api/landlock.html, with the numbers of its header
linux/landlock.h, which are the same on every processor. Where the kernel also can, it refuses TCP ports, abstract
sockets of others, and signals to others.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = (1 << bit for bit in range(4))
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
#: How many of the rights on files each version of Landlock knows; later ones know what the last one does.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_READ = _READ_FILE | _READ_DIR
#: What may be said of a file that is no directory.
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_TCP_SINCE, _TCP = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11


def confine(*, readable: Iterable[Path], writable: Iterable[Path] = (), programs: bool = False) -> bool:
    """Leave nothing open but what is below these places, of which `programs` may also start; False without Landlock.

    Places that do not exist are left out. It holds for ever, and asks for PR_SET_NO_NEW_PRIVS to be set.
    """
    kernel = ctypes.CDLL(None, use_errno=True).syscall
    version = kernel(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        return False
    handled = (1 << _RIGHTS[min(version, max(_RIGHTS))]) - 1
    attributes = struct.pack(
        "=QQQ", handled, _TCP if version >= _TCP_SINCE else 0, _SCOPES if version >= _SCOPES_SINCE else 0
    )
    size = 24 if version >= _SCOPES_SINCE else 16 if version >= _TCP_SINCE else 8
    rules = kernel(_CREATE_RULESET, attributes[:size], size, 0)
    if rules < 0:
        return False
    try:
        for place in readable:
            _open(kernel, rules, place, _READ | (_EXECUTE if programs else 0))
        for place in writable:
            _open(kernel, rules, place, handled & ~_EXECUTE)
        return bool(kernel(_RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)


def _open(kernel: "ctypes._NamedFuncPointer", rules: int, place: Path, rights: int) -> None:
    with suppress(FileNotFoundError):
        found = os.open(place, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(found).st_mode):
                rights &= _OF_FILES
            kernel(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", rights, found), 0)
        finally:
            os.close(found)
