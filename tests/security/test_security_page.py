"""SECURITY.md names a test for each threat, and each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_threat_names_tests_that_exist():
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!threat|---)(.*?) \| (.*?) \| (.*?) \|$", page, re.MULTILINE)
    assert len(rows) > 10
    for threat, _, tests in rows:
        named = re.findall(r"`(tests/[^`]*)`", tests)
        assert named, threat
        for each in named:
            assert "def test_" in (ROOT / each).read_text(encoding="utf-8"), each
