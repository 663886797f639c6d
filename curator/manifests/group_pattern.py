r"""A regular expression of a recipe: whether it is one, and how many parentheses capture.

>>> pattern_problem(r"match_(\d+)_"), count_groups(r"(a)(?:b)(?P<c>c)\(")
('', 2)
>>> pattern_problem("match_(")
'missing ): match_('
"""

from __future__ import annotations

import re

MOST = 1_000
"""Characters that an expression may have."""
MOST_GROUPS = 8
"""Parentheses that capture: RE2 writes back nine, and the whole is one."""


def pattern_problem(pattern: str) -> str:
    """Say why a text is no regular expression of RE2's; empty if it is one."""
    if not pattern:
        return ""
    if len(pattern) > MOST:
        return f"it has {len(pattern):,} characters, of {MOST:,} at most"
    if count_groups(pattern) > MOST_GROUPS:
        return f"it has {count_groups(pattern)} pairs of parentheses, of {MOST_GROUPS} at most; (?:...) does not count"
    import pyarrow as pa  # it takes a third of the time of a command that writes a recipe
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array(["a"]), pattern)
    except pa.ArrowInvalid as error:
        return str(error).partition("Invalid regular expression: ")[2].strip() or "it is no regular expression"
    return ""


def count_groups(pattern: str) -> int:
    """Count the parentheses that capture."""
    plain = re.sub(r"\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:[^]]*:\]|[^]\\])*\]", "", pattern, flags=re.DOTALL)
    return len(re.findall(r"\((?!\?)|\(\?P?<[A-Za-z_]", plain))
