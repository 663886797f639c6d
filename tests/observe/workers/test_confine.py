"""What a decoder was made to do by a hostile file ends at the process: no network, no program, no file outside."""

from __future__ import annotations

import errno
import json
import os
import platform
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from curator.observe.workers import confine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone confines a process so")

WISHES = """
import json, os, socket, subprocess, sys, threading
import curator.observe.observation as observation

def name_of(wish):
    try:
        wish()
    except OSError as error:
        return error.errno
    return 0

def write(path):
    open(path, "w").close()

def in_a_thread():
    thread = threading.Thread(target=os.getpid)
    thread.start()
    thread.join()

def be_alone():
    n_threads = len(os.listdir("/proc/self/task"))
    if n_threads > 1:
        raise OSError(n_threads, "landlock holds for threads begun later")

def wishes(own, outside, parent):
    import ctypes, fcntl, resource
    yield "may: be the only thread", be_alone
    yield "socket", lambda: socket.socket()
    yield "pair of sockets", lambda: socket.socketpair()
    yield "child", os.fork
    yield "program", lambda: os.execv(sys.executable, [sys.executable, "-c", ""])
    yield "program in a child", lambda: subprocess.run([sys.executable, "-c", ""])
    yield "signal to the parent", lambda: os.kill(parent, 0)
    yield "limit of the parent", lambda: resource.prlimit(parent, resource.RLIMIT_CORE)
    yield "key in a terminal", lambda: fcntl.ioctl(0, 0x5412, b"x")
    yield "write", lambda: write(outside)
    yield "cut", lambda: os.truncate(outside, 0)
    yield "cut by opening", lambda: os.close(os.open(outside, os.O_WRONLY | os.O_TRUNC))
    yield "new file", lambda: write(outside + ".new")
    yield "new folder", lambda: os.mkdir(outside + ".new")
    yield "new link", lambda: os.symlink(outside, outside + ".new")
    yield "hard link into the own folder", lambda: os.link(outside, own + "/link")
    yield "link in the own folder", lambda: os.symlink(outside, own + "/link")
    yield "remove", lambda: os.remove(outside)
    yield "rename", lambda: os.rename(outside, outside + ".new")
    yield "move into the own folder", lambda: os.rename(outside, own + "/moved")
    yield "rights", lambda: os.chmod(outside, 0o777)
    yield "owner", lambda: os.chown(outside, os.getuid(), os.getgid())
    yield "times", lambda: os.utime(outside)
    yield "attribute", lambda: os.setxattr(outside, "user.x", b"")
    yield "memory of the parent", lambda: write(f"/proc/{parent}/mem")
    yield "may: read", lambda: open(outside).close()
    yield "may: write below the own folder", lambda: write(own + "/a")
    yield "may: folder there", lambda: os.mkdir(own + "/b")
    yield "may: remove there", lambda: os.remove(own + "/a")
    yield "may: nowhere", lambda: write(os.devnull)
    yield "may: thread", in_a_thread
    yield "may: signal to itself", lambda: os.kill(os.getpid(), 0)

look_at = observation.look_at
def wishing(data, *, max_pixels):
    data = bytes(data)
    if data.startswith(b"WISH"):
        own, outside, parent = json.loads(data[4:])
        told = {name: name_of(wish) for name, wish in wishes(own, outside, parent)}
        os.write(1, json.dumps(told).encode())
    return look_at(data, max_pixels=max_pixels)
observation.look_at = wishing
"""
REFUSED = {errno.EPERM, errno.EACCES, errno.EXDEV}  # the last: a link or a move out of or into a forbidden folder
needs_all = pytest.mark.skipif(len(confine.possible()) < 3, reason="this kernel does not confine a process")


POOL = """
import json, os, selectors, sys
from pathlib import Path
from curator.observe.workers import start
from curator.observe.workers.forked import fork_process
from curator.observe.workers.pool import ObserverPool, serve
from curator.store.paths import DataPaths

own, outside, how = sys.argv[1:]
data, done = Path(own).parents[1], []
with start.started_ahead(int(how == "forked"), fork_process), selectors.DefaultSelector() as selector:
    with ObserverPool(DataPaths(data, data, "balls"), 1000, selector, done.append, n_workers=1) as pool:
        pool.submit(1, [b"WISH", json.dumps([own, outside, os.getpid()]).encode()])
        assert not start._ahead
        while not done:
            serve(selector, timeout_s=1.0)
            pool.check()
"""


