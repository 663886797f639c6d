"""How the plots look: one style, narrow enough for a phone, and a figure that is saved as SVG and PNG on leaving it.

>>> WIDTH_INCHES < 5
True
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from curator.benchmark.figures.colours import COLOURS
from curator.store.whole_files import whole_file

WIDTH_INCHES = 4.4
_LONGEST_LABEL = 24
_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": COLOURS["muted"].light,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": COLOURS["ink"].light,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "figure.facecolor": COLOURS["paper"].light,
    "font.family": "sans-serif",
    "font.size": 9,
    "grid.color": COLOURS["line"].light,
    "legend.frameon": False,
    "savefig.dpi": 200,
    "svg.fonttype": "none",
    "svg.hashsalt": "curator",
    "text.parse_math": False,  # a label may hold dollar signs
    "text.color": COLOURS["ink"].light,
    "xtick.color": COLOURS["muted"].light,
    "ytick.color": COLOURS["muted"].light,
}


def whole_numbers(axis: Any) -> None:
    """Let an axis of counts have ticks at whole numbers only, however few there are, with thousands apart.

    See https://matplotlib.org/stable/api/ticker_api.html#matplotlib.ticker.MaxNLocator.
    """
    axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def short_label(label: str) -> str:
    """Return a label as a plot has room for it: at most 24 letters, of which those of East Asia are twice as wide.

    A text that begins with ``_`` would be left out of a legend.

    >>> short_label("heron"), short_label("_x"), short_label("a label of very many letters"), short_label("犬" * 13)
    ('heron', ' _x', 'a label of very many le…', '犬犬犬犬犬犬犬犬犬犬犬…')
    """
    widths = list(accumulate(2 if east_asian_width(letter) in "WF" else 1 for letter in label))
    is_whole = not widths or widths[-1] <= _LONGEST_LABEL
    short = label if is_whole else f"{label[: sum(width < _LONGEST_LABEL for width in widths)]}…"
    return f" {short}" if short.startswith("_") else short


def right_column(axes: Any, texts: Sequence[str]) -> None:
    """Write a text beside each row of a chart, right of it, where it meets no mark and no line."""
    for row, text in enumerate(texts):
        axes.text(1.03, row, text, transform=axes.get_yaxis_transform(), va="center", ha="left", fontsize=8)


def legend_above(figure: Any, handles: Sequence[Any], n_columns: int) -> None:
    """Explain marks and lines in a row of its own above the axes, where no text of theirs is."""
    figure.legend(handles=handles, loc="outside upper left", ncols=n_columns, fontsize=8, handlelength=1.6)


@contextmanager
def figure_file(folder: Path, name: str, height_inches: float, width_inches: float = WIDTH_INCHES) -> Iterator[Any]:
    """Yield a figure to draw on; on leaving it is saved as ``<name>.svg`` and ``<name>.png``, each whole."""
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # The PNG has a box for a letter that matplotlib's font lacks; the SVG, which is shown, has the letter.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # what was laid out once holds for both files
        for ending, metadata in (("svg", {"Date": None}), ("png", {})):
            content = io.BytesIO()
            figure.savefig(content, format=ending, metadata=metadata)
            with whole_file(folder / f"{name}.{ending}") as temporary:
                temporary.write_bytes(content.getvalue())
