"""Take system calls from this process and its children that nobody needs to read a file (seccomp, Linux).

After the kernel's own description, https://docs.kernel.org/userspace-api/seccomp_filter.html. The numbers of the calls
are those of the kernel's tables for the two processors that are known here.
"""

import ctypes
import os
import platform
import struct
from collections.abc import Iterator

#: Each call's number on x86-64 and on arm64, which lacks the older ones.
_TALKING = """
    io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427,
    shmget 29 194, shmat 30 196, shmctl 31 195, semget 64 190, semop 65 193, semctl 66 191, semtimedop 220 192,
    msgget 68 186, msgsnd 69 189, msgrcv 70 188, msgctl 71 187, mq_open 240 180, mq_unlink 241 181
"""
_OTHERS = """
    ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, pidfd_open 434 434, pidfd_getfd 438 438,
    pidfd_send_signal 424 424, kcmp 312 272, process_madvise 440 440, process_mrelease 448 448,
    rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240, perf_event_open 298 241, userfaultfd 323 282, bpf 321 280,
    add_key 248 217, request_key 249 218, keyctl 250 219
"""
_MACHINE = """
    mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, unshare 272 97, setns 308 268, open_tree 428 428,
    move_mount 429 429, fsopen 430 430, fsconfig 431 431, fsmount 432 432, fspick 433 433, mount_setattr 442 442,
    init_module 175 105, finit_module 313 273, delete_module 176 106, kexec_load 246 104, kexec_file_load 320 294,
    reboot 169 142, swapon 167 224, swapoff 168 225, acct 163 89, settimeofday 164 170, clock_settime 227 112,
    adjtimex 159 171, clock_adjtime 305 266, sethostname 170 161, setdomainname 171 162, iopl 172, ioperm 173,
    modify_ldt 154, quotactl 179 60, quotactl_fd 443 443, syslog 103 116, personality 135 92,
    name_to_handle_at 303 264, open_by_handle_at 304 265, fanotify_init 300 262, fanotify_mark 301 263,
    setuid 105 146, setgid 106 144, setreuid 113 145, setregid 114 143, setgroups 116 159, setresuid 117 147,
    setresgid 119 149, setfsuid 122 151, setfsgid 123 152
"""
#: For a process that starts no program and writes no file.
_WRITING = """
    connect 42 203, accept 43 202, bind 49 200, listen 50 201, accept4 288 242,
    execve 59 221, execveat 322 281, fork 57, vfork 58, kill 62 129, tkill 200 130,
    truncate 76 45, rename 82, renameat 264 38, renameat2 316 276, mkdir 83, mkdirat 258 34, rmdir 84, creat 85,
    link 86, linkat 265 37, unlink 87, unlinkat 263 35, symlink 88, symlinkat 266 36, mknod 133, mknodat 259 33,
    chmod 90, fchmod 91 52, fchmodat 268 53, fchmodat2 452 452, chown 92, fchown 93 55, lchown 94, fchownat 260 54,
    setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16,
    setxattrat 463 463, removexattrat 466 466, utime 132, utimes 235, futimesat 261, utimensat 280 88
"""
_SOCKET, _CLONE, _CLONE3, _TGKILL, _PRLIMIT = (41, 198), (56, 220), (435, 435), (234, 131), (302, 261)
_CLONE_THREAD = 0x10000
_AF_UNIX, _NO_FAMILY = 1, 0xFFFFFFFF

#: The name of the processor, the kernel's number for it, and the column above.
_PROCESSORS = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
#: From here on, x86-64 has a second name for each call.
_X32 = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _PROCESSOR_AT, _ARGUMENTS_AT = 0, 4, 16
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM, _ENOSYS = 1, 38

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2


def confine(*, programs: bool) -> bool:
    """Refuse those calls from now on, more of them without `programs`; False where the system has no such thing.

    It asks for PR_SET_NO_NEW_PRIVS to be set.
    """
    processor = _PROCESSORS.get(platform.machine())
    if processor is None:
        return False
    steps = _filter(*processor, programs=programs)
    code = ctypes.create_string_buffer(steps, len(steps))
    whole = struct.pack("@HP", len(steps) // 8, ctypes.addressof(code))
    kernel = ctypes.CDLL(None, use_errno=True)
    return bool(kernel.prctl(_PR_SET_SECCOMP, _MODE_FILTER, whole, 0, 0) == 0)


def _filter(processor: int, column: int, *, programs: bool) -> bytes:
    """The program that the kernel runs before each call: steps of code, jump if so, jump if not, number."""
    refused = _TALKING + "," + _OTHERS + "," + _MACHINE + ("" if programs else "," + _WRITING)
    steps = [
        (_LOAD, 0, 0, _PROCESSOR_AT),
        (_EQUAL, 1, 0, processor),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _ERROR | _ENOSYS),
        # Asked for a thread in a form that no filter can look into, the library then asks in the older one.
        (_EQUAL, 0, 1, _CLONE3[column]),
        (_RETURN, 0, 0, _ERROR | _ENOSYS),
    ]
    # The limits of another process are not ours to set.
    steps += _only(_PRLIMIT[column], 0, _EQUAL, 0)
    # Programs speak to themselves, in a file system where nobody else has a socket.
    steps += _only(_SOCKET[column], 0, _EQUAL, _AF_UNIX if programs else _NO_FAMILY)
    if not programs:
        # Threads are its own; a process would not be. Only itself it may end, as `abort` does.
        steps += _only(_CLONE[column], 0, _ANY_BIT, _CLONE_THREAD)
        steps += _only(_TGKILL[column], 0, _EQUAL, os.getpid())
    numbers = list(_numbers(refused, column))
    steps += [(_EQUAL, len(numbers) - index, 0, number) for index, number in enumerate(numbers)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERROR | _EPERM)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _only(call: int, argument: int, test: int, value: int) -> list[tuple[int, int, int, int]]:
    """Steps that refuse a call unless one of its arguments passes the test."""
    return [
        (_EQUAL, 0, 4, call),
        (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument),
        (test, 1, 0, value),
        (_RETURN, 0, 0, _ERROR | _EPERM),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]


def _numbers(calls: str, column: int) -> Iterator[int]:
    for call in calls.split(","):
        numbers = call.split()[1:]
        if column < len(numbers):
            yield int(numbers[column])
