"""What the Hugging Face hub says of a data set: its Parquet files, the names of its classes, its licence.

https://huggingface.co/docs/dataset-viewer/parquet lists the files; https://huggingface.co/docs/hub/api tells the rest.

>>> card = {"dataset_info": {"features": [{"name": "label", "dtype": {"class_label": {"names": {"0": "cat"}}}}]}}
>>> classes_of(card)
{'default': {'label': {'0': 'cat'}}}
>>> licence_of({"license": ["cc-by-4.0"]})
'cc-by-4.0'
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlsplit

import pyarrow as pa

from curator.errors import SourceError
from curator.fetch.network.guard import name_private_host
from curator.manifests.settings import FetchSettings
from curator.manifests.toml_settings import suggest
from curator.sources.base import ListingContext
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.http import origin_of
from curator.sources.reading.json_api import JsonApi
from curator.sources.reading.json_text import plain_text
from curator.sources.reading.places import is_url
from curator.sources.reading.read import headers_for
from curator.text import without_userinfo

HUB = "https://huggingface.co"
ENDPOINT, TOKEN = "HF_ENDPOINT", "HF_TOKEN"
"""What the hub's own tools call the variables: https://huggingface.co/docs/huggingface_hub/package_reference."""


@dataclass(frozen=True)
class DataSetOnHub:
    """The Parquet files of a data set, by what the hub calls its parts, and what its card states.

    ``files`` and ``classes`` are by configuration; the files by split, the names of the classes by column.
    """

    files: Mapping[str, Mapping[str, Sequence[str]]]
    classes: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    licence: str = ""

    def places(self, config: str, splits: Sequence[str]) -> list[str]:
        """Return the files of one configuration, of some splits or all.

        Raises:
            SourceError: there is no such one, or several to choose from, or it has no file.
        """
        chosen = self._chosen(config)
        if chosen not in self.files or (not config and len(self.files) > 1 and chosen != "default"):
            names = ", ".join(list(self.files)[:20])
            what = (
                f"has no configuration {config!r}{suggest(config, self.files)}"
                if config
                else "has several configurations"
            )
            raise SourceError(
                f"{what} ({names})", f'Write the one that you mean, such as `config = "{next(iter(self.files), "")}"`.'
            )
        parts = self.files[chosen]
        if missing := [split for split in splits if split not in parts]:
            what = f"has no split {', '.join(missing)} (its splits are {', '.join(parts)})"
            raise SourceError(what, "Write `splits` as the hub calls them, or leave it out.")
        if not (found := [place for split in splits or parts for place in parts[split]]):
            raise SourceError("has no Parquet file", "Name another data set, or look at it on the hub.")
        return found

    def names(self, config: str) -> Mapping[str, Mapping[str, str]]:
        """Return the names of the classes of a configuration; those that are stated alone hold for the only one."""
        only = next(iter(self.classes.values())) if len(self.classes) == len(self.files) == 1 else {}
        return self.classes.get(self._chosen(config), only)

    def _chosen(self, config: str) -> str:
        return config or ("default" if "default" in self.files else next(iter(self.files), ""))


def with_token(context: ListingContext) -> ListingContext:
    """Return a context whose requests to the hub, and to no other host, carry the token of the environment.

    To a hub that :func:`anybody_reads` it is not sent: most data sets are listed without.
    """
    token = os.environ.get(TOKEN, "").strip()
    is_sendable = token.isascii() and token.isprintable() and not anybody_reads(context.fetch)
    headers = {origin_of(hub_address()): f"Authorization: Bearer {token}"}
    return replace(context, headers=headers) if token and is_sendable else context


def hub_address() -> str:
    """Return the hub's address: the one that ``HF_ENDPOINT`` names, else Hugging Face's own."""
    return os.environ.get(ENDPOINT, "").strip().rstrip("/") or HUB


def anybody_reads(fetch: FetchSettings) -> bool:
    """Tell whether what is sent to the hub crosses the open web in clear: ``HF_ENDPOINT`` is http and leads outside."""
    address = without_userinfo(hub_address())
    is_inside = fetch.allow_private_hosts or bool(name_private_host(address))
    return urlsplit(address).scheme.lower() == "http" and not is_inside


