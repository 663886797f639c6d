"""Damaged files of every kind: each is refused with a reason, or every reader reads what is put into the folders."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from curator.observe.observation import look_at
from curator.observe.pixels import decode_rgb
from tests.fuzz.damage import ways
from tests.fuzz.readers import READERS
from tests.fuzz.rounds import count, seeds
from tests.observe.odd_kinds import KINDS
from tests.observe.test_one_decoder import build

pytestmark = pytest.mark.torture

N_INPUTS = 1200
N_PARTS = 4
MAX_PIXELS = 1_000_000


def damaged(seed):
    """One file, damaged in one way or two; what it was, and its bytes."""
    chance = np.random.default_rng(seed)
    name = sorted(KINDS)[int(chance.integers(len(KINDS)))]
    data = KINDS[name].data
    for _ in range(int(chance.integers(1, 3))):
        choice = ways(data)
        way = choice[int(chance.integers(len(choice)))]
        try:
            data, name = way(chance, data), f"{name}, {way.__name__}"
        except (ValueError, IndexError, StopIteration, OSError, ZeroDivisionError):
            continue  # so damaged already that it has no such part
        except Exception as error:  # zlib has an error of its own
            if type(error).__module__ != "zlib":
                raise
    return f"{seed}: {name}", data


def overflows(path):
    """Whether a JPEG's damaged quantisation table makes coefficients that TensorFlow's quick transform cannot hold."""
    with Image.open(path) as image:
        return max(max(table) for table in getattr(image, "quantization", {0: [0]}).values()) > 60


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("part", range(N_PARTS))
def test_what_is_kept_can_be_read_by_every_reader(part, tmp_path, capfd):
    """No damage raises or prints; a flaw has a reason; a file in the folders shows what was hashed, in every reader."""
    kept, n_flawed = {}, 0
    for seed in seeds(N_INPUTS)[part::N_PARTS]:
        name, data = damaged(seed)
        seen = look_at(data, max_pixels=MAX_PIXELS).observation
        if seen.flaw is None:
            kept[name] = data
        else:
            assert seen.flaw_detail, name
            n_flawed += 1
    different = {data: name for name, data in kept.items()}
    _, files = build(tmp_path, {name: data for data, name in different.items()})
    problems = []
    for name, path in files.items():
        right = np.asarray(decode_rgb(kept[name])).astype(int)
        for reader, read in READERS.items():
            try:
                pixels = read(path)
            except Exception as error:
                problems.append(f"{name}: {reader} cannot read {path.suffix}: {str(error)[:100]}")
                continue
            is_other = pixels.shape != right.shape or np.abs(pixels - right).mean() > 1.5
            if is_other and not (reader == "tensorflow" and overflows(path)):
                problems.append(f"{name}: {reader} shows another picture ({path.suffix})")
    n_tried = len(kept) + n_flawed
    count("pictures damaged by chance: refused with a reason, or read alike by five readers", n_tried,
          n_tried - len({problem.partition(": ")[0] for problem in problems}))  # fmt: skip
    _, err = capfd.readouterr()
    assert not problems, f"{len(problems)} of {len(files)}:\n" + "\n".join(problems[:40])
    assert len(kept) > N_INPUTS // N_PARTS // 20 and n_flawed > N_INPUTS // N_PARTS // 5
    assert "TIFF" not in err, err
