"""What a sandbox is told must make sense before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.main import main


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--peer", "custom=https://127.0.0.1:9443"], "there is no party or role 'custom'"),
        (["--peer", "customs"], "--peer customs says nothing"),
        (["--fault", "starts-twise"], "starts-twice"),
        (["--fault", "forgets-holder"], "is a mistake of the customs"),
        (["--chaos", "2"], "no probability"),
    ],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["serve", "--role", "platform", *options]) == 11
    assert words in " ".join(capsys.readouterr().err.split())
