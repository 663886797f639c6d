"""Write the recipe for a world that is being served: the real sources, at local addresses.

>>> from curator.demo.listing import LabelNames
>>> world = World("demo", {"rugby": LabelNames("n00470966", "/m/06bqd", "Rugby")}, (), {}, per_class=9)
>>> print(recipe_text(world, "http://127.0.0.1:8431").splitlines()[1])
name = "demo"
"""

from __future__ import annotations

import json

from curator.demo.listing import World
from curator.demo.site import MAPPING_PATH, RETIRED_LIST_PATH


def recipe_text(world: World, base_url: str, proxy: str = "") -> str:
    """Give the TOML text.

    Args:
        world: what is served.
        base_url: where, such as :attr:`curator.demo.server.Served.base_url`.
        proxy: the proxy that reaches ``base_url``, where it is served as one.
    """
    return f"""\
# Served by `curator demo`: pictures with planted trouble, no Internet needed.
name = {json.dumps(world.name)}
labels = {json.dumps(list(world.labels))}

{_sources(world, base_url)}
[fetch]
target = {max(1, len(world.listings))}  # more than there is, so that everything planted is fetched
allow_private_hosts = true  # this machine
{f"proxy = {json.dumps(proxy)}" + chr(10) if proxy else ""}
[balance]
per_class = {json.dumps(world.per_class)}

[split]
ratio = 0.8
"""


def _sources(world: World, base_url: str) -> str:
    synsets = {label: [names.wnid] for label, names in world.labels.items()}
    classes = {label: [names.mid] for label, names in world.labels.items()}
    return f"""\
[[sources]]
kind = "imagenet"
synsets = {_inline(synsets)}
urls = [  # the first answers with a web page, as the real endpoint does since it was retired
  {json.dumps(base_url + RETIRED_LIST_PATH)},
  {json.dumps(base_url + MAPPING_PATH)},
]

[[sources]]
kind = "open-images"
classes = {_inline(classes)}
metadata = {json.dumps(base_url + "/openimages")}
images = {json.dumps(base_url + "/bucket")}
"""


def _inline(table: dict[str, list[str]]) -> str:
    """Write an inline table; labels and ids hold nothing that TOML spells differently from JSON."""
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in table.items()) + " }"
