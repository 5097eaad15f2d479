"""Hook points: where a reference party can be told to make a mistake on purpose, or to do it another legal way.

The party asks at every decision ``hooks.<point>(default, ...facts)``. Without a switch the answer is the default. A
fault or a legal variation of the pack names one point; it fits where all its parameters that name facts agree with
the facts (a pattern such as ``signature/*`` agrees with all that it matches), and the other parameters say what
replaces the default. So there is no code for a single fault, and ``docs/faults.md`` is the whole manual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from harness.message.handling import HANDLINGS
from harness.message.model import Value, Values
from harness.message.structure import STRUCTURES, Rearrange
from harness.pack.model import Outcome
from harness.reference.points import Switch, check
from harness.reference.spelling import SPELLINGS


class Hooks:
    """What is switched on in one party.

    Parameters:
        faults: faults and legal variations of the pack, those that are switched on.
        strikes: whether a fault that fits happens now.
        told: is told of each that does, with the facts.

    Raises:
        ConfigurationFault: a fault names a hook point or a parameter that is not there.
    """

    def __init__(
        self,
        faults: Iterable[Switch] = (),
        strikes: Callable[[Switch], bool] = lambda _: True,
        told: Callable[[Switch, str], None] = lambda _switch, _facts: None,
    ) -> None:
        self._faults, self._strikes, self._told = tuple(faults), strikes, told
        for fault in self._faults:
            check(fault)

    def accepts_problem(self, *, message: str | None, problem: str) -> bool:
        """Whether a wrong signature is overlooked (``accept-signature``)."""
        return self._fault("accept-signature", message=message, problem=problem) is not None

    def accepts_violation(self, *, message: str, kind: str) -> bool:
        """Whether a violation of the schema is overlooked (``accept-schema``)."""
        return self._fault("accept-schema", message=message, kind=kind) is not None

    def accepts_breach(self, *, message: str, code: str) -> bool:
        """Whether a broken rule, or a value that is not in its code list, is overlooked (``accept-rule``)."""
        return self._fault("accept-rule", message=message, code=code) is not None

    def tolerance(self, *, problem: str) -> float | None:
        """Seconds beyond which a time stamp is ahead or behind, where not those of the profile (``tolerance``)."""
        fault = self._fault("tolerance", problem=problem)
        return None if fault is None else float(fault["seconds"])

    @property
    def reads_leniently(self) -> bool:
        """Whether bytes that are no message are mended instead of refused (``read``)."""
        return self._fault("read") is not None

    def finds_unreadable(self, headers: Mapping[str, str], body: bytes) -> str:
        """What a reader stumbles over that looks for a text in headers and body (``scan``); empty when over nothing."""
        fault = self._fault("scan")
        if fault is None:
            return ""
        lines = "".join(f"{name}: {value}\n" for name, value in headers.items())
        if (str(fault["text"]).encode() in lines.encode() + body) is (fault["as"] == "needed"):
            return ""
        return f"{fault['text']!r} is {fault['as']}"

    def turn_away(self) -> str:
        """How a message is turned away that is not trusted: ``http``, ``fault`` or ``close`` (``turn-away``)."""
        return self._text("turn-away", None) or "fault"

    def pause(self, *, message: str) -> float:
        """Seconds between looking at the records and changing them (``pause``)."""
        fault = self._fault("pause", message=message)
        return 0.0 if fault is None else float(fault["seconds"])

    def duplicate(self, default: Outcome | None, *, message: str) -> Outcome | None:
        """How a message is refused whose reference was seen before (``duplicate``)."""
        return _outcome(self._fault("duplicate", message=message), default)

    def guard(self, default: Outcome | None, *, message: str, object: str, state: str) -> Outcome | None:  # noqa: A002
        """How a message is refused while an object is in a state (``guard``)."""
        return _outcome(self._fault("guard", message=message, object=object, state=state), default)

    def match(self, default: Outcome | None, *, message: str, value: str) -> Outcome | None:
        """How a message is refused whose value differs from the recorded one (``match``)."""
        return _outcome(self._fault("match", message=message, value=value), default)

    def refuse(self, *, message: str) -> Outcome | None:
        """How a message is refused although nothing is wrong with it (``refuse``)."""
        return _outcome(self._fault("refuse", message=message), None)

    def effect(self, default: str, *, message: str, object: str) -> str | None:  # noqa: A002
        """The state that an object gets; ``None`` when it is not changed (``effect``, ``as: none``)."""
        text = self._text("effect", default, message=message, object=object)
        return None if text == "none" and text != default else text

    def error_code(self, default: str | None, *, message: tuple[str, ...]) -> str | None:
        """The code of an error in an answer (``error-code``)."""
        return self._text("error-code", default, message=message, code=default)

    def error_pointer(self, default: str | None, *, message: tuple[str, ...], code: str | None) -> str | None:
        """The pointer of an error in an answer (``error-pointer``)."""
        return self._text("error-pointer", default, message=message, code=code)

    def errors_before(self, *, message: tuple[str, ...], code: str | None) -> tuple[str, ...]:
        """Codes of errors that stand before the true one in an answer (``errors``)."""
        fault = self._fault("errors", message=message, code=code)
        return () if fault is None else tuple(map(str, fault["before"]))

    def correlation(self, default: Value, *, message: tuple[str, ...]) -> Value:
        """The reference by which an answer says what it answers (``correlation``, ``as: none`` or some other text)."""
        fault = self._fault("correlation", message=message)
        if fault is None or fault["as"] == "ignore":
            return default
        return None if fault["as"] == "none" else str(fault["as"])

    def ignores_correlation(self, *, message: tuple[str, ...]) -> bool:
        """Whether an answer that belongs to another request is taken as well (``correlation``, ``as: ignore``)."""
        fault = self._fault("correlation", message=message)
        return fault is not None and fault["as"] == "ignore"

    def build(self, default: Mapping[str, Value], *, message: str) -> Mapping[str, Value]:
        """The bound values of a message that is built (``build``, ``set: {name: value}``)."""
        fault = self._fault("build", message=message)
        return default if fault is None else {**default, **fault["set"]}

    def text(self, default: str, *, message: str, path: str) -> str:
        """A text of a message that is sent (``text``)."""
        name = self._text("text", None, message=message, path=path)
        return default if name is None else SPELLINGS[name](default)

    def structure(self, *, message: str, path: str) -> Rearrange | None:
        """How an element of a message that is sent is changed (``structure``)."""
        name = self._text("structure", None, message=message, path=path)
        return None if name is None else STRUCTURES[name]

    def rewrites(self) -> bool:
        """Whether any message can be sent otherwise than it was built."""
        return any(fault.hook in ("text", "structure") for fault in self._faults)

    def clock(self, *, message: str) -> float:
        """Seconds by which the clock of whoever signs goes wrong (``clock``)."""
        fault = self._fault("clock", message=message)
        return 0.0 if fault is None else float(fault["seconds"])

    def wire(self, default: bytes, *, message: str) -> bytes:
        """The finished bytes of a message (``wire``)."""
        name = self._text("wire", None, message=message)
        return default if name is None else HANDLINGS[name](default)

    def headers(self, default: Mapping[str, str], *, message: str) -> Mapping[str, str]:
        """The HTTP headers of a message; ``null`` removes one (``headers``, ``set: {name: value}``)."""
        fault = self._fault("headers", message=message)
        if fault is None:
            return default
        changed = {str(name).lower(): value for name, value in fault["set"].items()}
        kept = {name: value for name, value in default.items() if name.lower() not in changed}
        return {**kept, **{name: str(value) for name, value in fault["set"].items() if value is not None}}

    def sign(self, *, message: str) -> str | None:
        """Name of the security defect that is put into a message (``sign``)."""
        fault = self._fault("sign", message=message)
        return None if fault is None else str(fault["defect"])

    def notify(
        self, default: tuple[str, ...], *, reaction: str, message: str, others: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Who gets the message of a reaction: ``none``, ``twice``, ``wrong-party`` or ``everybody`` (``notify``)."""
        fault = self._fault("notify", reaction=reaction, message=message)
        if fault is None:
            return default
        return {"none": (), "twice": default * 2, "wrong-party": others, "everybody": default + others}[fault["as"]]

    def repeat(self, *, message: str, after: str) -> str | None:
        """How a message is sent again that was ``accepted``, ``refused``, or not answered rightly (``broken``).

        One of ``same``, ``new-reference`` and ``for-ever`` (``repeat``).
        """
        return self._text("repeat", None, message=message, after=after)

    def proceeds(self, *, message: tuple[str, ...], code: tuple[str, ...]) -> bool:
        """Whether a refusal, or no answer to what is passed on, is taken for an acceptance (``after-refusal``)."""
        return self._fault("after-refusal", message=message, code=code) is not None

    def delay(self, *, message: str) -> float:
        """Seconds to wait before a message is sent (``delay``)."""
        fault = self._fault("delay", message=message)
        return 0.0 if fault is None else float(fault["seconds"])

    def key_without(self, *, object: str) -> str | None:  # noqa: A002
        """The part of its key by which objects are not told apart (``object-key``)."""
        fault = self._fault("object-key", object=object)
        return None if fault is None else str(fault["without"])

    def memory(self, default: Values, *, message: str, last: Values) -> Values:
        """What is remembered of a movement, which may be the last one that was spoken of (``memory``)."""
        return default if self._fault("memory", message=message) is None else {**default, **last}

    def restart(self, *, message: str) -> str | None:
        """What is forgotten once a message is accepted: ``references``, ``objects`` or ``all`` (``restart``)."""
        fault = self._fault("restart", message=message)
        return None if fault is None else str(fault["lost"])

    def answer(self, *, message: tuple[str, ...]) -> str | None:
        """What is sent in the place of an answer, one of :data:`harness.reference.points.ANSWERS` (``answer``)."""
        return self._text("answer", None, message=message)

    def state(self, default: str | None, *, object: str) -> str | None:  # noqa: A002
        """The state that the control interface reports (``state``)."""
        return self._text("state", default, object=object)

    def _text(self, point: str, default: str | None, **facts: str | tuple[str, ...] | None) -> str | None:
        fault = self._fault(point, **facts)
        return default if fault is None else str(fault["as"])

    def _fault(self, point: str, **facts: str | tuple[str, ...] | None) -> Mapping[str, Any] | None:
        for fault in self._faults:
            if fault.hook == point and all(
                _agrees(str(fault.parameters[name]), value) for name, value in facts.items() if name in fault.parameters
            ):
                if not self._strikes(fault):
                    continue
                self._told(fault, " ".join(f"{name}={_shown(value)}" for name, value in facts.items()))
                return fault.parameters
        return None


def _agrees(pattern: str, fact: str | tuple[str, ...] | None) -> bool:
    """Whether a parameter agrees with a fact; a tuple is one thing under several names (request and answer)."""
    names = fact if isinstance(fact, tuple) else (fact or "",)
    return any(fnmatchcase(name, pattern) for name in names)


def _shown(fact: str | tuple[str, ...] | None) -> str:
    return "/".join(filter(None, fact)) if isinstance(fact, tuple) else fact or "-"


def _outcome(fault: Mapping[str, Any] | None, default: Outcome | None) -> Outcome | None:
    if fault is None:
        return default
    wanted = fault["as"]
    if wanted == "proceed":
        return None
    error = wanted if isinstance(wanted, Mapping) else {"error": wanted}
    return Outcome("error", str(error["error"]), str(error.get("pointer", "/")), error.get("by"))
