"""What a worker of a cluster refuses, and which cluster a process is connected to, without Ray."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from curator.errors import CuratorError, StateError
from curator.events import Noted
from curator.fetch.cluster import connection
from curator.fetch.cluster.connection import open_ray
from curator.fetch.cluster.orders import made_by
from curator.fetch.cluster.spread import Spread, _call, refuse
from curator.manifests.settings import EngineSettings
from curator.matching.hamming import find_matches
from curator.pipeline.judging.spread_search import spread_search
from curator.pipeline.judging.summaries import summarise_part
from curator.store.paths import STORE
from curator.store.shards.place import Place, write_place
from tests.small_worlds import picture


def marked(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "seen").touch()
    return folder / "seen"


def test_a_machine_that_does_not_see_the_data_folder_is_refused(tmp_path: Path) -> None:
    """Also if it has another one of that name."""
    (tmp_path / "data").mkdir()
    for folder in ("nowhere", "data"):
        with pytest.raises(StateError, match=r"The machine there of the cluster does not see .* Every machine must"):
            refuse("there", (made_by(), tmp_path / folder / "seen"))
    refuse("here", (made_by(), marked(tmp_path / "data")))


def test_a_machine_that_does_not_see_the_object_store_is_refused(tmp_path: Path) -> None:
    """Before it reads anything of it: one of which it finds no index that the data folder names."""
    pytest.importorskip("obstore")
    index, seen, unseen = f"{'ab' * 32}.parquet", tmp_path / "seen", tmp_path / "unseen"
    (seen / "index").mkdir(parents=True)
    (seen / "index" / index).touch()
    for number, store in enumerate((seen, unseen)):
        mark = marked(tmp_path / f"data{number}")
        write_place(mark.parent, Place(store.as_uri()))
        (mark.parent / STORE / index).touch()
        if store == seen:
            refuse("here", (made_by(), mark))
            continue
        with pytest.raises(StateError, match=r"machine there of the cluster does not see what is in the object store"):
            refuse("there", (made_by(), mark))
        assert (mark.parent / STORE / index).exists()


@pytest.mark.parametrize("kind", ["glimpses", "sketches"])
def test_only_a_picture_that_does_not_decode_gets_no_summary(tmp_path: Path, kind: str) -> None:
    """One that is not there stops the work, on which machine is said."""
    whole, broken = tmp_path / "whole.png", tmp_path / "broken.png"
    picture(1).save(whole)
    broken.write_bytes(b"no picture")
    made = summarise_part((kind, 10**8), [("", whole), ("", broken)])
    assert made[0] is not None and made[1] is None
    terms = made_by(), marked(tmp_path)
    with pytest.raises(StateError, match=r"On the machine .*: .*gone\.png is not there\. Every machine must"):
        _call(terms, summarise_part, (kind, 10**8), [("", tmp_path / "gone.png")])


@pytest.fixture
def fake_ray(monkeypatch) -> SimpleNamespace:
    """A Ray that names every cluster by its IP address; ``problem`` is raised by whoever connects."""
    state = SimpleNamespace(connected=False, problem=None)

    def init(*_: object, **__: object) -> None:
        if state.problem:
            raise state.problem
        state.connected = True

    for name in ("ray", "ray.util", "ray.util.scheduling_strategies"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    vars(sys.modules["ray"]).update(
        init=init,
        is_initialized=lambda: state.connected,
        get_runtime_context=lambda: SimpleNamespace(gcs_address="192.0.2.2:6399"),
    )
    monkeypatch.setattr(connection, "_knock", lambda address: None)
    monkeypatch.setattr(connection, "_CONNECTED_BY", {})
    return state


@pytest.mark.parametrize("address", ["localhost:6399", "127.0.0.1:6399", "local", "192.0.2.2:6399", ""])
def test_one_address_is_one_cluster_however_it_is_written(fake_ray, address: str) -> None:
    """A command connects more than once; to another cluster it is not connected."""
    for _ in range(3):
        open_ray(EngineSettings("ray", address))
    with pytest.raises(CuratorError, match=r"connected to the Ray cluster at 192\.0\.2\.2:6399, not to that at other"):
        open_ray(EngineSettings("ray", "other.example:1"))


def test_a_cluster_that_refuses_is_no_cluster_that_is_not_there(fake_ray) -> None:
    """As one that wants a token."""
    fake_ray.problem = ConnectionError("The token is missing.")
    with pytest.raises(CuratorError, match=r"at h:1 cannot be used: The token is missing\. .*RAY_AUTH_MODE"):
        open_ray(EngineSettings("ray", "h:1"))
    with pytest.raises(CuratorError, match=r"There is no Ray cluster here\."):
        open_ray(EngineSettings("ray"))


@pytest.fixture
def calling_ray(fake_ray) -> ModuleType:
    """A Ray that calls at once, and says of nothing that it is done; a result that is an error is raised."""
    ray = sys.modules["ray"]

    def get(result: object) -> object:
        if isinstance(result, Exception):
            raise result
        return result

    vars(ray).update(
        remote=lambda **_: lambda function: SimpleNamespace(remote=function),
        put=lambda shared: shared,
        wait=lambda ones, timeout: ([], ones),
        get=get,
        cancel=lambda one: None,
        cluster_resources=lambda: {"CPU": 2.0},
        exceptions=SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError),
    )
    return ray


class RayError(Exception):
    """As Ray's."""


