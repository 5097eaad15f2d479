"""A refusal may name more than one error, but it must tell what is wrong."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from pack_kit import pack_named
from play_kit import World

from harness.pack.fault import Fault

ETIR = pack_named("etir-4.3")
CASES = {
    "lifecycle-E1-guarantee-registered@platform": "204",
    "lifecycle-I9-guarantee-registered@platform": "201",
    "lifecycle-E11-operation-none@platform": "213",
    "lifecycle-I9-declaration-absent@platform": "220",
}
"""Each with the code of its mistake."""
EVERY = sorted({*CASES.values(), "100", "200", "300"})


@pytest.mark.parametrize(("before", "word"), [(["300", "100"], "pass"), (EVERY, "inconclusive")])
def test_who_names_every_code_for_every_mistake_has_told_none(tmp_path: Path, before: list[str], word: str) -> None:
    fault = Fault("vague", "platform", "Names more than is wrong.", "", "errors", {"before": before})
    pack = replace(ETIR, faults={**ETIR.faults, fault.id: fault})
    here = World(pack, "platform", tmp_path, faults=(fault.id,), at_once=4)
    judged = asyncio.run(here.run(CASES)).judged()
    assert {each.case: each.verdict for each in judged.cases if each.case in CASES} == dict.fromkeys(CASES, word)
