"""A file can kill or block only the process that looks at it, and is blamed for that alone."""

from __future__ import annotations

import itertools
import os
import selectors
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from types import SimpleNamespace

import pytest

from curator.errors import CuratorError, DiskError
from curator.observe.workers.pool import ObserverPool, serve
from curator.observe.workers.process import Job, WorkerProcess
from curator.reasons import Drop
from curator.store.image_files import Incoming
from curator.store.paths import DataPaths
from tests.observe.drawings import draw, encode

SABOTAGE = """
import json, os, time
import curator.observe.observation as observation
look_at = observation.look_at
def sabotaged(data, *, max_pixels):
    data = bytes(data)
    if data.startswith(b"ABORT"):
        os.abort()
    if data.startswith(b"BLOCK"):
        while True:
            pass
    if data.startswith(b"NAP"):
        time.sleep(3)
    if data.startswith(b"ONCE") and not os.path.exists(data[4:]):
        os.mkdir(data[4:])
        os.kill(os.getpid(), 9)
    if data.startswith(b"GREEDY"):
        bytearray(1 << 36)
    if data.startswith(b"LIE"):
        sha256 = "../" * 21 + "a" if data.endswith(b"name") else "0"
        seen = observation.Observation(sha256, 1, format="jpeg")
        return observation.Sighting(seen, b"x" * (5 if data.startswith(b"LIES") else 1024))
    if data.startswith(b"SAY"):
        honest, said = json.dumps, eval(data[3:])
        def lie(values):
            json.dumps = honest
            return said if isinstance(said, str) else honest(values | said)
        json.dumps = lie
    if data.startswith(b"REMOVE"):
        folder = os.fsdecode(data[6:])
        for name in os.listdir(folder):
            os.remove(folder + "/" + name)
        os.abort()
    if data.startswith(b"SPEAK"):
        os.write(1, b"noise of a decoder")
    return look_at(data, max_pixels=max_pixels)
observation.look_at = sabotaged
"""
LIMIT_S = 240.0
PHOTO = encode(draw(120, 90), "JPEG")


@pytest.fixture
def sabotage(tmp_path, monkeypatch):
    """Make the workers' decoder crash, block or take all memory, on files that say so."""
    folder = tmp_path / "sabotage"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SABOTAGE)
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.fixture
def observe(tmp_path):
    """Observe files with a pool of one or more workers: the results by job, in the order in which they came."""

    def run(sources, n_workers=1, max_seconds=30.0, folder=tmp_path):
        done = {}
        with selectors.DefaultSelector() as selector:
            paths = DataPaths(Path(folder), Path(folder), "balls")
            note = lambda result: done.__setitem__(result.job, result)  # noqa: E731
            with ObserverPool(paths, 1_000_000, selector, note, n_workers, max_seconds) as pool:
                for job, source in enumerate(sources):
                    pool.submit(job, [source] if isinstance(source, bytes) else source)
                deadline = time.monotonic() + LIMIT_S
                while pool.n_jobs and time.monotonic() < deadline:
                    serve(selector, 0.1)
                    pool.check()
                assert (pool.n_jobs, pool.n_bytes) == (0, 0)
        return done

    return run


def flaws(done):
    """The flaw of each job, in the order of the jobs."""
    return [done[job].sighting.observation.flaw for job in sorted(done)]


@pytest.mark.parametrize("n_workers", [1, 3])
def test_a_crash_is_recorded_for_its_own_file_only(sabotage, observe, n_workers):
    """Files before, behind and beside it are observed as ever, by a worker that takes the dead one's place."""
    sources = [b"<html>", b"ABORT", b"<html>", b"<html>", b"ABORT again", b"<html>"]
    page, crash = Drop.NOT_AN_IMAGE, Drop.DECODER_CRASHED
    done = observe(sources, n_workers)
    assert flaws(done) == [page, crash, page, page, crash, page]
    assert done[1].sighting.observation.flaw_detail == "the decoder crashed"
    assert done[1].sighting.observation.n_bytes == 5
    assert done[1].file is None


def test_a_file_that_blocks_its_worker_is_cut_short(sabotage, observe):
    """After the time limit the worker is replaced, and the rest is observed."""
    assert flaws(observe([b"BLOCK", b"<html>"], max_seconds=2.0)) == [Drop.DECODER_CRASHED, Drop.NOT_AN_IMAGE]


