"""Download a list of addresses with one peer: ``python fetch_peers.py PEER LIST FOLDER WORKERS``.

It runs in an environment of its own, without curator. Each peer does what its own documentation shows, with as many
transfers at once as the others, and leaves what it downloads in FOLDER, named by number; dead links are skipped.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

CONNECTIONS = 64


def requests_loop(urls, folder, workers):
    """A thread pool, one session a thread."""
    import threading
    from concurrent.futures import ThreadPoolExecutor

    import requests

    local = threading.local()

    def download(number, url):
        if not hasattr(local, "session"):
            local.session = requests.Session()
        try:
            answer = local.session.get(url, timeout=10)
            answer.raise_for_status()
        except requests.RequestException:
            return
        (folder / f"{number}.jpg").write_bytes(answer.content)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(download, count(), urls))


def aiohttp_loop(urls, folder, workers):
    """One session; as many tasks as connections, which share the list."""
    import asyncio

    import aiohttp

    async def download(session, numbered):
        for number, url in numbered:
            try:
                async with session.get(url) as answer:
                    answer.raise_for_status()
                    data = await answer.read()
            except aiohttp.ClientError:
                continue
            (folder / f"{number}.jpg").write_bytes(data)

    async def run():
        numbered = iter(enumerate(urls))
        limits = {"connector": aiohttp.TCPConnector(limit=workers), "timeout": aiohttp.ClientTimeout(10)}
        async with aiohttp.ClientSession(**limits) as session:
            await asyncio.gather(*(download(session, numbered) for _ in range(workers)))

    asyncio.run(run())


def img2dataset_decode(urls, folder, workers):
    """Its lightest mode that opens the images: decoded, not resized, not written anew, not hashed."""
    _img2dataset(urls, folder, workers, resize_mode="no", skip_reencode=True)


def img2dataset_raw(urls, folder, workers):
    """Bytes as they come, not opened."""
    _img2dataset(urls, folder, workers, resize_mode="no", disable_all_reencoding=True)


def _img2dataset(urls, folder, workers, **how):
    import os

    import img2dataset

    listed = folder / "urls.txt"
    listed.write_text("".join(f"{url}\n" for url in urls), encoding="utf-8")
    n_processes = os.cpu_count() or 1
    img2dataset.download(
        url_list=str(listed),
        output_folder=str(folder / "out"),
        output_format="files",
        processes_count=n_processes,
        thread_count=workers,
        number_sample_per_shard=max(1, min(1000, -(-len(urls) // n_processes))),
        compute_hash=None,
        timeout=10,
        retries=0,
        **how,
    )


PEERS = {
    "requests": requests_loop,
    "aiohttp": aiohttp_loop,
    "img2dataset": img2dataset_decode,
    "img2dataset-raw": img2dataset_raw,
}


def main(peer, listed, folder, workers):
    """Run one peer."""
    urls = Path(listed).read_text(encoding="utf-8").split()
    PEERS[peer](urls, Path(folder), int(workers))


if __name__ == "__main__":
    main(*sys.argv[1:])
