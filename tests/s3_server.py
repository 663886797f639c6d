"""A real S3 server on this machine (moto's), with a bucket, and the environment that names it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

KEYS = {
    "AWS_ACCESS_KEY_ID": "an-access-key",
    "AWS_SECRET_ACCESS_KEY": "a-very-secret-key",
    "AWS_REGION": "us-east-1",
}


@contextmanager
def s3_server(monkeypatch: pytest.MonkeyPatch, bucket: str = "pictures") -> Iterator[Any]:
    """Serve, name the server in the environment, and yield a client of another make to look into the bucket."""
    pytest.importorskip("obstore", reason="the extra cloud is not installed")
    moto = pytest.importorskip("moto.server", reason="moto is not installed")
    boto3 = pytest.importorskip("boto3", reason="moto is not installed")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}.items():
            monkeypatch.setenv(name, value)
        requests.post(f"http://{host}:{port}/moto-api/reset", timeout=30)  # all servers of a process share one state
        client = boto3.client("s3")
        client.create_bucket(Bucket=bucket)
        yield client
        client.close()
    finally:
        server.stop()


def names_in(client: Any, bucket: str = "pictures") -> dict[str, int]:
    """Return the names in a bucket, and the bytes of each."""
    return {one["Key"]: one["Size"] for one in client.list_objects_v2(Bucket=bucket).get("Contents", ())}


def bytes_in(client: Any, name: str, bucket: str = "pictures") -> bytes:
    """Return the bytes of an object."""
    return bytes(client.get_object(Bucket=bucket, Key=name)["Body"].read())
