from __future__ import annotations

from datetime import UTC, datetime

import pytest
from exchange_kit import Pki

from harness.exchange.wire import client_context, server_context
from harness.security.pki import TestPki


@pytest.fixture(scope="session")
def pki(tmp_path_factory) -> Pki:
    now = datetime.now(UTC)
    ours = TestPki.create(tmp_path_factory.mktemp("ours"), now)
    other = TestPki.create(tmp_path_factory.mktemp("other"), now)
    return Pki(
        ours,
        ours.issue("server", hosts=["127.0.0.1", "localhost"]),
        ours.issue("client"),
        other.issue("stranger", hosts=["127.0.0.1"]),
        other.trust.anchors,
    )


@pytest.fixture
def contexts(pki):
    return (
        server_context(pki.server, pki.anchors),
        client_context(pki.client, pki.anchors),
    )
