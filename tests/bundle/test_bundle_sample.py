"""The published sample verifies, and its reports are what their formats demand. `make sample` makes it again."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harness.bundle.files import unpack
from harness.bundle.verify import verify_bundle
from harness.report.derive import DERIVED
from harness.security.statement_key import key_id, load_public_keys

SAMPLE = Path(__file__).parents[2] / "reports" / "sample"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    unpack(SAMPLE / "bundle.zip", folder)
    return folder


def test_the_sample_verifies_and_both_have_signed(sample: Path) -> None:
    finished = datetime.fromisoformat(json.loads((sample / "record.json").read_bytes())["finished"])
    keys = load_public_keys(SAMPLE / "keys.pub.pem")
    verification = verify_bundle(SAMPLE / "bundle.zip", keys, finished + timedelta(days=1))
    assert verification.exit_code == 0, verification.lines
    assert set(map(key_id, verification.signers)) == set(map(key_id, keys))
    assert len(keys) == 2
    assert not any(part.outcome in ("invalid", "sealed") for part in verification.parts)
    assert any("TEST key" in line for line in verification.lines)


def test_the_bundle_with_failures_verifies_and_shows_them(tmp_path: Path) -> None:
    folder = SAMPLE / "failing"
    unpack(folder / "bundle.zip", tmp_path)
    record = json.loads((tmp_path / "record.json").read_bytes())
    at = datetime.fromisoformat(record["finished"]) + timedelta(days=1)
    verification = verify_bundle(folder / "bundle.zip", load_public_keys(folder / "keys.pub.pem"), at)
    assert verification.exit_code == 0, verification.lines
    assert record["verdict"] == "not conformant"
    assert {"pass", "fail"} <= {case["verdict"] for case in record["cases"]}
    page = (folder / "report.html").read_bytes()
    assert page == (tmp_path / "derived" / "report.html").read_bytes()
    assert page.count(b'class="problem') >= 2


def test_the_sample_has_every_report_and_is_small(sample: Path) -> None:
    assert {path.name for path in (sample / "derived").iterdir()} <= set(DERIVED)
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) < 2_000_000
    assert (SAMPLE / "report.html").read_bytes() == (sample / "derived" / "report.html").read_bytes()


def test_the_sample_holds_no_trace_of_the_machine_that_made_it(sample: Path) -> None:
    for path in sample.rglob("*"):
        if path.is_file() and path.suffix != ".bin":
            content = path.read_bytes()
            for trace in (b"/tmp/", b"/root/", b"/home/"):
                assert trace not in content, path
