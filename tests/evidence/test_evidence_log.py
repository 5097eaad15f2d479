from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import BundleFault, ConfigurationFault, HarnessFault
from harness.evidence.clock import FixedClock, SystemClock
from harness.evidence.log import EventLog, keep_events, read_events
from harness.evidence.store import Store
from harness.host import WINDOWS

AT = datetime(2020, 1, 1, tzinfo=UTC)


def write_some(folder, count=3):
    with EventLog(folder, FixedClock(AT)) as log:
        return [log.write("waiting", "a@b", f"S{number}", message="M", why="é") for number in range(count)]


def test_what_is_written_is_read(tmp_path):
    written = write_some(tmp_path)
    events = read_events(tmp_path)
    assert list(events) == written
    assert [event.seq for event in written] == [0, 1, 2]
    assert written[0].at == "2020-01-01T00:00:00.000000Z"
    assert events.cut_off is None


def test_events_that_are_kept_are_the_same_and_take_half_the_memory(tmp_path):
    with EventLog(tmp_path, FixedClock(AT)) as log:
        for number in range(3000):
            log.write(
                "sent", f"case-{number // 10}", "S", role="request", head={"line": "", "headers": [["A", "b"]] * 4}
            )

    def size(read):
        tracemalloc.start()
        events = read()
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return events, taken

    whole, much = size(lambda: tuple(read_events(tmp_path)))
    kept, little = size(lambda: keep_events(tmp_path))
    assert kept == whole
    assert dict(kept[7].data) == whole[7].data
    assert "role" in kept[7].data
    assert kept[7].data.get("tls") is None
    assert little < much / 2


def test_the_times_of_the_socket_win(tmp_path):
    with EventLog(tmp_path, FixedClock(AT)) as log:
        event = log.write("sent", at=AT + timedelta(seconds=1), mono=5)
    assert (event.at, event.mono) == ("2020-01-01T00:00:01.000000Z", 5)


def test_keys_stand_in_one_order(tmp_path):
    write_some(tmp_path, 1)
    line = json.loads((tmp_path / "events.jsonl").read_text("utf-8"))
    assert list(line) == ["seq", "kind", "at", "mono", "case", "step", "data"]


def test_a_killed_process_loses_nothing(tmp_path):
    program = (
        "import os, sys, pathlib\n"
        "from harness.evidence.log import EventLog\n"
        "from harness.evidence.clock import SystemClock\n"
        "log = EventLog(pathlib.Path(sys.argv[1]), SystemClock())\n"
        "for number in range(100): log.write('lag', seconds=number)\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, cwd=Path(__file__).parents[2])
    assert [event.data["seconds"] for event in read_events(tmp_path)] == list(range(100))


def test_a_cut_last_line_is_dropped_and_said(tmp_path):
    write_some(tmp_path)
    path = tmp_path / "events.jsonl"
    path.write_bytes(path.read_bytes()[:-10])
    events = read_events(path)
    assert len(list(events)) == 2
    assert events.cut_off is not None
    assert events.cut_off.startswith(b'{"seq":2')


def test_writing_goes_on_behind_the_last_complete_line(tmp_path):
    write_some(tmp_path)
    path = tmp_path / "events.jsonl"
    path.write_bytes(path.read_bytes()[:-10])
    assert write_some(tmp_path, 1)[0].seq == 2
    events = read_events(path)
    assert [event.seq for event in events] == [0, 1, 2]
    assert events.cut_off is None


WRONG_NUMBER = b'{"seq":7,"kind":"x","at":"","mono":0,"case":null,"step":null,"data":{}}'


@pytest.mark.parametrize("line", [b"", b"no json", b"[]", b'{"seq":1}', WRONG_NUMBER])
def test_other_damage_names_the_line(tmp_path, line):
    write_some(tmp_path)
    path = tmp_path / "events.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[1] = line
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(BundleFault, match="damaged") as caught:
        list(read_events(path))
    assert caught.value.where.line == 2


def test_a_missing_line_is_damage(tmp_path):
    write_some(tmp_path)
    path = tmp_path / "events.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    with pytest.raises(BundleFault):
        list(read_events(path))


def test_no_log_at_all_is_a_fault_of_the_bundle(tmp_path):
    with pytest.raises(BundleFault, match="cannot be read"):
        list(read_events(tmp_path))


def test_a_folder_that_cannot_be_made_is_configuration(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationFault, match="cannot be written"):
        EventLog(tmp_path / "file" / "below", SystemClock())


def test_threads_share_a_log(tmp_path):
    with EventLog(tmp_path, SystemClock()) as log, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: log.write("lag", seconds=number), range(400)))
    events = list(read_events(tmp_path))
    assert [event.seq for event in events] == list(range(400))
    assert sorted(event.data["seconds"] for event in events) == list(range(400))


