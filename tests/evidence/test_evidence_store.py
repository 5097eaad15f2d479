from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BundleFault, HarnessFault
from harness.evidence.store import Store, digest_of

FIRST = "messages-0001.bin"


@pytest.fixture
def opened(tmp_path):
    """Makes stores over one folder, and closes them."""
    stores = []

    def make(**options):
        stores.append(Store(tmp_path, **options))
        return stores[-1]

    yield make
    for each in stores:
        each.close()


def test_bytes_come_back_also_later(tmp_path, opened):
    store = opened()
    messages = [b"hello", b"", b"\n", b"sha256:" + b"a" * 64 + b" 1\n", bytes(range(256)) * 100]
    digests = [store.put(each) for each in messages]
    assert digests == [digest_of(each) for each in messages]
    assert [store.get(digest) for digest in digests] == messages
    assert [Store(tmp_path).get(digest) for digest in digests] == messages


def test_each_message_has_its_digest_and_its_length_before_it(tmp_path, opened):
    digest = opened().put(b"hello")
    assert (tmp_path / FIRST).read_bytes() == f"{digest} 5\nhello\n".encode()


def test_the_same_bytes_are_kept_once_also_from_many_threads(tmp_path, opened):
    store = opened()
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(lambda _: store.put(b"x" * 10_000), range(50)))
    assert len(digests) == 1
    assert (tmp_path / FIRST).stat().st_size < 11_000


def test_many_threads_put_and_get(opened):
    store = opened(file_size=5_000, remembered=10)
    with ThreadPoolExecutor(8) as pool:
        sizes = list(pool.map(lambda n: len(store.get(store.put(b"x" * n))), range(300)))
    assert sizes == list(range(300))


def test_a_long_file_is_followed_by_the_next(tmp_path, opened):
    store = opened(file_size=1_000)
    digests = [store.put(bytes([n]) * 400) for n in range(10)]
    store.make_durable()
    assert len(list(tmp_path.iterdir())) == 4
    assert [store.get(digest)[0] for digest in digests] == list(range(10))
    assert [Store(tmp_path).get(digest)[0] for digest in digests] == list(range(10))


def test_a_run_remembers_the_latest_and_finds_the_others(opened):
    store = opened(remembered=3)
    digests = [store.put(bytes([n])) for n in range(10)]
    assert len(store._places) == 3
    assert [store.get(digest) for digest in digests] == [bytes([n]) for n in range(10)]


def test_another_process_begins_a_file_of_its_own(tmp_path, opened):
    first, second = opened(), opened()
    digests = [first.put(b"one"), second.put(b"two"), first.put(b"three")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [FIRST, "messages-0002.bin"]
    assert [Store(tmp_path).get(digest) for digest in digests] == [b"one", b"two", b"three"]


def test_a_killed_process_loses_nothing(tmp_path):
    program = (
        "import os, sys, pathlib\n"
        "from harness.evidence.store import Store\n"
        "store = Store(pathlib.Path(sys.argv[1]))\n"
        "for number in range(100): store.put(b'%d' % number)\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, cwd=Path(__file__).parents[2])
    store = Store(tmp_path)
    assert all(store.get(digest_of(b"%d" % number)) == b"%d" % number for number in range(100))


@pytest.mark.parametrize("rest", range(1, 80))
def test_what_a_crash_left_half_written_is_not_read(tmp_path, opened, rest):
    store = opened()
    whole, half = store.put(b"whole"), store.put(b"half written")
    path = tmp_path / FIRST
    path.write_bytes(path.read_bytes()[:-rest])
    later = Store(tmp_path)
    assert later.get(whole) == b"whole"
    with pytest.raises(BundleFault, match="missing"):
        later.get(half)


@given(st.data())
def test_one_altered_byte_is_never_taken_for_evidence(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("store")
    store = Store(folder)
    digests = [store.put(b"one"), store.put(b"two")]
    store.close()
    path = folder / FIRST
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    later, refused = Store(folder), 0
    for digest, message in zip(digests, (b"one", b"two"), strict=True):
        try:
            assert later.get(digest) == message
        except BundleFault:
            refused += 1
    assert refused


def test_changed_bytes_are_refused(tmp_path, opened):
    digest = opened().put(b"hello")
    path = tmp_path / FIRST
    path.write_bytes(path.read_bytes().replace(b"hello", b"hullo"))
    with pytest.raises(BundleFault, match="changed"):
        Store(tmp_path).get(digest)


def test_a_length_that_lies_ends_the_file(tmp_path):
    digest = digest_of(b"hello")
    (tmp_path / FIRST).write_bytes(f"{digest} 999999999999\nhello\n".encode())
    with pytest.raises(BundleFault, match="missing"):
        Store(tmp_path).get(digest)


def test_missing_bytes_are_refused(tmp_path):
    with pytest.raises(BundleFault, match="missing"):
        Store(tmp_path).get(digest_of(b"never put"))


def test_a_missing_folder_is_a_fault_of_the_bundle(tmp_path):
    with pytest.raises(BundleFault, match="cannot be read"):
        Store(tmp_path / "none").get(digest_of(b""))


def test_a_file_that_cannot_be_begun_is_told(tmp_path):
    with pytest.raises(HarnessFault, match=r"none: .*could not be written: .*`c2c judge`"):
        Store(tmp_path / "none").put(b"")


def test_what_is_put_while_the_file_before_is_forced_is_forced_too(tmp_path, monkeypatch):
    """The file is full before it has reached the disk: it is closed only once nothing of it is missing there."""
    store, forced, meanwhile = Store(tmp_path, file_size=200), {}, [b"a" * 150, b"b" * 150]

    def force(file):
        forced[Path(file.name)] = file.tell()
        while meanwhile:
            store.put(meanwhile.pop(0))

    monkeypatch.setattr("harness.evidence.store.force", force)
    digests = [store.put(b"first"), *map(digest_of, meanwhile)]
    store.make_durable()
    store.make_durable()
    store.close()
    assert forced == {path: path.stat().st_size for path in tmp_path.iterdir()}
    assert [Store(tmp_path).get(digest) for digest in digests] == [b"first", b"a" * 150, b"b" * 150]


def test_only_what_was_put_since_is_made_durable(opened, monkeypatch):
    calls = []
    monkeypatch.setattr("harness.evidence.append.make_durable", calls.append)
    store = opened()
    store.make_durable()
    assert calls == []
    store.put(b"one")
    store.put(b"two")
    store.make_durable()
    store.make_durable()
    assert len(calls) == 1


HOSTILE = ["sha256:../../etc/passwd", "sha256:" + "A" * 64, "sha256:" + "a" * 64 + "\n"]


@given(st.text(max_size=80) | st.sampled_from(HOSTILE))
def test_nothing_but_a_digest_is_looked_for(tmp_path_factory, text):
    with pytest.raises(BundleFault, match="digest"):
        Store(tmp_path_factory.getbasetemp()).get(text)


def test_what_was_put_last_is_at_hand_unless_it_is_long(tmp_path):
    store, short, long = Store(tmp_path), b"short", b"long" * 50_000
    assert store.get(store.put(short)) is short
    digest = store.put(long)
    assert store.get(digest) == long
    assert store.get(digest) is not long
    for number in range(600):
        store.put(str(number).encode())
    assert store.get(digest_of(short)) == short
    assert store.get(digest_of(short)) is not short
    store.close()
