"""Telling what reached a listener and became no request, in bounds.

Whoever finds the port can fail on it as often as they like, and what they do must not fill the disk. So a burst is told
one by one, and what goes on and on is counted, and told once in a while with its number. Who is due to call is told
apart from everybody else: a flood of strangers never hides why the system under test does not get through.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import httpx

from harness.exchange.service import ListenerFailure

FIRST = 10
"""So many failures of one kind, one behind the other, are told one by one."""
TOLD_EVERY = 1.0
"""Seconds until one more may be told."""
_APART = 8
"""So many peers and reasons are named together; the rest is a number."""


@dataclass
class _Crowd:
    """Failures of one kind, of those who are known or of everybody else.

    Parameters:
        left: how many may be told now.
        more: those that were not told yet, by peer and reason.
        others: those for which there was no room in it.
        latest: the last of them.
        timer: runs while fewer than the first may be told.
    """

    left: int = FIRST
    more: Counter[tuple[str, str]] = field(default_factory=Counter)
    others: int = 0
    latest: ListenerFailure | None = None
    timer: asyncio.TimerHandle | None = None


async def addresses_of(urls: Iterable[str]) -> frozenset[str]:
    """The addresses of servers, as far as their names can be resolved now."""
    found: set[str] = set()
    for host in {httpx.URL(url).host for url in urls}:
        with suppress(OSError):
            answers = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found |= {str(address[0]) for *_, address in answers}
    return frozenset(found)


class Teller:
    """Tells failures of a listener.

    Parameters:
        tell: whom.
    """

    def __init__(self, tell: Callable[[ListenerFailure], None]) -> None:
        self._tell = tell
        self._crowds: dict[tuple[str, bool], _Crowd] = {}

    def __call__(self, failure: ListenerFailure) -> None:
        """Tell it now, or count it."""
        crowd = self._crowds.setdefault((failure.kind, failure.known), _Crowd())
        if crowd.left:
            crowd.left -= 1
            self._tell(failure)
        else:
            _count(crowd, failure)
        if crowd.timer is None:
            self._wait(crowd)

    def close(self) -> None:
        """Tell what was only counted so far."""
        for crowd in self._crowds.values():
            if crowd.timer is not None:
                crowd.timer.cancel()
            self._tell_more(crowd)
        self._crowds.clear()

    def _wait(self, crowd: _Crowd) -> None:
        crowd.timer = asyncio.get_running_loop().call_later(TOLD_EVERY, self._one_more, crowd)

    def _one_more(self, crowd: _Crowd) -> None:
        crowd.timer = None
        if not self._tell_more(crowd):
            crowd.left += 1
        if crowd.left < FIRST:
            self._wait(crowd)

    def _tell_more(self, crowd: _Crowd) -> bool:
        """Tell what was counted; returns whether there was something."""
        latest, count = crowd.latest, crowd.more.total() + crowd.others
        if latest is None:
            return False
        if count > 1:
            parts = [f"{number} from {host or 'anywhere'}: {text}" for (host, text), number in crowd.more.most_common()]
            parts += [f"{crowd.others} others"] if crowd.others else []
            latest = replace(latest, text=f"{count} more; {'; '.join(parts)}", peer="", request=None, count=count)
        crowd.more, crowd.others, crowd.latest = Counter(), 0, None
        self._tell(latest)
        return True


def _count(crowd: _Crowd, failure: ListenerFailure) -> None:
    what = failure.peer.rpartition(":")[0], failure.text
    if what in crowd.more or len(crowd.more) < _APART:
        crowd.more[what] += 1
    else:
        crowd.others += 1
    crowd.latest = failure
