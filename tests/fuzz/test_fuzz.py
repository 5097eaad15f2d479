"""The short run of the fuzzer: what was found once stays mended, and some thousand new inputs on each commit."""

from __future__ import annotations

import time
from itertools import islice

import fuzz_targets
import pytest
from fuzz_mutator import mutations
from fuzz_run import mutated
from fuzz_targets import CORPUS, TARGETS

COUNTS = {
    **dict.fromkeys(("signature", "certificate", "document", "jose", "revocation"), 400), "scenario": 100, "pack": 25,
}  # fmt: skip
"""Inputs of the short run, for targets where one input costs more than a tenth of a millisecond."""


@pytest.mark.parametrize("target", TARGETS)
def test_corpus_and_some_mutations_of_it(target):
    """The same seed each time: a failure can be repeated; ``make fuzz`` takes others."""
    seeds = [file.read_bytes() for file in sorted((CORPUS / target).iterdir())]
    for data in (*seeds, *islice(mutations(seeds, 1), COUNTS.get(target, 1000))):
        began = time.process_time()
        TARGETS[target](data)
        assert time.process_time() - began < 5


def test_good_messages_of_the_corpus_are_trusted():
    assert fuzz_targets.signed_payloads("signature")
    assert fuzz_targets.signed_payloads("jws")


def test_what_is_found_is_kept(tmp_path, monkeypatch, capsys):
    def falls_over(data):
        assert b"<!--" not in data

    monkeypatch.setattr(fuzz_targets, "TARGETS", {"comment": falls_over})
    (tmp_path / "comment").mkdir()
    (tmp_path / "comment" / "seed").write_bytes(b"<a><b/></a>")
    assert not mutated("comment", 20, 1, tmp_path)
    found = list((tmp_path / "comment").glob("found-*"))
    assert len(found) == 1
    assert b"<!--" in found[0].read_bytes()
    assert "AssertionError" in capsys.readouterr().out