@needs_all
@pytest.mark.parametrize("how", ["forked", "a new Python"])
def test_a_decoder_that_has_turned_hostile_can_do_nothing(tmp_path, how):
    """In a worker of a pool: it can do what it must for its work, nothing else, and nothing outside is changed."""
    sabotage, outside, own = tmp_path / "sabotage", tmp_path / "outside", tmp_path / "balls" / "images"
    sabotage.mkdir()
    (sabotage / "sitecustomize.py").write_text(WISHES)
    outside.write_text("bait")
    before = (outside.stat(), sorted(tmp_path.iterdir()))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(sabotage), *sys.path]), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", POOL, str(own), str(outside), how]
    said = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert said.stderr == ""
    told = json.loads(said.stdout)
    may = {name for name in told if name.startswith("may: ")}
    assert {name: told[name] for name in may if told[name]} == {}
    assert {name: told[name] for name in told.keys() - may if told[name] not in REFUSED} == {}
    assert (len(told), len(may)) == (32, 8)
    assert outside.read_text() == "bait"
    found = outside.stat()
    assert (found.st_mode, found.st_nlink, found.st_mtime_ns) == (
        before[0].st_mode, before[0].st_nlink, before[0].st_mtime_ns,
    )  # fmt: skip
    assert sorted(tmp_path.iterdir()) == sorted([*before[1], tmp_path / "balls"])


PLAIN = """
import sys
from pathlib import Path
from curator.observe.workers import confine
{change}
print(confine.confine([Path(sys.argv[1])]))
open(sys.argv[1] + "/../b", "w").close()
"""


@pytest.mark.parametrize(
    ("change", "done"),
    [
        ("confine._call = lambda *arguments: -1", "('no new privileges',)"),
        ("sys.platform = 'darwin'", "()"),
        ("confine._libc = type('', (), {'prctl': lambda *a: -1})", "()"),
    ],
    ids=["kernel without both", "not Linux", "prctl refused"],
)
def test_a_kernel_that_refuses_is_worked_with(change, done, tmp_path):
    """What was done is returned, and the rest goes as before."""
    (tmp_path / "own").mkdir()
    script = PLAIN.format(change=change)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", script, str(tmp_path / "own")]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert ended.stdout.strip() == done
    assert (tmp_path / "b").exists()


def verdict(steps, machine, number, first=0, second=0):
    """Run a filter as the kernel does (linux/filter.h); arguments are 64 bits, of which it loads the lower half."""
    data = struct.pack("IIQQQ", number, machine, 0, first, second)
    value, place = 0, 0
    while True:
        code, if_true, if_false, operand = struct.unpack("HBBI", steps[place])
        place += 1
        if code == 0x20:
            (value,) = struct.unpack_from("I", data, operand)
        elif code == 0x06:
            return {0x7FFF0000: "allow", 0x00050001: "EPERM", 0x00050026: "ENOSYS"}[operand]
        else:
            holds = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
            place += if_true if holds else if_false


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_allows_what_decoding_needs_and_refuses_the_rest(machine):
    """For every number of both machines, whichever this one is."""
    column, name = confine._MACHINES[machine]
    steps, own = list(confine._steps(column, name, 77)), 77
    assert len(steps) < 4096  # the kernel's limit
    denied = {numbers[column] for numbers in confine._DENIED.values()} - {-1}
    judged = {call: numbers[column] for call, numbers in confine._JUDGED.items()}
    for number in range(600):
        if number not in judged.values():
            assert verdict(steps, name, number) == ("EPERM" if number in denied else "allow"), number
    other = next(value for _, value in confine._MACHINES.values() if value != name)
    assert verdict(steps, other, 0) == verdict(steps, 0x40000003, 0) == verdict(steps, name, 0x40000000) == "EPERM"
    assert verdict(steps, name, judged["clone3"]) == "ENOSYS"
    for call, first, second, expected in [
        ("clone", 0x3D0F00, 0, "allow"),
        ("clone", 0x1200011, 0, "EPERM"),
        ("kill", own, 0, "allow"),
        ("kill", 0, 0, "EPERM"),
        ("kill", 2**64 - 1, 0, "EPERM"),
        ("tgkill", own, 0, "allow"),
        ("tgkill", 1, 0, "EPERM"),
        ("prlimit64", 0, 0, "allow"),
        ("prlimit64", own, 0, "allow"),
        ("prlimit64", 1, 0, "EPERM"),
        ("ioctl", 0, 0x5401, "allow"),
        ("ioctl", 0, 0x802C542A, "allow"),
        ("ioctl", 0, 0x5412, "EPERM"),
        ("ioctl", 0, 0xFFFFFFFF00005412, "EPERM"),
        ("ioctl", 0, 0x40086602, "EPERM"),
        ("seccomp", 0, 0, "allow"),
    ]:
        assert verdict(steps, name, judged[call], first, second) == expected, (call, first, second)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads this machine's header")
def test_the_numbers_are_those_of_the_kernels_header():
    """Each name of the table has the number of asm/unistd_64.h, where that header is installed."""
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip("no header of the kernel here (Debian: linux-libc-dev)")
    known = {name: int(number) for name, number in re.findall(r"#define __NR_(\w+)\s+(\d+)", header.read_text())}
    table = {name: numbers[0] for name, numbers in (confine._DENIED | confine._JUDGED).items()}
    assert {name: known[name] for name in table if name in known} == {
        name: table[name] for name in table if name in known
    }
