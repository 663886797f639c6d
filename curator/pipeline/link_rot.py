"""What a replay found, as two CSV files: a row an image, and a row a host.

>>> images = pd.DataFrame({"url": ["http://a.example/1", "http://a.example/2"], "fate": ["same", "gone"]})
>>> images["final_url"] = ["http://b.example/1", None]
>>> count_hosts(images)[["host", "images", "elsewhere", "same", "gone"]].to_dict("records")
[{'host': 'a.example', 'images': 2, 'elsewhere': 1, 'same': 1, 'gone': 1}]
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path

import pandas as pd

from curator.addresses import host_names
from curator.store.whole_files import write_text_whole

IMAGES, HOSTS = "replay.csv", "link-rot.csv"
_COLUMNS = ["record_id", "label", "split", "url", "final_url", "sha256", "fate", "reason", "detail"]


class Fate(StrEnum):
    """What became of an image since the manifest was written."""

    SAME = "same"  # the same bytes
    SIMILAR = "similar"  # other bytes, the same picture
    CHANGED = "changed"  # the address serves something else
    GONE = "gone"  # the address serves nothing
    UNREACHED = "unreached"  # no answer this time; a second replay asks again
    NO_ADDRESS = "no-address"  # the image was a local file


def write_reports(images: pd.DataFrame, folder: Path) -> None:
    """Write ``replay.csv`` (each image's fate) and ``link-rot.csv`` (counts by host)."""
    write_text_whole(folder / IMAGES, images[_COLUMNS].to_csv(index=False, lineterminator="\n"))
    write_text_whole(folder / HOSTS, count_hosts(images).to_csv(index=False, lineterminator="\n"))


def count_hosts(images: pd.DataFrame) -> pd.DataFrame:
    """Count the fates by the host of ``url``, the host with the most losses first.

    ``elsewhere`` counts the images that another host served: one that this host led to, or that of the fallback.
    """
    hosts = host_names(images["url"], "")
    served = host_names(images["final_url"], "")
    counts = pd.crosstab(pd.Series(hosts, name="host"), images["fate"].to_numpy(object))
    counts = counts.reindex(columns=[str(fate) for fate in Fate], fill_value=0).reset_index().rename_axis(columns=None)
    moved = Counter(host for host, other in zip(hosts, served, strict=True) if host and other not in ("", host))
    counts.insert(1, "images", counts.drop(columns="host").sum(axis=1))
    counts.insert(2, "elsewhere", [moved[host] for host in counts["host"]])
    lost = counts["images"] - counts["same"]
    order = counts.assign(lost=lost).sort_values(["lost", "images", "host"], ascending=[False, False, True]).index
    return counts.loc[order].reset_index(drop=True)
