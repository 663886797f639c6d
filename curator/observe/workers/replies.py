r"""What an observing process replies, and how that is read by who trusts it no more than the file that it was given.

Whoever broke a decoder writes the replies. So a value has the kind and the range that an honest process gives it, or
the reply is none; that it is true nobody checks.

>>> from curator.observe.observation import look_at
>>> decode_sighting(*encode_sighting(look_at(b"", max_pixels=1))).observation.flaw.value
'empty'
>>> decode_sighting({"sha256": "../a", "n_bytes": 0, "flaw": "empty"}, b"")
Traceback (most recent call last):
ValueError: no process replies this sha256
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from types import NoneType
from typing import Any, get_args, get_type_hints

from curator.matching.perceptual_hash import LUMA_SIDE
from curator.observe.observation import FLAWS, N_SEEN, Observation, Sighting
from curator.reasons import Drop

_FACTS = (*Observation._fields[:N_SEEN], "flaw", "flaw_detail")
_HINTS = get_type_hints(Observation) | {"flaw": str | Drop}
_FORMS = {
    "sha256": re.compile("[0-9a-f]{64}"), "sha1": re.compile("[0-9a-f]{40}"), "format": re.compile("[a-z0-9]{1,16}"),
    "taken": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?"),
    "flaw": re.compile("|".join(FLAWS)),
}  # fmt: skip
_MOST = {"n_bytes": (1 << 63) - 1, "orientation": 8}
_MOST_ELSE = (1 << 31) - 1  # the catalog's columns
_HALF = re.compile("[\ud800-\udfff]")  # of a character: JSON has them, no table takes one


def _test_of(name: str) -> Callable[[Any], bool]:
    """Make what says of a value whether an honest process replies it under this name."""
    kinds = get_args(_HINTS[name]) or (_HINTS[name],)
    if name in _FORMS:
        fits = _FORMS[name].fullmatch
        return lambda value: type(value) in kinds and (value is None or fits(value) is not None)
    if bool in kinds:
        return lambda value: type(value) in kinds
    if int in kinds:
        most = _MOST.get(name, _MOST_ELSE)
        return lambda value: type(value) in kinds and (value is None or 0 <= value <= most)
    return lambda value: type(value) in kinds and (value is None or _HALF.search(value) is None)


_TESTS = {name: _test_of(name) for name in _FACTS}
_SEEN_OF_A_PICTURE = ("format", "width", "height", "orientation", "mode", "n_frames")

_KINDS = {
    "observation": (dict,), "temporary": (str, NoneType), "disk": (str,), "errno": (int, NoneType),
    "unreadable": (str,), "undecodable": (str,), "changed": (bool,), "size": (list,),
}  # fmt: skip


def read_values(reply: bytes) -> dict[str, Any]:
    """Read the values of a reply, each of its kind; what is in an observation is looked at by :func:`decode_sighting`.

    Raises:
        ValueError: no process replies that.
    """
    try:
        values = json.loads(reply)
    except RecursionError as error:
        raise ValueError("no process replies what is nested so deeply") from error
    if not isinstance(values, dict):
        raise ValueError("no process replies without names")
    for name, value in values.items():
        if type(value) not in _KINDS.get(name, ()) or (isinstance(value, str) and _HALF.search(value)):
            raise ValueError(f"no process replies this {name}")  # which may be too deep to print
        if name == "size" and not (len(value) == 2 and all(type(side) is int and side > 0 for side in value)):
            raise ValueError("no process replies this size")
    return values


def encode_sighting(sighting: Sighting) -> tuple[dict[str, Any], bytes]:
    """Make a sighting of JSON values, what is not known left out, and the bytes of its luma, if it has one."""
    values = {name: value for name in _FACTS if (value := getattr(sighting.observation, name)) is not None}
    return values, sighting.luma or b""


def decode_sighting(values: dict[str, Any], luma: bytes) -> Sighting:
    """Undo :func:`encode_sighting`.

    Raises:
        ValueError, TypeError: no sighting made this.
    """
    if len(luma) not in (0, LUMA_SIDE**2):
        raise ValueError(f"a luma of {len(luma)} bytes")
    for name, value in values.items():
        if not (name in _TESTS and _TESTS[name](value)):
            raise ValueError(f"no process replies this {name}")
    if taken := values.get("taken"):
        datetime.fromisoformat(taken)
    flaw = values.get("flaw")
    if flaw is None and not (luma and all(map(values.get, _SEEN_OF_A_PICTURE))):
        raise ValueError("a picture of which nothing was seen")
    return Sighting(Observation(**values | {"flaw": flaw and Drop(flaw)}), luma or None)


def is_stored(observation: Observation) -> bool:
    """Return whether the store keeps this file: every image, usable or not."""
    flaw = observation.flaw
    return observation.format is not None and (flaw is None or flaw.traits.is_stored)
