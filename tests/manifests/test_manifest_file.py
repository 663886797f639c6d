"""A manifest is read alike by pandas, the csv module, Excel and DuckDB, and read back however it was saved."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from curator.errors import StateError
from curator.manifests.cells import guard
from curator.manifests.manifest import COLUMNS, manifest_text, read_manifest
from curator.sources.base import listed_rows
from curator.text import on_one_line

HOSTILE = (
    "a\rb", "a\nb", "a\r\nb", "\r", "a\x00b", "\x00", "\udc80 lone", "pair \ud83d", "null", "nan", "NaN", "NA",
    "None", "N/A", "#N/A", "<NA>", "NULL", "=cmd|' /C calc'!A0", "=1+1", "+1", "-1", "@SUM(A1)", "'=1",
    "''null", "'Tis", '"', '""quoted""', 'a "b" c', "a,b", ",", "a;b;c", "a\tb", "  leading", "trailing  ", " ",
    "a\u2028b", "a\u2029b", "a\x85b", "\u202eright to left", "\u200f",
    "\U0001f3c9 emoji \U0001f468\u200d\U0001f469\u200d\U0001f467", "x" * 100_000, "\x1b[31mred", "1e5", "TRUE",
    "2020-01-01", "007", "1,234", "\\", 'a\\"b', "\ufeffbom", "\uff1d1", "{}", "%s", "|", "#",
)  # fmt: skip
"""What strangers write, or what a program wrote for them."""


def rows(titles: tuple[str, ...] = HOSTILE) -> pd.DataFrame:
    """A manifest with these titles, as it is before it is written."""
    n = len(titles)
    table = pd.DataFrame({"record_id": [f"url-list-{number:016x}" for number in range(n)]})
    table = table.assign(
        label="ball", split="train", sha256=[f"{number + 10:064x}" for number in range(n)], format="jpeg"
    )
    table = table.assign(
        file="train/ball/" + table["record_id"] + ".jpg", n_bytes=1000, width=40, height=30, orientation=1
    )
    url = [f"http://h.example/{number}.jpg" for number in range(n)]
    return table.assign(
        phash="00000000000000ff", source="web", kind="url-list", url=url, title=pd.Series(list(titles), dtype=object)
    )


def listed(titles: tuple[str, ...]) -> list[str | None]:
    """What the listing makes of titles."""
    columns = {"label": ["a"] * len(titles), "key": list(map(str, range(len(titles)))), "title": list(titles)}
    found = listed_rows("url-list", "web", 0, columns)["title"]
    return [None if pd.isna(title) else str(title) for title in found]


def read_as_excel_does(text: str) -> list[list[str]]:
    """Read CSV by the rules that Excel documents: a quoted cell holds line ends, ends at a lone quote.

    A cell that begins with a sign is a formula, which no text may become.
    """
    cells: list[list[str]] = [[]]
    place = 0
    while place < len(text):
        if text[place] == '"':
            end = place + 1
            while not (text[end] == '"' and text[end : end + 2] != '""'):
                end += 2 if text[end] == '"' else 1
            cell, place = text[place + 1 : end].replace('""', '"'), end + 1
        else:
            ends = [at for sign in ",\n\r" if (at := text.find(sign, place)) >= 0]
            cell, place = text[place : min(ends)], min(ends)
        assert cell[:1] not in tuple("=+-@\t\r")
        cells[-1].append(cell)
        place += 2 if text[place : place + 2] == "\r\n" else 1
        if text[place - 1] in "\r\n":
            cells.append([])
    return cells[:-1]


def test_four_readers_read_forty_hostile_titles_alike(tmp_path: Path) -> None:
    """With their default settings; none sees a missing value, a formula or a further row."""
    path = tmp_path / "manifest.csv"
    path.write_bytes(manifest_text(rows()).encode("utf-8"))
    place = COLUMNS.index("title")
    with path.open(encoding="utf-8", newline="") as file:
        by_csv = [row[place] for row in csv.reader(file)][1:]
    by_excel = [row[place] for row in read_as_excel_does(path.read_bytes().decode("utf-8"))][1:]
    by_pandas = pd.read_csv(path)["title"].fillna("").tolist()
    found = duckdb.sql(f"SELECT title FROM read_csv('{path}')").fetchall()
    by_duckdb = ["" if title is None else title for (title,) in found]
    expected = [guard(on_one_line(title)) for title in HOSTILE]
    assert len(HOSTILE) >= 40
    assert by_csv == expected
    assert by_excel == expected
    assert by_pandas == expected
    assert by_duckdb == expected


def test_a_manifest_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """Round trip: what is read is written again byte for byte."""
    path = tmp_path / "manifest.csv"
    path.write_bytes(manifest_text(rows()).encode("utf-8"))
    found = read_manifest(path)
    assert found["title"].fillna("").tolist() == [on_one_line(title) for title in HOSTILE]
    assert manifest_text(found).encode("utf-8") == path.read_bytes()
    assert list(found["width"]) == [40] * len(HOSTILE)


def test_titles_are_on_one_line_from_the_listing_on() -> None:
    """Catalogs, pages and terminals get no control characters; an address is written as a browser would request it."""
    assert [title or "" for title in listed(HOSTILE)] == [on_one_line(title) for title in HOSTILE]
    assert listed(("a\r\nb", "\x1b[31mred", " ok ", "\x00", "")) == ["a b", "[31mred", " ok ", None, None]
    columns = {"label": ["a"], "key": ["k"], "url": ["http://h.example/a\r\nb\x01.jpg"]}
    url = listed_rows("url-list", "web", 0, columns)["url"]
    assert url.tolist() == ["http://h.example/ab%01.jpg"]


LINES = manifest_text(rows(("one", "two, too", "three"))).splitlines()


def test_what_is_saved_by_other_programs_is_read_right(tmp_path: Path) -> None:
    """The same rows come out of every form that a spreadsheet saves."""
    text = "\n".join(LINES) + "\n"
    blank = "," * (len(COLUMNS) - 1)
    cells = list(csv.reader(io.StringIO(text)))
    forms = {
        "as it was written": text.encode(),
        "no last line end": text.rstrip("\n").encode(),
        "a byte order mark": b"\xef\xbb\xbf" + text.encode(),
        "CRLF": text.replace("\n", "\r\n").encode(),
        "CR": text.replace("\n", "\r").encode(),
        "UTF-16": text.encode("utf-16"),
        "a blank last row": (text + blank + "\r\n").encode(),
        "blank lines": "\n\n".join(["", *LINES, "", ""]).encode(),
        "blank rows in the middle": f"\n{blank}\n\n  \n".join(LINES).encode(),
        "semicolons": spelled(cells, ";"),
        "semicolons, announced": b"sep=;\r\n" + spelled(cells, ";"),
        "tabs": spelled(cells, "\t"),
        "all quoted": spelled(cells, ",", csv.QUOTE_ALL),
        "commas at the right": "".join(line + ",,\n" for line in LINES).encode(),
        "an empty column": "\n".join([LINES[0] + ",", *(line + "," for line in LINES[1:])]).encode(),
        "12.0": text.replace(",40,30,1,", ",40.0,30.00,1.0,").encode(),
        "22,561": text.replace(",1000,", ',"1,000",').encode(),
        "no title": "\n".join(line.rsplit(",", 2)[0] for line in LINES[:2]).encode(),
    }
    expected = read(tmp_path, text.encode())
    for name, data in forms.items():
        found = read(tmp_path, data)
        if name == "no title":
            assert found["title"].isna().all() and list(found.columns) == list(COLUMNS)
        else:
            pd.testing.assert_frame_equal(found, expected, obj=name)


def test_a_column_that_somebody_added_is_no_hindrance(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "\n".join([LINES[0] + ",mine", *(f"{line},{number}" for number, line in enumerate(LINES[1:]))]).encode(),
    )
    assert found["mine"].tolist() == ["0", "1", "2"]


def test_a_carriage_return_in_an_older_manifest_is_a_space(tmp_path: Path) -> None:
    """Manifests before were written with a lone CR as it is, which ended the row for every reader."""
    found = read(tmp_path, "\n".join(LINES).replace("three", "th\rree").encode())
    assert found["title"].tolist() == ["one", "two, too", "th ree"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: ["record_id,label", *lines[1:]], "line 1: it has no column split, sha256, file, format"),
        (
            lambda lines: [lines[0].replace("author_url", "title"), *lines[1:]],
            "line 1: it names the column title twice",
        ),
        (lambda lines: [*lines[:2], lines[2] + ",x", *lines[3:]], "line 3: it has 25 cells, the header 24"),
        (
            lambda lines: [*lines[:2], "", lines[2].replace(",30,", ",3o,")],
            "line 4, column height: '3o' is no whole number",
        ),
        (lambda lines: [*lines[:2], lines[2].replace(",30,", ",1e5,")], "column height: '1e5' is no whole number"),
        (lambda lines: [*lines[:2], lines[2].replace(",30,", ",-3,")], "column height: '-3' is no whole number"),
        (
            lambda lines: [*lines[:2], lines[2].replace(",30,", ",0,")],
            "column height: '0' is not from 1 to 2,147,483,647",
        ),
        (
            lambda lines: [*lines[:2], lines[2].replace(",30,", ",TRUE,")],
            "line 3, column height: 'TRUE' is no whole number",
        ),
        (lambda lines: [*lines[:2], lines[2].replace(",1,", ",9,", 1)], "column orientation: '9' is not from 1 to 8"),
        (
            lambda lines: [*lines[:2], lines[2].replace(",train,", ",,")],
            "line 3, column split: an empty cell is no split",
        ),
        (
            lambda lines: [*lines[:2], lines[2].replace(",train,", ",TRUE,")],
            "column split: 'TRUE' is no split (train, val or test)",
        ),
        (
            lambda lines: [*lines[:2], lines[2].replace("train/", "../train/")],
            "column file: '../train/ball/url-list-00000",
        ),
        (
            lambda lines: [*lines[:2], lines[2].replace("00000000000000ff", "1.23457E+15")],
            "column phash: '1.23457E+15' is no",
        ),
        (
            lambda lines: [*lines, lines[1]],
            "line 5, column record_id: 'url-list-0000000000000000' is named on line 2 already",
        ),
        (lambda lines: [*lines[:3], lines[3].replace("three", '"three')], "line 4: a quote is not closed"),
        (
            lambda lines: [*lines[:3], lines[3].replace("ball", "\x00ball", 1)],
            "line 4, column label: '\\x00ball' is no label",
        ),
        (lambda lines: [], "line 1: it holds no names of columns"),
    ],
)
def test_what_cannot_be_right_is_named_with_its_line_and_column(
    change: Callable[[list[str]], list[str]], said: str, tmp_path: Path
) -> None:
    with pytest.raises(StateError) as caught:
        read(tmp_path, "\n".join(change(LINES)).encode())
    assert said in str(caught.value)
    assert "\n" not in str(caught.value) and "curator split" in str(caught.value)


def test_other_bytes_than_utf_8_are_named_with_their_place(tmp_path: Path) -> None:
    """As a spreadsheet saves in Windows-1252."""
    with pytest.raises(
        StateError, match="line 3, column title: the byte 0xe9 is not UTF-8: save the file as CSV UTF-8"
    ):
        read(tmp_path, "\n".join(LINES).replace("two", "caf\u00e9").encode("cp1252"))


def test_other_bytes_in_the_header_are_named_too(tmp_path: Path) -> None:
    """Of a column that somebody added, in a language with such letters."""
    lines = [LINES[0] + ",caf\u00e9", *(line + ",x" for line in LINES[1:])]
    with pytest.raises(StateError, match="line 1: the byte 0xe9 is not UTF-8: save the file as CSV UTF-8"):
        read(tmp_path, "\n".join(lines).encode("cp1252"))
    found = read(tmp_path, "\n".join(lines).replace("caf\u00e9", '"two\nlines"').encode())
    assert found["two lines"].tolist() == ["x", "x", "x"]


def test_many_mistakes_are_counted(tmp_path: Path) -> None:
    """The first five are named."""
    many = manifest_text(rows(tuple(f"{n}" for n in range(20)))).replace(",30,", ",x,")
    with pytest.raises(StateError, match=r"line 6, column height: 'x' is no whole number; and 15 more\."):
        read(tmp_path, many.encode())


@pytest.mark.parametrize("label", ["null", "nan", "none", "na", "true", "1", "1e5", "inf"])
def test_a_label_may_be_any_word(label: str, tmp_path: Path) -> None:
    """No reader of ours takes it for a missing value, a truth or a number."""
    table = rows(("one", "two")).assign(label=label)
    found = read(tmp_path, manifest_text(table.assign(file=f"train/{label}/" + table["record_id"] + ".jpg")).encode())
    assert found["label"].tolist() == [label, label]


def read(folder: Path, data: bytes) -> pd.DataFrame:
    path = folder / "manifest.csv"
    path.write_bytes(data)
    return read_manifest(path)


def spelled(cells: list[list[str]], delimiter: str, quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="\r\n").writerows(cells)  # type: ignore[arg-type]
    return out.getvalue().encode()


def test_random_texts_survive(tmp_path: Path) -> None:
    """Whatever characters a title is made of."""
    chance = random.Random(7)
    signs = "=+-@'\"\\,; \t\r\n\x00aZ0\u2028\u00e9\U0001f3c9nul"
    titles = tuple("".join(chance.choices(signs, k=chance.randrange(6))) for _ in range(400))
    found = read(tmp_path, manifest_text(rows(titles)).encode())
    assert found["title"].fillna("").tolist() == [on_one_line(title) for title in titles]


def test_a_folder_in_place_of_a_manifest_is_told_what_to_name(tmp_path):
    """Not that it is to be deleted."""
    with pytest.raises(StateError, match="is a folder") as error:
        read_manifest(tmp_path)
    assert str(tmp_path / "manifest.csv") in str(error.value.hint)
