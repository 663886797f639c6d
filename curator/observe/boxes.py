"""Walk the boxes of a file in the ISO base media format, as AVIF, HEIC and the container of JPEG XL are.

>>> list(walk_boxes(bytes([0, 0, 0, 12]) + b"ftypavif" + bytes([0, 0, 1, 0]) + b"mdat"))
[(b'ftyp', 8, 12), (b'mdat', 20, 268)]
"""

from __future__ import annotations

from collections.abc import Iterator


def walk_boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each outer box, where its content begins, and where it says that it ends (ISO/IEC 14496-12).

    A box that runs to the end of the file, or says that it is smaller than its head, is the last, and ends where it
    begins.
    """
    at = 0
    while at + 8 <= len(data):
        size, name, body = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], at + 8
        if size == 1:
            size, body = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        yield name, body, at + size if size >= 8 else at
        if size < 8:
            break
        at += size
