"""The pytest plug-in: one case, one item; the same machine, verdicts and bundle as ``c2c run``.

    pytest --target target.yaml suites/etir-4.3
    pytest --target target.yaml --pack etir-4.3          # a pack that came with an installed wheel

Rules:

1. Without ``--target`` the plug-in does nothing at all.
2. The engine plays in a thread of its own, from after deselection on; an item only waits for its verdict.
3. ``-x`` and Ctrl-C stop what has not been started; those cases are *not run*, and the record says so.
4. Only pass and warning pass. What needs a person, or could not be told, is a failed item.
5. The exit code is that of ``c2c run``, where pytest itself did not fail.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Generator

    from harness.items import Certification, TableFile

CERTIFICATION: pytest.StashKey[Certification] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line."""
    group = parser.getgroup("c2c", "certification of a C2C implementation")
    group.addoption("--target", metavar="FILE", help="target file of the system under test; else nothing happens")
    group.addoption("--pack", metavar="P", help="name or folder of the pack (default: the target file's)")
    group.addoption("--out", metavar="DIR", help="where the bundle is written (default: out/<time>)")
    group.addoption("--challenge", metavar="HEX", help="an operator's challenge, which goes into every reference")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Read target and pack, and plan, before anything is collected."""
    config = session.config
    if config.option.target is None:
        return
    if getattr(config.option, "dist", "no") != "no" or hasattr(config, "workerinput"):
        raise pytest.UsageError(
            "--target cannot be used under xdist: one engine plays all cases, already side by side. Leave -n out."
        )
    from harness.items import Certification

    try:
        certification = Certification(config.option)
    except HarnessError as fault:
        pytest.exit(str(fault), returncode=fault.exit_code)
    config.stash[CERTIFICATION] = certification
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args[:] = [str(certification.campaign.pack.root)]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> TableFile | None:
    """Collect the files of the pack that make cases."""
    certification = parent.config.stash.get(CERTIFICATION, None)
    if certification is None or not certification.makes_cases(file_path):
        return None
    from harness.items import TableFile

    return TableFile.from_parent(parent, path=file_path, certification=certification)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the engine with the cases that are left after deselection."""
    certification = session.config.stash.get(CERTIFICATION, None)
    if certification is None or session.config.option.collectonly or session.testsfailed:
        return
    try:
        certification.start(session.items)
    except HarnessError as fault:
        pytest.exit(str(fault), returncode=fault.exit_code)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give the report the duration of the play, not of the waiting."""
    report = yield
    certification = item.config.stash.get(CERTIFICATION, None)
    if certification is not None and call.when == "call":
        report.duration = certification.seconds(item.name, report.duration)
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Stop what has not been started, let the engine write the bundle, and pass its exit code on."""
    certification = session.config.stash.get(CERTIFICATION, None)
    if certification is None or not certification.started:
        return
    try:
        result = certification.finish(early=bool(session.shouldstop or session.shouldfail or exitstatus > 1))
    except HarnessError as fault:
        certification.complaint = str(fault)
        session.exitstatus = fault.exit_code
        return
    if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        session.exitstatus = result.exit_code


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say the verdict, the three numbers, and where the bundle is."""
    certification = config.stash.get(CERTIFICATION, None)
    if certification is None or not certification.started:
        return
    terminalreporter.section("certification")
    for line in certification.summary():
        terminalreporter.write_line(line)
