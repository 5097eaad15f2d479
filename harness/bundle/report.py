"""Making a report of a bundle again, in another language."""

from __future__ import annotations

from pathlib import Path

from harness.bundle.agree import check_record
from harness.bundle.verify import opened
from harness.bundle.write import EVIDENCE, RECORD
from harness.errors import BundleFault
from harness.evidence.store import Store, holds_messages
from harness.record.strict import loads
from harness.report.derive import PAGES


def report_of(bundle: Path, name: str, language: str) -> bytes:
    """A report for people, made from the record of a bundle, which is not verified.

    Parameters:
        bundle: the folder, or its ``.zip``.
        name: of one of the :data:`~harness.report.derive.PAGES`.
        language: of the report.

    Raises:
        ConfigurationFault: there is no bundle, or no catalogue for the language.
        BundleFault: its record is damaged, or a message that it speaks of is missing.
    """
    with opened(bundle) as folder:
        try:
            record = loads((folder / RECORD).read_bytes(), RECORD)
        except FileNotFoundError:
            raise BundleFault(f"{RECORD} is missing: this is not a bundle, or its run was cut") from None
        check_record(record)
        evidence = folder / EVIDENCE
        readable = evidence.is_dir() and any(holds_messages(file.name) for file in evidence.iterdir())
        return PAGES[name](record, Store(evidence).get if readable else None, language)
