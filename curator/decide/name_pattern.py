r"""Group images by what a regular expression finds in the names or addresses of their files.

>>> import pandas as pd
>>> table = pd.DataFrame({"local_path": ["/m/a/match_12_1.jpg", "/m/b/match_12_2.jpg", None], "source_id": None,
...     "url": [None, None, "https://x.org/match_7_1.jpg"]})
>>> find_in_names(table, r"match_(\d+)_").to_pylist()
['12', '12', '7']

Expressions are RE2's (https://github.com/google/re2/wiki/Syntax), whose time grows with the length of the text alone,
whatever a recipe from elsewhere has in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import as_arrow
from curator.decide.picture_columns import Columns
from curator.errors import CuratorError
from curator.manifests.group_pattern import count_groups
from curator.manifests.settings import PATTERN

_BETWEEN = "\x1f"


def find_in_names(table: Columns, pattern: str) -> pa.Array:
    r"""Return what the first match of ``pattern`` has in its parentheses, or the whole match; null if there is none.

    It is looked for in the address, and of a local file in its path as the source names it, else in its name.
    """
    texts = _names(table)
    n_groups = count_groups(pattern)
    found = _BETWEEN.join(f"\\{n}" for n in range(2, n_groups + 2)) if n_groups else r"\1"
    # The outermost parentheses are the first group, and a flag in the expression counts within them alone.
    captured = pc.replace_substring_regex(texts, rf"(?s:^.*?)({pattern})(?s:.*)$", found)
    return pc.if_else(pc.match_substring_regex(texts, pattern), captured, pa.scalar(None, pa.string()))


def _names(table: Columns) -> pa.Array:
    columns = [as_arrow(table[name], pa.string()) for name in ("local_path", "source_id", "url")]
    names = []
    for path, source_id, url in zip(*(column.to_pylist() for column in columns), strict=True):
        if path is None:
            names.append(url)
        else:
            path = path.replace("\\", "/")
            names.append(source_id if source_id and path.endswith(source_id) else path.rpartition("/")[2])
    return pa.array(names, pa.string())


def check_pattern(table: Columns, groupings: Sequence[str]) -> None:
    """Make sure that a pattern divides the images.

    Args:
        table: the kept rows of a catalog.
        groupings: see :func:`curator.decide.leak_groups.find_leak_groups`.

    Raises:
        CuratorError: it matches nothing, or finds the same in all.
    """
    for pattern in (name.removeprefix(PATTERN) for name in groupings if name.startswith(PATTERN)):
        values = find_in_names(table, pattern)
        distinct = pc.unique(values.drop_null())
        example = next((name for name in _names(table).to_pylist() if name), "")
        where = f"[split] group_pattern = {pattern!r}"
        if not len(distinct):
            message = f"{where} matches none of the {len(table):,} names and addresses, such as {example}."
            hint = r"Write what they have in common, with what tells groups apart in parentheses, such as match_(\d+)_."
            raise CuratorError(message, f"{hint} Or leave it out: then nothing is grouped by names.")
        if len(distinct) == 1 and values.null_count == 0 and len(table) > 1:
            found = f"{where} finds {distinct[0].as_py()!r} in all {len(table):,} names and addresses"
            hint = r"Put what tells groups apart in parentheses, such as match_(\d+)_ or ([^/]+)/ for folders."
            raise CuratorError(f"{found}: all images would be one group, which no split can divide.", hint)
