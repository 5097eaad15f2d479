"""What a person says about questions that the harness cannot answer itself, with the files that show it."""

from __future__ import annotations

from collections.abc import Iterable

from harness.exchange.model import Attestations, Told
from harness.exchange.recorder import Recorder
from harness.scenario.model import Attest, Case


def write_attested(recorder: Recorder, case: str, step: Attest, told: Told | None) -> None:
    """Write down a question and what a person says to it; files go into the evidence, by their digest."""
    if told is None:
        recorder.write("attested", case, step.id, question=step.question, answer=None, person=None)
        return
    files = []
    for path in told.files:
        data = path.read_bytes()
        files.append({"name": path.name, "digest": recorder.store.put(data), "size": len(data)})
    recorder.write("attested", case, step.id, question=step.question, answer=told.text, person=told.person, files=files)


def ask_all(recorder: Recorder, cases: Iterable[Case], answers: Attestations) -> None:
    """Play cases that consist of questions only."""
    for case in cases:
        recorder.write("case-started", case.id, attempt=1, values={})
        for step in case.steps:
            if isinstance(step, Attest):
                write_attested(recorder, case.id, step, answers.get((case.id, step.id)))
        recorder.write("case-finished", case.id, ended="complete", reason="")
