"""Encode ``tf.train.Example`` in the protocol-buffer wire format: all that TFRecord needs of it.

See https://protobuf.dev/programming-guides/encoding/ and TensorFlow's ``core/example/feature.proto``.

>>> encode_example({"a": 1}).hex()
'0a0c0a0a0a016112051a030a0101'
>>> varint(300).hex()
'ac02'
"""

from __future__ import annotations

from collections.abc import Mapping

_BYTES_LIST, _INT64_LIST, _VALUE, _KEY, _ENTRY_VALUE, _FEATURE, _FEATURES = 1, 3, 1, 1, 2, 1, 1
_LENGTH_DELIMITED = 2


def varint(number: int) -> bytes:
    """Encode a number that is not negative: seven bits a byte, lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | _LENGTH_DELIMITED) + varint(len(payload)) + payload


def encode_example(features: Mapping[str, bytes | str | int]) -> bytes:
    """Encode one Example, one value a feature: bytes and texts as ``bytes_list``, numbers from 0 as ``int64_list``."""
    entries = (
        _field(_FEATURE, _field(_KEY, name.encode()) + _field(_ENTRY_VALUE, _feature(value)))
        for name, value in sorted(features.items())
    )
    return _field(_FEATURES, b"".join(entries))


def _feature(value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return _field(_INT64_LIST, _field(_VALUE, varint(value)))
    return _field(_BYTES_LIST, _field(_VALUE, value.encode() if isinstance(value, str) else value))
