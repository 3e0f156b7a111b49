# SPDX-License-Identifier: GPL-2.0
"""CVE-2026-99059 as a race: the response to an initiation is being worked on
when the kernel creates the next one.  Mixed together the two would end in a
session that belongs to neither: the kernel sends by the keys of the first
handshake and expects the index of the second.

Five seconds after an initiation the kernel may make another, and does so when
there is data to send, a little before its own timer would.  So many peers are
given something to do at the same moment: their initiations in one order, and
the responses that have been ready for seconds in the opposite one.  Wherever the
two rows meet, one peer's response and initiation are in work together."""
import timeit
from collections import Counter, deque

import wgproto as wp
from wgtest import FACTOR, Kernel, check, finish
from wgtunnel import Tunnel, now, sleep_until

BETWEEN = 5.0               # seconds between two initiations of one peer
PEERS, LIMIT = 480, 40      # how many, or for how many seconds
kernel = Kernel()
kernel.ip("route", "add", "10.66.0.0/16", "dev", "wg0")
began, results, pending, made = now(), Counter(), deque(), 0


class Contender(Tunnel):
    """A peer that can answer the kernel's initiation, but waits."""

    def prepare(self):
        self.came, hello, kind = self.next()
        self.need(kind == wp.INITIATION, "an initiation")
        self.response, session = wp.Responder(self.peer.private,
                                              hello).respond()
        self.sessions.append(session)

    def outcome(self):
        """What came of it, in words."""
        seen = [self.next()] + self.heard(now() + 0.01 * FACTOR)
        if all(kind == wp.INITIATION for _, _, kind in seen):
            return "were later than the initiation"
        self.send(b"heard?")
        works = self.gets(b"heard?", 2 * FACTOR)
        self.check(works, "what the kernel has taken for a session is one")
        return "were earlier" if works else "were mixed with the initiation"


def row(first, count):
    """So many contenders, ready; it is not long since the first was asked."""
    out = [Contender(kernel, first + n) for n in range(count)]
    for contender in out:
        contender.say(b"first")
    for contender in out:
        contender.prepare()
    return out


def strike(row):
    sleep_until(max(c.came for c in row) + BETWEEN)
    ready = [c for c in row if not c.link.receive(0)]
    results["came too late"] += len(row) - len(ready)
    for asked, answering in zip(ready, reversed(ready)):
        asked.say(b"second")
        answering.link.send(answering.response)
    for contender in ready:
        results[contender.outcome()] += 1
    # Or what the kernel still sends them comes to those who get their ports next.
    kernel.wg(*(word for c in row for word in ("peer", c.peer.name, "remove")))


each = 0.02 + 6 * min(timeit.repeat(lambda: wp.public_key(bytes(32)),
                                    number=1, repeat=5))
size = max(4, min(16, int(2 / each)))
while True:
    more = made + size <= PEERS and now() < began + LIMIT
    if more and (not pending or now() + 1.5 * each * size <
                 pending[0][0].came + BETWEEN):
        pending.append(row(made, size))
        made += size
    elif pending:
        strike(pending.popleft())
    else:
        break
for what, count in results.items():
    print(f"# {count} responses {what}")
check(results["were later than the initiation"] and results["were earlier"],
      f"rows of {size} initiations and responses have met")
finish()
