"""Which images a name means: addresses however they are encoded, and names that several images have."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from curator import catalog
from curator.errors import CuratorError
from curator.inspect.find_image import find_by_address, find_image
from curator.store.paths import DataPaths

HOST = "http://a.example"


@pytest.mark.parametrize(
    "stored", ["na%20me.jpg", "na me.jpg", "K%C3%A4fer.jpg", "K%c3%a4fer.jpg", "Käfer.jpg", "1%.jpg"]
)
def test_an_address_is_found_however_it_is_encoded(stored: str) -> None:
    """A space for %20 and the other way round, and so for every sign; as the end, and whole."""
    table = catalog.conform(
        pd.DataFrame({"record_id": ["x-1", "x-2"], "url": [f"{HOST}/{stored}?w=9", f"{HOST}/b.jpg"]})
    )
    kin = {
        "n": ("na me.jpg", "na%20me.jpg"),
        "K": ("Käfer.jpg", "K%C3%A4fer.jpg", "K%c3%a4fer.jpg"),
        "1": ("1%.jpg", "1%25.jpg"),
    }[stored[0]]
    for name in kin:
        for asked in (name, f"{HOST}/{name}", f"{HOST}/{name}?w=9"):
            assert find_by_address(table, asked).tolist() == [True, False], asked


def test_of_several_images_of_one_address_each_is_named_by_it(tmp_path: Path) -> None:
    """The command to type, and what it means."""
    urls = [f"{HOST}/{folder}/1.jpg" for folder in "ab"]
    table = catalog.conform(pd.DataFrame({"record_id": ["x-2", "x-1"], "url": urls}))
    with pytest.raises(CuratorError) as caught:
        find_image(table, "1.jpg", DataPaths(tmp_path, tmp_path, "small"))
    said = str(caught.value)
    assert f"`curator why x-1`  {HOST}/b/1.jpg\n  `curator why x-2`  {HOST}/a/1.jpg\n" in said