class RayTaskError(RayError):
    """As Ray's."""

    cause, ip = RayError("System error"), "192.0.2.7"


def test_where_no_machine_answers_a_person_is_told_once(calling_ray, tmp_path: Path) -> None:
    """And what to type; then it is waited for."""
    told: list[object] = []
    spread = Spread(EngineSettings("ray", ""), tmp_path, told.append)
    spread._call = SimpleNamespace(remote=lambda terms, function, shared, part: function(shared, part))
    for _ in range(2):
        assert list(spread.map(max, 3, [(2,), (5,)])) == [3, 5]
    assert told == [Noted("no worker of the cluster has answered yet: `ray status` says whether it has a free core")]


def test_a_machine_without_curator_is_one_paragraph(calling_ray, tmp_path: Path) -> None:
    """Ray says of it that its own system failed; it names the machine, and what to install."""
    lost = RayTaskError("ray::_call() (pid=7, ip=192.0.2.7)\nRaySystemError: System error: No module named 'curator'")
    spread = Spread(EngineSettings("ray", ""), tmp_path)
    spread._call = SimpleNamespace(remote=lambda *_: lost)
    wanted = (
        r"The machine 192\.0\.2\.7 of the cluster lacks .*: No module named 'curator'\. Every machine needs it: `pip "
    )
    with pytest.raises(CuratorError, match=wanted) as caught:
        list(spread.map(max, 3, [(2,)]))
    assert "\n" not in str(caught.value)


def test_of_the_queries_a_machine_gets_only_the_slices_that_it_looks_up(calling_ray, tmp_path: Path) -> None:
    """The hashes are put onto the cluster once, and each query once; the pairs are those of one process."""
    rng, sent = np.random.default_rng(5), list[object]()
    hashes, queries = (np.unique(rng.integers(0, 2**64, n, dtype=np.uint64)) for n in (110_000, 220_000))
    queries[::9] = rng.permutation(hashes)[: len(queries[::9])] ^ np.uint64(5)
    calling_ray.put = lambda value: sent.append(value) or value
    found = list(spread_search(Spread(EngineSettings("ray", ""), tmp_path))(queries, hashes, 2))
    (shared, *slices) = sent
    assert shared[0] is hashes and shared[1] == 2
    assert len(slices) > 2 and np.array_equal(np.concatenate(slices), queries)
    there = {(i, j, bits) for pairs in found for i, j, bits in zip(pairs.i, pairs.j, pairs.distance, strict=True)}
    alone = find_matches(queries, hashes, 2)
    assert there == set(zip(alone.i, alone.j, alone.distance, strict=True)) and len(there) >= len(queries[::9])
    assert sum(map(len, found)) == len(alone)
    assert list(spread_search(Spread(EngineSettings("ray", ""), tmp_path))(queries[:0], hashes, 2)) == []
