"""A machine of the cluster on which the work cannot be done: one paragraph, and what was committed stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from curator.errors import CuratorError, DiskError
from curator.fetch.cluster import ray_cluster
from curator.fetch.fetch_images import fetch_images
from tests.cluster.test_fetch import listed, project

WITHOUT_CURATOR = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "curator":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Nothing())
"""
FULL_DISK = """
import errno, os, shutil
def full(*given, **named):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
shutil.copyfile = full
"""
OTHER_CLOCK = """
import time
now = time.time
time.time = lambda: now() + 3600
"""


@contextmanager
def bad_machine(nodes, folder: Path, program: str) -> Iterator[None]:
    """A node whose processes run a program before all else; while the block runs, all work is its."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(program, encoding="utf-8")
    nodes.add(env_vars={"PYTHONPATH": str(folder)})
    begin = ray_cluster.Cluster.__init__

    def begin_there(self, ray, desk) -> None:
        begin(self, ray, desk)
        there = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(nodes.working[-1].node_id, soft=False)
        self._work = self._work.options(scheduling_strategy=there)

    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ray_cluster.Cluster, "__init__", begin_there)
            yield
    finally:
        nodes.kill(-1)


@pytest.mark.parametrize(
    ("program", "kind", "words"),
    [
        (
            WITHOUT_CURATOR,
            CuratorError,
            r"The machine .* lacks .* No module named 'curator.*Every machine needs it: `pip",
        ),
        (FULL_DISK, DiskError, r"On the machine .*: Cannot write .*: No space left on device\..*Free some space"),
        (OTHER_CLOCK, CuratorError, r"The clock of the machine .* differs by 3,6\d\d seconds .* Set it \(with NTP"),
    ],
    ids=["a worker without curator", "a full disk", "another clock"],
)
def test_it_is_one_paragraph_and_what_was_committed_stays(
    nodes, make_web, tmp_path: Path, program: str, kind: type[CuratorError], words: str
) -> None:
    """What the others had fetched is not requested again when the machine is gone; nor was anything in vain."""
    web = make_web(2)
    urls = web.urls(40)
    fetch_images(listed(urls[:20]), project(tmp_path, nodes.address))
    with bad_machine(nodes, tmp_path / "bad", program), pytest.raises(kind, match=words) as caught:
        fetch_images(listed(urls), project(tmp_path, nodes.address))
    assert "\n" not in str(caught.value) and "Traceback" not in str(caught.value)
    fetched = fetch_images(listed(urls), project(tmp_path, nodes.address))
    assert fetched["drop_reason"].isna().all()
    assert {web.asked[url] for url in urls[:20]} == {1}
