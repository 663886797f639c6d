"""Confine this process on Linux before it reads what a stranger made, as far as the kernel allows it. For good.

It gains no privileges (prctl(2)), changes no file but below the given folders (landlock(7)), and makes no socket,
starts no program and touches no other process (seccomp(2)); it may read what its user may, since images lie anywhere.
What it tries all the same fails with EPERM or EACCES. Why there is no package for it:
docs/decisions/0017-confined-workers.md.

>>> import subprocess
>>> script = "import os; from curator.observe.workers.confine import confine; confine([]); os.fork()"
>>> ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
>>> ("PermissionError" in ended.stderr) == (SECCOMP in possible())
True
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

NO_NEW_PRIVILEGES, LANDLOCK, SECCOMP = "no new privileges", "landlock", "seccomp"

_libc = ctypes.CDLL(None, use_errno=True)

_SET_NO_NEW_PRIVILEGES = 38
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446  # the same on every machine
_WANT_VERSION = 1
_BENEATH = 1

_EXECUTE, _WRITE, _TRUNCATE = 1 << 0, 1 << 1, 1 << 14
_REMOVE_FILE, _MAKE_FOLDER, _MAKE_FILE = 1 << 5, 1 << 7, 1 << 8
_FIRST_RIGHTS = (_EXECUTE | _WRITE) | sum(1 << bit for bit in range(4, 13))  # all but reading files and folders
_LATER_RIGHTS = {2: 1 << 13, 3: _TRUNCATE, 5: 1 << 15}  # by version: move between folders, cut, control devices
_TCP, _OUTSIDE = 0b11, 0b11  # bind and connect (4); other programs' abstract sockets, and signals to them (6)

# Numbers on x86_64 and aarch64 (asm/unistd.h); -1: there is none.
_DENIED = {
    # network
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242),
    # programs and other processes
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, -1), "vfork": (58, -1), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "process_madvise": (440, 440), "process_mrelease": (448, 448),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "shmget": (29, 194), "msgget": (68, 186),
    "semget": (64, 190), "mq_open": (240, 180),
    # what landlock does not know: metadata of files that are open for reading, or not at all
    "truncate": (76, 45), "chmod": (90, -1), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, -1), "lchown": (94, -1), "fchown": (93, 55), "fchownat": (260, 54), "setxattr": (188, 5),
    "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16), "removexattrat": (466, 466), "utime": (132, -1),
    "utimes": (235, -1), "futimesat": (261, -1), "utimensat": (280, 88), "file_setattr": (469, 469),
    # ways around this filter, and into the kernel
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "userfaultfd": (323, 282), "bpf": (321, 280), "perf_event_open": (298, 241), "fanotify_init": (300, 262),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "personality": (135, 92),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    # the machine
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467), "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "sethostname": (170, 161), "setdomainname": (171, 162), "syslog": (103, 116), "vhangup": (153, 58),
    "iopl": (172, -1), "ioperm": (173, -1),
}  # fmt: skip
_JUDGED = {
    "clone": (56, 220), "clone3": (435, 435), "kill": (62, 129), "tgkill": (234, 131), "ioctl": (16, 29),
    "prlimit64": (302, 261), "seccomp": (317, 277),
}  # fmt: skip
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Which of the numbers hold, and how the kernel names the machine (linux/audit.h)."""

_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_SET, _END = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _MACHINE_AT, _FIRST_ARGUMENT_AT, _SECOND_ARGUMENT_AT = 0, 4, 16, 24
_ALLOW, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
_SET_FILTER, _ALL_THREADS, _AS_FAST_AS_BEFORE = 1, 1, 4
_IS_THREAD = 0x00010000
_HARMLESS_CONTROLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x802C542A)
"""Is it a terminal, how large, how much is there to read; to block, to be inherited (asm/ioctls.h). Others type keys
into a terminal for a shell to run, or change a file that is open for reading."""
_FIRST_OF_X32 = 0x40000000


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def confine(writable: Iterable[Path]) -> tuple[str, ...]:
    """Confine this process and its threads for good; return what the kernel did of it, of :func:`possible`.

    Args:
        writable: folders that exist, below which it may make files and folders, write, and remove files.
    """
    if sys.platform != "linux" or _libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return ()
    done = [NO_NEW_PRIVILEGES]
    done += [LANDLOCK] if _restrict_files(writable) else []
    done += [SECCOMP] if _filter_calls() else []
    return tuple(done)


