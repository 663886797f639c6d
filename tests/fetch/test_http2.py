"""HTTP/2: spoken where a host offers it, on one connection, whose streams count as requests in flight."""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import pycurl
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from PIL import Image

TLS_FOLDER = Path(__file__).parents[1] / "fault_lab" / "tls"
PAUSE_S = 0.1
"""So long nothing must come before what was asked is answered: whoever may ask for more at once, does."""

pytestmark = pytest.mark.skipif(
    not pycurl.version_info()[4] & pycurl.VERSION_HTTP2, reason="libcurl was built without HTTP/2"
)


@dataclass
class Http2Host:
    """A server that answers only when nobody asks for more; it remembers how much was asked at once."""

    listener: socket.socket
    versions: list[str | None] = field(default_factory=list)
    most_streams: int = 0

    @property
    def base(self) -> str:
        return f"https://localhost:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS_FOLDER / "localhost.pem", TLS_FOLDER / "key.pem")
        context.set_alpn_protocols(["h2", "http/1.1"])
        while True:
            try:
                connection, _ = self.listener.accept()
                secure = context.wrap_socket(connection, server_side=True)
            except OSError:
                return  # the test is over
            threading.Thread(target=self.talk, args=(secure,), daemon=True).start()

    def talk(self, secure: ssl.SSLSocket) -> None:
        self.versions.append(secure.selected_alpn_protocol())
        speaker = H2Connection(H2Configuration(client_side=False))
        speaker.initiate_connection()
        secure.sendall(speaker.data_to_send())
        secure.settimeout(PAUSE_S)
        asked: list[int] = []
        while True:
            try:
                received = secure.recv(65536)
            except TimeoutError:
                self.answer(speaker, asked)
            except OSError:
                return
            else:
                if not received:
                    return
                events = speaker.receive_data(received)
                asked += [event.stream_id for event in events if isinstance(event, RequestReceived)]
                self.most_streams = max(self.most_streams, len(asked))
            secure.sendall(speaker.data_to_send())

    def answer(self, speaker: H2Connection, asked: list[int]) -> None:
        for stream in asked:
            speaker.send_headers(stream, [(":status", "200"), ("content-type", "image/png")])
            speaker.send_data(stream, picture(stream), end_stream=True)
        asked.clear()


def picture(number: int) -> bytes:
    """A small picture of its own."""
    buffer = io.BytesIO()
    picture = Image.new("RGB", (80, 80), (number % 256, number // 256, 90))
    picture.paste("white", (20, 20, 60, 60))
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def host(monkeypatch):
    """A running server of HTTP/2."""
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS_FOLDER / "authority.pem"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = Http2Host(listener)
        threading.Thread(target=served.serve, daemon=True).start()
        yield served
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def test_http2_is_spoken_where_it_is_offered_and_streams_count_towards_per_host(host, listed, shelf, reasons):
    """One connection, agreed on by ALPN; never more streams at once than per_host, and as many where there is work."""
    settings = replace(shelf.settings, per_host=3, timeout_s=10.0)
    table = shelf.fetch(listed([f"{host.base}/{n}.png" for n in range(12)]), settings=settings)
    assert reasons(table) == [None] * 12
    assert host.versions == ["h2"]
    assert host.most_streams == 3