def hub_entry(repo: str, context: ListingContext) -> CacheEntry:
    """Name what is kept of the hub's answers."""
    return CacheEntry(context, "huggingface", {"hub": hub_address(), "repo": repo, "read_as": 2})


def ask_hub(repo: str, context: ListingContext) -> DataSetOnHub:
    """Ask the hub about a data set, unless it was asked before.

    Raises:
        SourceError: it does not let us in, has no such data set, or has no Parquet of it.
    """
    entry = hub_entry(repo, context)
    if (kept := entry.load()) is None:
        about = f"{hub_address()}/api/datasets/{quote(repo)}"
        card = _object(_ask(about, repo, context).get("cardData"))
        files = _files(_ask(f"{about}/parquet", repo, context), repo)
        known = {"files": files, "classes": classes_of(card), "licence": licence_of(card)}
        kept = pa.table({"known": [json.dumps(known)]})
        entry.save(kept, {"origin": about})
    return DataSetOnHub(**json.loads(kept["known"][0].as_py()))


def _ask(address: str, repo: str, context: ListingContext) -> dict[str, Any]:
    hints = ("Look at its name on the hub, and run again.", _not_let_in(repo, context))
    with JsonApi(address, "huggingface", context, headers_for(address, context), hints) as api:
        return _object(api.ask({}, repo))


def _not_let_in(repo: str, context: ListingContext) -> str:
    """Say how a data set that is not there for everyone is read."""
    where = f"{without_userinfo(hub_address())}/datasets/{repo}"
    if os.environ.get(TOKEN, "").strip():
        if anybody_reads(context.fetch):
            return f"{TOKEN} is not sent to a hub without https: write https:// into {ENDPOINT}."
        return f"The token in {TOKEN} is refused: agree to what {where} asks for, or make another token."
    what = "Look at its name. If it is private or asks for consent, agree on"
    return f"{what} {where} and put a token into the environment: `export {TOKEN}=hf_…`."


def _files(answer: Mapping[str, Any], repo: str) -> dict[str, dict[str, list[str]]]:
    """Read the Parquet files of each configuration and split; only addresses count."""
    found = {
        str(config): {
            str(split): [one for one in places if isinstance(one, str) and is_url(one)]
            for split, places in splits.items()
            if isinstance(places, list)
        }
        for config, splits in answer.items()
        if isinstance(splits, dict)
    }
    if not any(places for splits in found.values() for places in splits.values()):
        hint = 'Download it, and name its folder of Parquet files: `path = "folder"` in the place of `repo`.'
        raise SourceError(f"has no Parquet files on the hub ({repo})", hint)
    return found


def classes_of(card: Mapping[str, Any]) -> dict[str, dict[str, dict[str, str]]]:
    """Read the names of the classes, by configuration and column in lower case, out of a card's ``dataset_info``."""
    infos = card.get("dataset_info")
    found: dict[str, dict[str, dict[str, str]]] = {}
    for info in infos if isinstance(infos, list) else [infos]:
        features = _object(info).get("features")
        for feature in features if isinstance(features, list) else []:
            names = _object(_object(_object(feature).get("dtype")).get("class_label")).get("names")
            numbered = dict(enumerate(names)) if isinstance(names, list) else _object(names)
            if numbered:
                name = str(_object(feature).get("name")).casefold()
                of_config = found.setdefault(str(_object(info).get("config_name") or "default"), {})
                of_config[name] = {str(number): plain_text(str(text)) for number, text in numbered.items()}
    return found


def licence_of(card: Mapping[str, Any]) -> str:
    """Read the licence that a card states; nothing if it states several, or none that says anything."""
    stated = card.get("license")
    names = [name for name in (stated if isinstance(stated, list) else [stated]) if isinstance(name, str)]
    return names[0] if len(names) == 1 and names[0] not in ("other", "unknown") else ""


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
