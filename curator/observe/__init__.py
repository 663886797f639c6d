"""Bytes to facts, one decode an image: what a file is, its size, its hashes, and what is wrong with it."""

from curator.observe.observation import Observation, observe_image
from curator.observe.perceptual_hash import (
    HASH_VERSION,
    TURNS,
    detail,
    distance64,
    distance256,
    from_hex,
    hash64,
    hash256,
    pack_turns,
    to_hex,
    transform,
    turn_hash256,
    turn_hashes,
    turn_luma,
    unpack_bytes,
    unpack_turns,
)

__all__ = [
    "HASH_VERSION",
    "TURNS",
    "Observation",
    "detail",
    "distance64",
    "distance256",
    "from_hex",
    "hash64",
    "hash256",
    "observe_image",
    "pack_turns",
    "to_hex",
    "transform",
    "turn_hash256",
    "turn_hashes",
    "turn_luma",
    "unpack_bytes",
    "unpack_turns",
]
