"""A plain picture with faint detail may be graded as any other; each condition counts by itself, at its limit."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from curator.matching.judge.colours import Colours
from curator.matching.judge.judge import find_evidence, judge_pair
from curator.matching.judge.pose import Rating
from curator.matching.judge.rules import rate
from curator.matching.judge.sketch import make_sketch
from curator.matching.judge.transforms import propose
from tests.matching.judge.test_judge import SIZE, made_sky

CAST = Colours(0.5, 0.1, None, 20.0, 0, 0.0, (2.0, 20.0), (False, False), None)


def grained_sky(seed, share, cast=(0.0, 0.0, 0.0)):
    """The sketch of grey clouds with some grain in their lowest part, and of a cast."""
    grain = Image.fromarray(np.random.default_rng(5).normal(128, 40, (18, 24)).clip(0, 255).astype(np.uint8))
    faint = (np.asarray(grain.resize(SIZE, Image.Resampling.BICUBIC), float) - 128) / 9
    greys = np.asarray(made_sky(seed).convert("L"), float) + share * faint * (np.arange(SIZE[1])[:, None] > 140)
    return make_sketch((greys[..., None] + cast).clip(0, 255).astype(np.uint8))


def test_clouds_with_grain_may_have_another_cast():
    """Those without any, and others, may not."""
    cast = (-20.0, -5.0, 25.0)
    assert judge_pair(grained_sky(1, 1), grained_sky(1, 1, cast)).same
    assert not judge_pair(grained_sky(1, 0), grained_sky(1, 0, cast)).same
    assert not any(judge_pair(grained_sky(1, 1), grained_sky(seed, 1, cast)).same for seed in range(2, 12))


@pytest.mark.parametrize(
    ("what", "good", "bad"),
    [
        ("n_detail", 100, 99),
        ("agreeing", 0.95, 0.949),
        ("outlines", 0.98, 0.979),
        ("lined", 0.9995, 0.9994),
        ("shades", (0.985, 2.5), (0.984, 2.5)),
        ("shades", (0.985, 2.5), (0.985, 2.4)),
    ],
)
def test_another_cast_needs_each_condition(what, good, bad):
    """Strong shades and faint detail, all of which agrees."""
    sketch = grained_sky(1, 1)
    evidence = find_evidence(sketch, sketch, next(propose(sketch, sketch)))
    agreement = replace(evidence.agreement, fit=0.9, unchanged=0.5)
    for value, expected in ((good, True), (bad, False)):
        rating = rate(replace(agreement, **{what: value}), CAST, evidence.pose)
        assert (rating is Rating.ONE) is expected
