from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from harness.security.pki import TestPki
from harness.security.spares import make_spares

NOW = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """One PKI with an elliptic and an RSA identity, their spares, and what a receiver trusts."""
    pki = TestPki.create(tmp_path_factory.mktemp("pki"), NOW)
    ec = pki.issue("customs.departure", country="KG", hosts=["localhost", "127.0.0.1"])
    rsa = pki.issue("platform", country="CH", key="rsa")
    spares = {"ec": make_spares(pki, ec), "rsa": make_spares(pki, rsa)}
    return SimpleNamespace(now=NOW, pki=pki, ec=ec, rsa=rsa, spares=spares, trust=pki.trust)


@pytest.fixture(scope="session")
def today(tmp_path_factory):
    """A PKI of this moment: some peers look at the clock."""
    now = datetime.now(UTC)
    pki = TestPki.create(tmp_path_factory.mktemp("today"), now)
    ec, rsa = pki.issue("ec"), pki.issue("rsa", key="rsa")
    spares = {"ec": make_spares(pki, ec), "rsa": make_spares(pki, rsa)}
    return SimpleNamespace(now=now, pki=pki, ec=ec, rsa=rsa, spares=spares, trust=pki.trust)