def test_a_file_whose_worker_waits_for_others_is_not_cut_short(sabotage, observe):
    """Only the time at work counts: on a crowded machine, or while a disk is slow, none passes."""
    assert flaws(observe([b"NAP", b"<html>"], max_seconds=1.0)) == [Drop.NOT_AN_IMAGE] * 2


@pytest.mark.parametrize("n_workers", [1, 3])
def test_a_worker_that_was_killed_from_outside_costs_no_image(sabotage, observe, tmp_path, n_workers):
    """As the system kills one for want of memory: its file is tried again, alone, and the others as ever."""
    store = tmp_path / "balls" / "images"  # where alone a worker may write
    once = [b"ONCE" + os.fsencode(store / str(n)) for n in range(2)]
    sources = [b"<html>", once[0], b"<html>", once[1], b"ABORT", b"<html>"]
    page, crash = Drop.NOT_AN_IMAGE, Drop.DECODER_CRASHED
    assert flaws(observe(sources, n_workers)) == [page, page, page, page, crash, page]


def test_what_holds_up_the_parent_is_not_a_workers_fault(observe, monkeypatch):
    """A day between two checks (a laptop that slept, a disk that hung) makes no image a decoder's crash."""
    leaps = itertools.chain([0.0, 0.0], itertools.repeat(86_400.0))
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + next(leaps))
    monkeypatch.setattr("curator.observe.workers.pool.time", clock)
    assert flaws(observe([b"<html>"] * 3)) == [Drop.NOT_AN_IMAGE] * 3
    assert next(leaps) == 86_400.0


@pytest.mark.skipif(sys.platform != "linux", reason="the memory limit works on Linux")
def test_a_file_that_wants_all_memory_gets_none(sabotage, observe):
    """Sixty-four gigabytes are refused to the decoder, whatever the machine has."""
    assert flaws(observe([b"GREEDY", b"<html>"])) == [Drop.DECODER_CRASHED, Drop.NOT_AN_IMAGE]


def test_a_worker_that_lies_is_replaced_and_its_file_is_blamed(sabotage, observe, tmp_path):
    """Whatever a decoder that was broken has its process say: no name leads out, and the run goes on."""
    seen = "{'observation': {'sha256': '%s' * 32, 'n_bytes': 1, 'flaw': 'not-an-image'}}"
    said = [
        "{'observation': []}",
        seen % "zz",
        seen % "00",
        "{'unreadable': 'gone'}",
        "'[' * 10000",
        "'[]'",
        "'9' * 100000",
    ]
    lies = [b"LIE about its name", b"LIES", b"LIE of no content", *(f"SAY {one}".encode() for one in said)]
    done = observe([b"<html>", *lies, PHOTO])
    page, crash = Drop.NOT_AN_IMAGE, Drop.DECODER_CRASHED
    assert flaws(done) == [page, *[crash] * len(lies), None]
    assert done[1].sighting.observation.flaw_detail == "the decoder replied what none does"
    assert stored(DataPaths(tmp_path, tmp_path, "balls")) == [Path(done[len(lies) + 1].file.path)]


def test_a_file_that_its_decoder_removed_is_blamed_and_the_run_goes_on(sabotage, observe, tmp_path):
    """It may remove what is in the store, and die: the next one finds no file, which is no fault of the disk."""
    done = observe([b"REMOVE" + os.fsencode(tmp_path / "balls" / "images")])
    assert (done[0].sighting, done[0].file, done[0].reason) == (None, None, Drop.DECODER_CRASHED)
    assert "cannot be read: No such file" in done[0].problem


def test_nothing_is_left_of_what_is_no_image(sabotage, observe, tmp_path):
    """Refused, fatal to its worker, or not looked at when the pool is closed: only the image stays."""
    done = observe([b"<html>", b"", b"ABORT", PHOTO])
    paths = DataPaths(tmp_path, tmp_path, "balls")
    with selectors.DefaultSelector() as selector, ObserverPool(paths, 1000, selector, print, n_workers=1) as pool:
        for job in range(20):
            pool.submit(job, [b"<html>"])
        assert len(stored(paths)) == 21
    assert stored(paths) == [Path(done[3].file.path)]


