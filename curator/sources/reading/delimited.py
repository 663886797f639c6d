r"""Read the rows of a CSV or TSV while they stream past: those wanted, in constant memory, whatever its size.

>>> lines = b"0a,verification,/m/06bqd\n0b,verification,/m/02vx4\nshort\n"
>>> found = read_delimited(io.BufferedReader(io.BytesIO(lines)), ["id", "by", "mid"], ["id"])
>>> found.rows.to_pylist(), found.n_malformed
([{'id': b'0a'}, {'id': b'0b'}], 1)
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from curator.errors import SourceError
from curator.sources.reading.lend import lend


@dataclass(frozen=True)
class Rows:
    """The rows of a table, and how many were left out because they have another number of fields than its header."""

    rows: pa.Table
    n_malformed: int = 0


def read_delimited(
    stream: io.BufferedReader,
    names: Sequence[str],
    columns: Sequence[str],
    *,
    delimiter: str = ",",
    quote_char: str | bool = '"',
    where: tuple[str, pa.Array] | None = None,
) -> Rows:
    """Read ``columns`` of a table whose columns are called ``names``, as bytes, whatever their encoding (RFC 4180).

    Args:
        stream: read on from behind the header line.
        where: a column, and the values (bytes) of it that are wanted.

    Raises:
        SourceError: it cannot be parsed.
    """
    malformed: list[Any] = []
    schema = pa.schema([(name, pa.binary()) for name in columns])
    if not stream.peek(1):
        return Rows(schema.empty_table())
    try:
        batches = pa.csv.open_csv(
            lend(stream),
            # One thread: parsing is faster than any network here, and a second reader would only copy.
            pa.csv.ReadOptions(use_threads=False, block_size=4 << 20, column_names=list(names)),
            pa.csv.ParseOptions(
                delimiter=delimiter,
                quote_char=quote_char,
                newlines_in_values=bool(quote_char),
                invalid_row_handler=_skip_into(malformed),
            ),
            pa.csv.ConvertOptions(include_columns=list(columns), column_types=schema),
        )
        wanted = (batch if where is None else batch.filter(pc.is_in(batch[where[0]], where[1])) for batch in batches)
        return Rows(pa.Table.from_batches([batch for batch in wanted if batch.num_rows], schema), len(malformed))
    except pa.ArrowInvalid as error:
        raise SourceError(f"cannot be parsed ({error})") from error


def _skip_into(malformed: list[Any]) -> Callable[[Any], str]:
    """Return what Arrow calls for a row with another number of fields: it is noted and left out."""

    def skip(row: Any) -> str:
        malformed.append(row.actual_columns)
        return "skip"

    return skip
