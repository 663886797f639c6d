r"""Read the tensors of a PyTorch file without PyTorch, and nothing else: the file is a pickle, which could run code.

The legacy format (PyTorch before 1.6, ``_use_new_zipfile_serialization=False``; ``torch/serialization.py``,
``_legacy_load``): a magic number, a version, facts about the machine, the objects, the storages' keys, then each
storage as a count of elements (8 bytes) and its elements. A tensor names its storage, and where and in which steps its
elements are there.

>>> import io
>>> read_tensors(io.BytesIO(b"cos\nsystem\n(S'true'\ntR."), "x.pth")
Traceback (most recent call last):
curator.errors.StateError: x.pth holds more than tensors (os.system): it was not loaded. Install the file anew.
"""

from __future__ import annotations

import math
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from curator.errors import StateError, why

Tensors = dict[str, npt.NDArray[Any]]

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_DTYPES = {
    "HalfStorage": "<f2",
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "ByteStorage": "u1",
    "CharStorage": "i1",
    "BoolStorage": "?",
    "ShortStorage": "<i2",
    "IntStorage": "<i4",
    "LongStorage": "<i8",
}
_INSTALL_ANEW = "Install the file anew."


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: npt.DTypeLike
    n: int


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _StrangerError(Exception):
    """The pickle names a class or function that is no tensor."""


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


class _TensorUnpickler(pickle.Unpickler):
    """Admits containers and tensors; whatever else a pickle names is not imported but refused."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for a name, or refuse it."""
        if module == "torch" and name in _DTYPES:
            return np.dtype(_DTYPES[name])
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch._utils", "_rebuild_parameter"): _parameter,
        }
        if (module, name) not in known:
            raise _StrangerError(f"{module}.{name}")
        return known[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        """Return what stands for a storage: ``("storage", type, key, device, n, view)``."""
        kind, dtype, key, _, n, view = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or type(n) is not int or n < 0 or view is not None:
            raise ValueError("an unknown kind of storage")
        return _Storage(str(key), dtype, n)


def read_tensors(source: Path | BinaryIO, name: str = "") -> Tensors:
    """Read a file of named tensors (a state dict).

    Args:
        source: the file.
        name: how messages call it; its path by default.

    Returns:
        Each tensor by its name, as an array of its own in C order.

    Raises:
        StateError: it cannot be read, is of another format, damaged, or names anything but tensors; none of it has run.
    """
    name = name or str(source)
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                return _read(file)
        return _read(source)
    except _StrangerError as error:
        raise StateError(f"{name} holds more than tensors ({error}): it was not loaded.", _INSTALL_ANEW) from error
    except OSError as error:
        raise StateError(f"{name} cannot be read ({why(error)}).", _INSTALL_ANEW) from error
    except Exception as error:  # a damaged pickle raises whatever it likes
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StateError(
            f"{name} is no file of tensors in PyTorch's legacy format ({reason}).", _INSTALL_ANEW
        ) from error


def _read(file: BinaryIO) -> Tensors:
    magic, version, machine = (_TensorUnpickler(file).load() for _ in range(3))
    if magic != _MAGIC or version != _VERSION or not machine.get("little_endian"):
        raise ValueError("another magic number, version or byte order")
    objects, keys = _TensorUnpickler(file).load(), _TensorUnpickler(file).load()
    if not isinstance(objects, Mapping) or not all(isinstance(one, _Tensor) for one in objects.values()):
        raise ValueError("not a plain table of tensors")
    storages = {one.storage.key: one.storage for one in objects.values()}
    data = {}
    for key in keys:
        storage = storages.get(str(key))
        n = int.from_bytes(_read_exactly(file, 8), "little")
        if storage is None or n != storage.n:
            raise ValueError("a storage of another size")
        data[storage.key] = np.frombuffer(_read_exactly(file, n * np.dtype(storage.dtype).itemsize), storage.dtype)
    return {str(key): _as_array(one, data[one.storage.key]) for key, one in objects.items()}


def _read_exactly(file: BinaryIO, n: int) -> bytes:
    data = file.read(n)
    if len(data) != n:
        raise ValueError("it ends too early")
    return data


def _as_array(tensor: _Tensor, storage: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Copy a tensor's elements, which may be in any order, out of its storage."""
    numbers = (tensor.offset, *tensor.shape, *tensor.strides)
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("a tensor of an impossible shape")
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if not 0 < math.prod(tensor.shape) <= len(storage) or last >= len(storage):
        raise ValueError("a tensor beyond its storage")
    steps = [step * storage.itemsize for step in tensor.strides]
    view = np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, steps, writeable=False)
    return np.array(view, order="C")
