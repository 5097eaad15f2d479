"""What differs between operating systems, the branches of Windows included."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness import host


def test_a_command_is_split_as_the_system_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "WINDOWS", False)
    assert host.split_command(r"./drive --name 'a b' c\ d") == ("./drive", "--name", "a b", "c d")
    monkeypatch.setattr(host, "WINDOWS", True)
    command = r'"C:\Program Files\drive.exe" start C:\data'
    assert host.split_command(command) == (r"C:\Program Files\drive.exe", "start", r"C:\data")


def test_one_process_locks_a_file_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "log"
    program = f"import sys; sys.path.insert(0, {str(Path(host.__file__).parents[1])!r})\n"
    program += "from pathlib import Path; from harness import host\n"
    program += f"file = Path({str(path)!r}).open('ab'); print(host.lock(file.fileno()), flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"True"
        with path.open("ab") as file:
            assert not host.lock(file.fileno())
            file.write(b"as before")
        assert path.read_bytes() == b"as before"
        other.communicate()
    with path.open("ab") as file:
        assert host.lock(file.fileno())


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 9)"), os.strerror(errno.ECONNREFUSED)),
        (
            OSError(
                f"Multiple exceptions: [Errno {errno.ECONNREFUSED}] Connect call failed ('::1', 9, 0, 0), "
                f"[Errno {errno.ECONNREFUSED}] Connect call failed ('127.0.0.1', 9)"
            ),
            os.strerror(errno.ECONNREFUSED),
        ),
        (OSError(errno.ENETUNREACH, "No route"), "No route"),
        (OSError("Multiple exceptions: [WinError 1225] refused"), "Multiple exceptions: [WinError 1225] refused"),
        (TimeoutError(), None),
    ],
)
def test_a_refused_connection_is_told_in_the_words_of_the_system(problem: OSError, reason: str | None) -> None:
    assert host.refusal(problem) == reason


@pytest.mark.skipif(sys.platform == "win32", reason="only on POSIX: a signal cannot be sent to one process")
def test_a_request_to_end_is_as_ctrl_c_and_what_is_ignored_stays_so() -> None:
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGHUP)}
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        host.end_as_by_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGHUP)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
