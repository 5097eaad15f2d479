"""What all tests share: a test that was skipped for want of a tool fails where that tool must be there.

On a bare machine a test that needs a tool beyond Python is skipped, with its reason: ``needs xmlsec1``. With
``C2C_REQUIRE_TOOLS=1``, as in continuous integration, such a skip is a failure. Skips for another reason than a missing
tool (``only on Windows``) stay skips. Properties are tested without a watch: how fast this computer is proves nothing.
On each commit they are tested with the same examples; ``make nightly`` looks for others.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from harness import demo
from harness.exchange.engine import Engine

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what runs in the background ignore it

WORKER, WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]), 16
demo._PORTS = demo._PORTS[WORKER % WORKERS :: WORKERS]  # nobody else takes one that was free a moment ago

TOOLS_REQUIRED = os.environ.get("C2C_REQUIRE_TOOLS") == "1"


def insist(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip that is due to a missing tool into a failure."""
    if not (TOOLS_REQUIRED and report.skipped) or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not reason.removeprefix("Skipped: ").startswith("only on"):
        report.outcome = "failed"
        report.longrepr = f"Skipped although C2C_REQUIRE_TOOLS=1 says that every tool is here: {reason}"


def pytest_configure(config: pytest.Config) -> None:
    """Choose the examples of properties."""
    patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("c2c", patient, derandomize=config.option.markexpr == "not nightly")
    settings.load_profile("c2c")


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine does not look whether it is held up.

    On a busy computer less is said of others, and where something is waited for in vain, with a short time limit, that
    is not what is tried.
    """

    async def nothing(_: Engine) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Engine, "_watch_the_computer", nothing)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Any:
    """Look at the outcome of each test."""
    report = yield
    insist(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Any:
    """Look at modules that skip themselves while they are collected."""
    report = yield
    insist(report)
    return report
