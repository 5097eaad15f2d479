"""What a case needs and nobody has found yet in the schemas of an overlay."""

from __future__ import annotations

from harness.pack.model import Pack
from harness.scenario.model import Case, Quiet
from harness.scenario.project import exchanges


def unmapped(case: Case, pack: Pack) -> str:
    """Messages of a case with what is open in them, in words; empty when the case can be played.

    A case that needs one such message is not played at all: what comes before it might already be wrong.
    """
    requests = [step.message for step in exchanges(case.steps)]
    requests += [step.message for step in case.steps if isinstance(step, Quiet)]
    names = dict.fromkeys(name for request in requests for name in (request, pack.messages[request].answer) if name)
    return "; ".join(
        f"{name} ({', '.join(pack.messages[name].unmapped)})" for name in names if pack.messages[name].unmapped
    )