def possible() -> tuple[str, ...]:
    """Return what this machine's kernel can do to confine a process; nothing of it away from Linux."""
    if sys.platform != "linux":
        return ()
    has_seccomp = platform.machine() in _MACHINES and "Seccomp:" in _own_status()
    return (NO_NEW_PRIVILEGES, *([LANDLOCK] if _landlock_version() > 0 else []), *([SECCOMP] if has_seccomp else []))


def _own_status() -> str:
    try:
        return Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _call(number: int, *arguments: int | ctypes.Structure | None) -> int:
    """Make a system call; -1 if the kernel refuses."""
    words = [ctypes.byref(one) if isinstance(one, ctypes.Structure) else ctypes.c_long(one or 0) for one in arguments]
    return int(_libc.syscall(ctypes.c_long(number), *words))


def _landlock_version() -> int:
    return _call(_LANDLOCK_CREATE, None, 0, _WANT_VERSION)


def _restrict_files(writable: Iterable[Path]) -> bool:
    """Let this process change files below these folders only; with a newer kernel also no TCP, and no signals."""
    version = _landlock_version()
    if version < 1:
        return False
    rights = _FIRST_RIGHTS | sum(right for since, right in _LATER_RIGHTS.items() if version >= since)
    attributes = _Ruleset(rights, _TCP if version >= 4 else 0, _OUTSIDE if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = _call(_LANDLOCK_CREATE, attributes, size, 0)
    if ruleset < 0:
        return False
    try:
        for path in writable:
            _allow(ruleset, path, rights & (_WRITE | _TRUNCATE | _REMOVE_FILE | _MAKE_FOLDER | _MAKE_FILE))
        _allow(ruleset, Path(os.devnull), _WRITE)
        return _call(_LANDLOCK_RESTRICT, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    """Except what is below a path from the rules; what is not there stays forbidden."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    _call(_LANDLOCK_ADD, ruleset, _BENEATH, _Beneath(rights, descriptor), 0)
    os.close(descriptor)


def _filter_calls() -> bool:
    """Have the kernel refuse system calls that no decoder needs."""
    if platform.machine() not in _MACHINES:
        return False
    column, machine = _MACHINES[platform.machine()]
    steps = list(_steps(column, machine, os.getpid()))
    program = _Program(len(steps), b"".join(steps))
    return _call(_JUDGED["seccomp"][column], _SET_FILTER, _ALL_THREADS | _AS_FAST_AS_BEFORE, program) == 0


def _steps(column: int, machine: int, process_id: int) -> Iterator[bytes]:
    """Write the filter (classic BPF): a jump counts the steps that it passes over."""
    number = {name: numbers[column] for name, numbers in _JUDGED.items()}
    refuse, allow, unknown = (_step(_END, 0, 0, verdict) for verdict in (_EPERM, _ALLOW, _ENOSYS))
    yield from (_step(_LOAD, 0, 0, _MACHINE_AT), _step(_IF_EQUAL, 1, 0, machine), refuse)
    yield from (_step(_LOAD, 0, 0, _NUMBER_AT), _step(_IF_AT_LEAST, 0, 1, _FIRST_OF_X32), refuse)
    for denied in sorted(numbers[column] for numbers in _DENIED.values() if numbers[column] >= 0):
        yield from (_step(_IF_EQUAL, 0, 1, denied), refuse)
    # A new thread is allowed, a new process is not; clone3 hides which it is, and libraries then use clone.
    yield from (_step(_IF_EQUAL, 0, 1, number["clone3"]), unknown)
    yield from (_step(_IF_EQUAL, 0, 4, number["clone"]), _step(_LOAD, 0, 0, _FIRST_ARGUMENT_AT))
    yield from (_step(_IF_SET, 0, 1, _IS_THREAD), allow, refuse)
    for name in ("kill", "tgkill"):  # itself, as abort(3) does
        yield from (_step(_IF_EQUAL, 0, 4, number[name]), _step(_LOAD, 0, 0, _FIRST_ARGUMENT_AT))
        yield from (_step(_IF_EQUAL, 0, 1, process_id), allow, refuse)
    yield from (_step(_IF_EQUAL, 0, 5, number["prlimit64"]), _step(_LOAD, 0, 0, _FIRST_ARGUMENT_AT))
    yield from (_step(_IF_EQUAL, 1, 0, 0), _step(_IF_EQUAL, 0, 1, process_id), allow, refuse)
    n_left = len(_HARMLESS_CONTROLS)
    yield from (_step(_IF_EQUAL, 0, n_left + 2, number["ioctl"]), _step(_LOAD, 0, 0, _SECOND_ARGUMENT_AT))
    yield from (_step(_IF_EQUAL, n_left - place, 0, one) for place, one in enumerate(_HARMLESS_CONTROLS))
    yield refuse
    yield allow


def _step(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
