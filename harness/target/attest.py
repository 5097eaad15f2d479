"""The form in which a person answers questions: of the pack that is tested, or of one that only asks (an annex)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ConfigurationFault, Where
from harness.exchange.model import Attestations, Told
from harness.pack.load import load_pack
from harness.pack.model import Pack
from harness.pack.names import pick
from harness.pack.source import Source, read_source
from harness.scenario.model import Attest, Case
from harness.scenario.plan import Plan

LARGEST_FILE = 64 * 1024 * 1024
"""Bytes of one file that shows an answer."""


@dataclass(frozen=True)
class Form:
    """A form, filled in.

    Parameters:
        source: the file.
        pack: whose questions it answers.
    """

    source: Source
    pack: Pack


def read_form(file: Path) -> Form:
    """Read a form. Paths in it are relative to the file.

    Raises:
        ConfigurationFault: it is no form, or its pack cannot be loaded.
    """
    source = read_source(file, "attestation")
    named = source.data["pack"]
    beside = file.parent / named
    return Form(source, load_pack(str(beside) if (beside / "pack.yaml").is_file() else named))


def annexes_of(forms: Sequence[Form], pack: Pack) -> tuple[Pack, ...]:
    """The packs of the forms that are not the one that is tested."""
    return tuple({form.pack.id: form.pack for form in forms if form.pack.id != pack.id}.values())


def answers_in(forms: Sequence[Form], plan: Plan) -> Attestations:
    """What the forms answer to the questions of a plan.

    Raises:
        ConfigurationFault: an answer to no question, a second one, or a file that cannot be read or is too large.
    """
    found: dict[tuple[str, str], Told] = {}
    for form in forms:
        questions = {(case.id, step.id) for case, step in questions_of(plan, form.pack)}
        for number, entry in enumerate(form.source.data["answers"]):
            where = form.source.where(("answers", number))
            pick(entry["case"], {case for case, _ in questions}, f"case with a question in {form.pack.id}", where)
            steps = {step for case, step in questions if case == entry["case"]}
            step = pick(entry.get("step", "attest"), steps, f"question of {entry['case']}", where)
            if (entry["case"], step) in found:
                raise ConfigurationFault("this question is answered twice", where=where, remedy="Remove one answer.")
            if entry["answer"] is not None:
                files = tuple(_file(form.source.path.parent / name, where) for name in entry.get("files", ()))
                found[entry["case"], step] = Told(form.source.data["person"], entry["answer"], files)
    return found


def questions_of(plan: Plan, pack: Pack) -> list[tuple[Case, Attest]]:
    """The questions of a pack in a plan, with the cases in which they stand."""
    plans = [plan, *(annex.plan for annex in plan.annexes)]
    cases = [case for each in plans if each.pack == pack.id for case in each.cases]
    return [(case, step) for case in cases for step in case.steps if isinstance(step, Attest)]


def write_form(file: Path, pack: Pack, questions: Sequence[tuple[Case, Attest]]) -> None:
    """Write a form with every question.

    Raises:
        ConfigurationFault: the file is there already.
    """
    if file.exists():
        raise ConfigurationFault(
            "the form is there already, and is not overwritten", where=Where(file), remedy="Choose another name."
        )
    lines = [
        f"# {pack.title} {pack.version}: answer what is known in a few sentences, and leave null what is open.",
        "# `files` are documents that show it, relative to this file: they go into the evidence of the bundle, and are",
        "# shown nowhere else. A person decides about every answer with `c2c review`.",
        "# In the target file: attestations: [THIS FILE]",
        f"pack: {json.dumps(pack.id)}",
        "person:        # who answers: name and office",
        "answers:",
    ]
    for case, step in questions:
        lines += [
            "",
            f"  - case: {json.dumps(case.id, ensure_ascii=False)}",
            *([f"    step: {json.dumps(step.id, ensure_ascii=False)}"] if step.id != "attest" else []),
            f"    question: {json.dumps(step.question, ensure_ascii=False)}",
            "    answer: null",
            "    files: []",
        ]
    file.write_text("\n".join(lines) + "\n", "utf-8", newline="\n")


def _file(path: Path, where: Where) -> Path:
    try:
        size = path.stat().st_size
        if not path.is_file() or size > LARGEST_FILE:
            raise ConfigurationFault(
                f"{path} is no file, or larger than {LARGEST_FILE >> 20} MB",
                where=where,
                remedy="Name a smaller file, such as the pages that matter.",
            )
        with path.open("rb"):
            return path
    except OSError as problem:
        raise ConfigurationFault(
            f"{path} cannot be read: {problem.strerror}", where=where, remedy="Correct the path, relative to the form."
        ) from None