def test_lines_become_durable_many_at_a_time(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr("harness.evidence.append.make_durable", calls.append)
    with EventLog(tmp_path, SystemClock(), pause=60) as log:
        for number in range(500):
            log.write("lag", seconds=number)
        assert calls == []
        log.checkpoint()
        assert len(calls) == 1
    assert len(calls) == 2
    log.close()


def test_lines_that_do_not_reach_the_disk_end_the_writing(tmp_path, monkeypatch):
    def broken(_):
        raise OSError(5, "Input/output error")

    log = EventLog(tmp_path, SystemClock(), pause=0)
    with monkeypatch.context() as patch:
        patch.setattr("harness.evidence.append.make_durable", broken)
        log.write("lag", seconds=0)
        log._thread.join()
        with pytest.raises(HarnessFault, match="does not reach the disk: Input/output"):
            log.write("lag", seconds=1)
    log.close()


def test_a_mistake_of_ours_ends_the_writing_too(tmp_path, monkeypatch):
    def mistaken(_):
        raise ValueError("I/O operation on closed file")

    log = EventLog(tmp_path, SystemClock(), pause=0)
    with monkeypatch.context() as patch:
        patch.setattr("harness.evidence.append.make_durable", mistaken)
        log.write("lag", seconds=0)
        log._thread.join()
        with pytest.raises(HarnessFault, match="no longer made durable: ValueError"):
            log.write("lag", seconds=1)
    log.close()


@pytest.mark.skipif(WINDOWS, reason="only where a file that is open can be removed")
@pytest.mark.parametrize("gone", [".", "events.jsonl", "messages-0001.bin"])
def test_what_somebody_removes_is_written_anew(tmp_path, gone):
    folder = tmp_path / "evidence"
    with EventLog(folder, SystemClock(), pause=60) as log:
        digests = [log.store.put(b"first")]
        log.write("lag", seconds=1)
        log.checkpoint()
        assert not log.removed
        shutil.rmtree(folder) if gone == "." else (folder / gone).unlink()
        assert log.store.get(digests[0]) == b"first"
        digests.append(log.store.put(b"second"))
        log.write("lag", seconds=2)
        log.checkpoint()
        assert log.removed
        log.write("lag", seconds=3)
    assert [event.data["seconds"] for event in read_events(folder)] == [1, 2, 3]
    assert [Store(folder).get(digest) for digest in digests] == [b"first", b"second"]


@pytest.mark.skipif(WINDOWS, reason="only where a file that is open can be removed")
def test_what_cannot_be_written_anew_is_told(tmp_path):
    folder = tmp_path / "evidence"
    with EventLog(folder, SystemClock(), pause=60) as log:
        log.write("lag", seconds=1)
        shutil.rmtree(folder)
        folder.write_text("in the way")
        with pytest.raises(HarnessFault, match="was removed, and could not be written anew"):
            log.checkpoint()
        folder.unlink()


def test_a_number_that_is_not_json_is_refused(tmp_path):
    with EventLog(tmp_path, SystemClock()) as log:
        with pytest.raises(ValueError, match="JSON"):
            log.write("lag", seconds=float("nan"))
        assert log.write("lag", seconds=0).seq == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(JSON, max_size=5))
def test_any_json_survives(values):
    with tempfile.TemporaryDirectory() as folder:
        with EventLog(Path(folder), SystemClock()) as log:
            for value in values:
                log.write("state", value=value)
        assert [event.data["value"] for event in read_events(Path(folder))] == values


class Full:
    """A file that takes a few bytes at a time, and none any more when the disk is full."""

    def __init__(self, file, room):
        self._file, self._room = file, room

    def write(self, data):
        if not self._room:
            raise OSError(28, "No space left on device")
        count = self._file.write(bytes(data[: min(7, self._room)]))
        self._room -= count
        return count

    def __getattr__(self, name):
        return getattr(self._file, name)


def test_a_line_that_the_system_takes_in_pieces_is_whole(tmp_path):
    with EventLog(tmp_path, FixedClock(AT)) as log:
        log._file = Full(log._file, 10_000)
        written = [log.write("waiting", message="M"), log.write("waiting", message="N")]
    assert list(read_events(tmp_path)) == written


def test_on_a_full_disk_the_log_ends_with_the_last_whole_line(tmp_path):
    with EventLog(tmp_path, FixedClock(AT)) as log:
        first = log.write("waiting", message="M")
        whole = log._file
        log._file = Full(whole, 20)
        with pytest.raises(HarnessFault, match="No space left"):
            log.write("waiting", message="N")
        log._file = whole
        second = log.write("waiting", message="O")
    assert (first.seq, second.seq) == (0, 1)
    events = read_events(tmp_path)
    assert list(events) == [first, second]
    assert events.cut_off is None
