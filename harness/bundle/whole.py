"""Whether a bundle holds all that belongs into it, and nothing else: what nobody looks at proves nothing.

A signature over a file says nothing about what the file is. So a file that no part of the verification reads, and bytes
among the evidence that no event speaks of, are refused, or told where a run can have left them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

from harness.bundle.rejudge import Bundle
from harness.bundle.write import CLAIMS, EVIDENCE, PACK, PLAN, RECORD, pack_files
from harness.errors import BundleFault
from harness.evidence.log import read_events
from harness.evidence.store import bytes_beside
from harness.record.view import VIEW

_KNOWN = frozenset({RECORD, PLAN, CLAIMS, *(f"view/{name}" for name in VIEW)})
_ELSEWHERE = (f"{EVIDENCE}/", "derived/")
"""Parts whose files are held against what makes them."""
_MOST_NAMED = 20


def check_subjects(subjects: Sequence[Mapping[str, Any]]) -> None:
    """Whether a statement lists every file once.

    Raises:
        BundleFault: naming the first that it lists again.
    """
    seen: set[str] = set()
    for each in subjects:
        if each["name"] in seen:
            raise BundleFault(f"the statement lists {each['name']} twice")
        seen.add(each["name"])


def check_belongs(bundle: Bundle, names: Collection[str]) -> Iterator[tuple[str, Literal["not proved"]]]:
    """Whether every file is one that a bundle of this plan has.

    Parameters:
        bundle: the bundle.
        names: of its files, without statement and sealed part.

    Yields:
        what a bundle that another version of the tool made has besides.

    Raises:
        BundleFault: there is another file; names it.
    """
    packs = (bundle.pack, *(annex.pack for annex in bundle.plan.annexes))
    known = _KNOWN | {f"{PACK}/{name}" for each in packs for name, _ in pack_files(each)}
    foreign = sorted(name for name in names if name not in known and not name.startswith(_ELSEWHERE))
    if not foreign:
        return
    if bundle.same_tool:
        raise BundleFault("\n".join(f"{name} belongs to no part of a bundle" for name in foreign[:_MOST_NAMED]))
    yield f"This version knows nothing of {', '.join(foreign[:_MOST_NAMED])}: nobody looked at it.", "not proved"


def check_evidence(bundle: Bundle) -> Iterator[tuple[str, Literal["not proved"]]]:
    """Whether every byte that an event speaks of is there, and the log is written the way this tool writes it.

    Yields:
        what lies there besides, as a crash leaves it.

    Raises:
        BundleFault: something is missing or damaged, or something stands behind the end of the log.
    """
    folder = bundle.folder / EVIDENCE
    spoken_of: set[str] = set()
    events = read_events(folder, exact=True)
    for event in events:
        for digest in event.digests:
            bundle.fetch(digest)
            spoken_of.add(digest)
    if events.cut_off is not None:
        if bundle.record["complete"]:
            raise BundleFault("behind the end of the run, events.jsonl goes on with half a line")
        yield "The last line of the log was cut off by what ended the run; it is left out.", "not proved"
    if beside := bytes_beside(folder, spoken_of):
        yield (
            f"{beside} bytes among the messages belong to none that an event speaks of, as a crash leaves them: they "
            f"decide nothing, and nobody looked at them.",
            "not proved",
        )
