"""How long an answer asks to be left alone: its ``Retry-After`` header (RFC 9110, 10.2.3).

>>> seconds_to_wait("120"), seconds_to_wait("Thu, 01 Jan 2026 00:01:00 GMT", date="Thu, 01 Jan 2026 00:00:00 GMT")
(120.0, 60.0)
>>> seconds_to_wait("soon"), seconds_to_wait("")
(None, None)
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds_to_wait(retry_after: str, date: str = "") -> float | None:
    """Read seconds, or a date measured from the answer's own ``Date``; None if the header says neither.

    Our clock counts only for an answer without a ``Date``: it may be wrong.
    """
    text = retry_after.strip()
    if text.isdecimal():
        return float(text)
    then = _read_date(text)
    if then is None:
        return None
    return max(0.0, (then - (_read_date(date) or datetime.now(UTC))).total_seconds())


def _read_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
