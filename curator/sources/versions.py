"""What a server says of the version of a file, so that no two versions are put together.

>>> Version('"v1"', "", 10).differs_from(Version('"v2"', "", 10))
True
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.errors import SourceError

if TYPE_CHECKING:
    import requests

CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
"""The header of a partial answer: its first byte, and the size of the whole file (RFC 9110, 14.4)."""


class VersionChangedError(SourceError):
    """The file was replaced at its server while it was read: what was read so far belongs to the old version."""


@dataclass(frozen=True)
class Version:
    """What tells one version of a file from another; empty or None where the server does not say."""

    etag: str
    last_modified: str
    total_bytes: int | None

    @property
    def validator(self) -> str:
        """What ``If-Range`` may carry: a strong entity tag, else the date (RFC 9110, 13.1.5)."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified

    def differs_from(self, other: Version) -> bool:
        """Tell whether anything that both state is different."""
        pairs = (
            (self.etag, other.etag),
            (self.last_modified, other.last_modified),
            (self.total_bytes, other.total_bytes),
        )
        return any(a != b for a, b in pairs if a and b)


def version_of(response: requests.Response) -> Version:
    """Read a response's version: the size is of the whole file, also where only a part was sent."""
    headers = response.headers
    ranged = CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    total = ranged[2] if ranged else headers.get("Content-Length", "") if response.status_code == 200 else ""
    return Version(headers.get("ETag", ""), headers.get("Last-Modified", ""), int(total) if total.isdigit() else None)