def test_what_came_and_cannot_be_read_is_no_fault_of_the_picture(observe, tmp_path, monkeypatch):
    """It was written a moment ago: the disk is to blame, or too many open files, and the run ends with what to do."""
    gone = Incoming(str(tmp_path / "gone"), 5)
    monkeypatch.setattr("curator.observe.workers.pool.write_incoming", lambda paths, pieces: gone)
    with pytest.raises(
        DiskError, match=r"Cannot store an image.*No such file.*Put back what was there, or choose another place"
    ):
        observe([PHOTO])


def stored(paths):
    return [path for path in paths.images.rglob("*") if path.is_file()]


def test_small_files_are_assigned_ahead_and_large_ones_two_at_a_time():
    """So that no worker waits for the next, and none is left alone with all that takes long."""
    worker = object.__new__(WorkerProcess)
    worker.jobs, worker.unsent, worker._n_bytes_ahead = deque(), deque(), 0
    for n_bytes, n_ahead in ((70_000, 30), (1_000, 32), (5_000_000, 2), (0, 2)):
        while worker.has_room():
            worker.assign(Job(1, Incoming("/a", n_bytes) if n_bytes else Path("/a")))
        assert len(worker.jobs) == n_ahead
        while worker.jobs:
            worker.take_oldest()


@pytest.mark.parametrize(("n_files", "have_plenty"), [((), False), ((8, 32), True), ((7, 32), False), ((2, 2), False)])
def test_processes_have_plenty_if_none_of_them_has_few_files(n_files, have_plenty):
    """Else nobody may look away for a moment: who has two, large ones or local ones, may be done with them."""
    pool = ObserverPool(None, 1, None, print)
    pool._workers = [SimpleNamespace(jobs=range(n)) for n in n_files]
    assert pool.have_plenty == have_plenty


def test_what_a_decoder_prints_does_not_disturb(sabotage, observe, capfd):
    """Results travel on a socket of their own."""
    assert flaws(observe([b"SPEAK", b"<html>"])) == [Drop.NOT_AN_IMAGE] * 2


def test_large_files_pass_whole(observe):
    """Bytes beyond any socket buffer arrive; a path is as good as bytes."""
    data = PHOTO + bytes(20_000_000)
    done = observe([data, b"", data[:-1]], n_workers=2)
    assert [done[job].sighting.observation.n_bytes for job in range(3)] == [len(data), 0, len(data) - 1]


def test_a_path_is_read_by_the_worker_and_an_unreadable_one_is_told(observe, tmp_path):
    """Local files need not pass through this process."""
    path = tmp_path / "grüße, ball.jpg"
    path.write_bytes(PHOTO)
    done = observe([path, tmp_path / "absent.jpg"])
    assert done[0].sighting.observation.format == "jpeg"
    assert (done[1].sighting, done[1].problem) == (None, "No such file or directory")


def test_a_store_that_cannot_be_written_is_a_disk_error(observe, tmp_path):
    """The worker's refusal becomes one clear paragraph here."""
    (tmp_path / "balls").write_text("a file where the folder should be")
    with pytest.raises(
        DiskError, match=r"Cannot store an image.*Not a directory.*Move the file away .*, or choose another place"
    ):
        observe([PHOTO])


def test_workers_that_cannot_start_are_not_started_for_ever(observe, tmp_path, monkeypatch):
    """Where each dies at once the fault is the installation's, and the message says so."""
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import os; os._exit(3)")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    with pytest.raises(CuratorError, match="Is the installation whole"):
        observe([b"<html>"] * 9)


def test_workers_end_when_their_parent_is_killed(tmp_path):
    """A run that is killed leaves no process behind."""
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from curator.observe.workers.process import WorkerProcess\n"
        "from curator.store.paths import DataPaths\n"
        "worker = WorkerProcess(DataPaths(Path(sys.argv[1]), Path(), 'balls'), 1000)\n"
        "print(worker.process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        worker = int(process.stdout.readline())
        process.kill()
    deadline = time.monotonic() + LIMIT_S
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(worker)


def is_running(process_id):
    """Tell whether a process is there and no zombie."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process_id}/stat")
    return not (status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z")
