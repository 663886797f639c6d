"""Fixtures that several folders of tests share."""

from __future__ import annotations

import pytest

from curator.fetch.network.libcurl import pycurl
from curator.fetch.network.transfer import Transfer


@pytest.fixture
def resolve(monkeypatch):
    """Have libcurl's name server give these addresses for a name, as a server that rebinds names would."""

    def to(*entries):
        configure = Transfer._configure

        def with_names(self, settings):
            configure(self, settings)
            self.handle.setopt(pycurl.RESOLVE, list(entries))

        monkeypatch.setattr(Transfer, "_configure", with_names)

    return to
