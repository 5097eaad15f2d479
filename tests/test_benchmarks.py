"""The benchmarks run, over every transport and both directions; what they measure is nobody's business here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_a_tiny_run_says_everything() -> None:
    small = ["--units", "4", "--repeats", "1", "--exchanges", "20", "--messages", "I9"]
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks", *small], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    told = ("I9 sent", "up to I9 received", "plain httpx", "our transport", "one straight line", "bare sum", "Memory:")
    for said in told:
        assert said in ran.stdout


def test_a_whole_run_is_held_against_the_floor() -> None:
    small = ["--full", "chain", "--select", "lifecycle-E1-accepted@chain", "--units", "4", "--repeats", "1"]
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks", *small], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert "Whole run of chain: not fully verified, 1 cases, 1 exchanges" in ran.stdout
    told = ("(0 begun here, 1 by the other side)", "wall time", "processor time", "as many of the floor", "ratio to")
    for said in told:
        assert said in ran.stdout
