from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BundleFault
from harness.evidence.store import Store, digest_of


def test_bytes_come_back(tmp_path):
    store = Store(tmp_path)
    digest = store.put(b"hello")
    assert digest == digest_of(b"hello")
    assert store.get(digest) == b"hello"
    assert (tmp_path / "sha256" / digest[7:9] / digest[7:]).read_bytes() == b"hello"


def test_the_same_bytes_are_kept_once_also_from_many_threads(tmp_path):
    store = Store(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(lambda _: store.put(b"x" * 10_000), range(50)))
    assert len(digests) == 1
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_changed_bytes_are_refused(tmp_path):
    store = Store(tmp_path)
    digest = store.put(b"hello")
    (tmp_path / "sha256" / digest[7:9] / digest[7:]).write_bytes(b"hullo")
    with pytest.raises(BundleFault, match="changed"):
        store.get(digest)


def test_missing_bytes_are_refused(tmp_path):
    with pytest.raises(BundleFault, match="cannot be read"):
        Store(tmp_path).get(digest_of(b"never put"))


HOSTILE = ["sha256:../../etc/passwd", "sha256:" + "A" * 64, "sha256:" + "a" * 64 + "\n"]


@given(st.text(max_size=80) | st.sampled_from(HOSTILE))
def test_nothing_but_a_digest_reaches_the_disk(tmp_path_factory, text):
    with pytest.raises(BundleFault):
        Store(tmp_path_factory.getbasetemp()).get(text)
