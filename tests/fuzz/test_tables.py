"""Tables of all kinds, made with seeds: each row is read as it was written, or refused; none is lost.

A table is made again from its seed alone.
"""

from __future__ import annotations

import gzip
import io
import json
import random

import pytest

from curator.errors import SourceError
from curator.sources.reading import blocks
from curator.sources.url_list.formats import read_url_table
from tests.fuzz.rounds import seeds

pytestmark = pytest.mark.torture("tables with chance rows and bytes")

TITLES = (
    "plain",
    "",
    "a, b; c | d",
    'a "b" c',
    "café ü 漢字",
    "x" * 300,
    "  spaces  ",
    "&amp;",
    "#1",
    "'",
    "null",
    "=1+1",
    "nul\0l",
    "u2028 \u2028",
)
OVER_LINES = ("two\nlines", "three\n\nlines, of it", 'x\r\n"y"\r\n', "\n")
BARE = ('5" disc', '"Big one', '"Big" one', '"', 'a "b', '"a""b')
BROKEN = {"few": b"short", "many": b"a%sb%sc%sd%se", "bytes": b"http://e.org/bad.jpg%s\xff\xfe%srugby"}


def quoted(text: str, sign: str, rng: random.Random) -> str:
    """A field as RFC 4180 writes it."""
    needs = any(one in text for one in (sign, '"', "\n", "\r")) or rng.random() < 0.1
    return '"' + text.replace('"', '""') + '"' if needs else text


def make(seed: int) -> tuple[str, bytes, list[tuple[str, str | None]], int]:
    """Make a table: its name, bytes, what each good row's address and title are, and how many rows are broken.

    The title of a row with a bare quote is None: how it is read is a matter of taste, that it is read is not.
    """
    rng = random.Random(seed)
    sign, name = rng.choice([(",", "t.csv"), ("\t", "t.tsv"), (";", "t.csv"), ("|", "t.txt")])
    end, is_literal = rng.choice(["\n", "\n", "\r\n", "\r"]), sign == "\t"
    kinds = [*TITLES] + ([] if is_literal or end == "\r" else [*OVER_LINES])
    share = rng.choice([0, 0, 0.002, 0.05])
    good, lines, n_broken = [], [sign.join(("url", "title", "label"))], 0
    for number in range(rng.choice([1, 3, 40, 300, 900])):
        url, odd = f"http://e.org/{number}.jpg", rng.random()
        if odd < share:
            kind = rng.choice([*BROKEN] if end == "\n" else ["few", "many"])
            lines.append((BROKEN[kind].replace(b"%s", sign.encode())).decode("utf-8", "surrogateescape"))
            n_broken += 1
        elif odd < 2 * share:
            lines.append(sign.join((url, rng.choice(BARE), "rugby")))
            good.append((url, None))
        else:
            title = rng.choice(kinds)
            if is_literal:
                title = title.replace("\t", " ").replace('"', "'")
            lines.append(sign.join((url, title if is_literal else quoted(title, sign, rng), "rugby")))
            good.append((url, title))
        if rng.random() < share:
            lines.append("")
    body = (end.join(lines) + rng.choice(["", end])).encode("utf-8", "surrogateescape")
    return name, rng.choice([b"", b"\xef\xbb\xbf"]) + body, good, n_broken


@pytest.mark.parametrize("seed", seeds(60))
def test_no_row_of_a_table_is_lost(seed, monkeypatch):
    """Good rows come back with what was written, broken ones are counted, whatever the size of the blocks."""
    name, body, good, n_broken = make(seed)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", random.Random(-seed).choice([4 << 20, 5_000, 20_000]))
    if not good:
        pytest.skip("no row of it is good")
    found = read_url_table(io.BufferedReader(io.BytesIO(body)), name)
    assert found.tally.n_rows == len(good) + n_broken
    assert found.tally.n_refused == n_broken
    assert found.rows["url"].to_pylist() == [url for url, _ in good]
    titles = found.rows["title"].to_pylist()
    assert [title for title, (_, known) in zip(titles, good, strict=True) if known is not None] == [
        known for _, known in good if known is not None
    ]
    numbers = found.lines.to_pylist()
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("seed", seeds(60))
def test_any_bytes_are_rows_or_an_error_that_says_so(seed):
    """Tables with bytes changed, cut out and put in: rows read and refused add up to all, or a person is told."""
    rng = random.Random(seed)
    name, body, _, _ = make(seed)
    data = bytearray(body)
    for _ in range(rng.randrange(1, 30)):
        at = rng.randrange(len(data))
        data[at : at + rng.choice([0, 0, 1, 5])] = rng.choice(
            [b'"', b'""', b"\r", b"\n", b"\0", b"\xff", b"\t", b",", b";", b'",', b',"', bytes([rng.randrange(256)])]
        )
    try:
        found = read_url_table(io.BufferedReader(io.BytesIO(bytes(data))), name)
    except SourceError as error:
        assert error.message
        return
    assert found.tally.n_rows == found.rows.num_rows + found.tally.n_refused
    assert found.rows.num_rows == len(found.lines)


@pytest.mark.parametrize("seed", seeds(15))
def test_no_row_of_json_is_lost(seed):
    """JSON lines with broken ones among them, arrays of any layout, packed or not."""
    rng = random.Random(seed)
    objects = [{"url": f"http://e.org/{n}", "title": rng.choice([*TITLES, *OVER_LINES])} for n in range(1, 200)]
    layout = rng.choice(["lines", "array", "pretty", "wrapped"])
    broken = 0
    if layout == "lines":
        lines = [json.dumps(one) for one in objects]
        for at in sorted(rng.sample(range(1, len(lines)), rng.randrange(5)), reverse=True):
            lines.insert(at, rng.choice(["{", "[1]", "7", '{"url": }', "nonsense"]))
            broken += 1
        body = "\n".join(lines)
    else:
        body = json.dumps(
            {"n": 1, "images": objects} if layout == "wrapped" else objects, indent=2 if layout == "pretty" else None
        )
    stream = io.BufferedReader(gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(body.encode()))))
    found = read_url_table(stream, rng.choice(["a.json", "a.jsonl", "a.txt", "a.csv"]))
    assert (found.tally.n_rows, found.tally.n_refused) == (len(objects) + broken, broken)
    assert found.rows.to_pylist() == objects
