# SPDX-License-Identifier: GPL-2.0
"""Handshake messages that were used before, are too old, or too many."""
import time

import wgproto as wp
from wgtest import (Kernel, Link, Peer, check, finish, initiate, inner, need,
                    pace, passes, PEER4B)

kernel, link, thief = Kernel(), Link(), Link(PEER4B)
peer = kernel.add(Peer())
sock = inner()
second = 10**9
now = time.time_ns()


def try_at(ns, what, good, source=link):
    """One initiation with the timestamp NS."""
    pace()
    hello = wp.Initiation(peer.private, kernel.public,
                          timestamp=wp.tai64n(ns))
    source.send(hello.packet)
    if good:
        answer = source.expect(wp.RESPONSE)
        check(answer is not None, what)
        return hello, answer and hello.finish(answer)
    check(not source.answers(), what)
    return hello, None


first, session = try_at(now, "the first initiation is answered", True)
passes(link, session, sock)
pace()
thief.send(first.packet)
link.send(first.packet)
check(not thief.answers() and not link.answers(0.01),
      "the same initiation again is not, from wherever it comes")
passes(link, session, sock, "and the session lives on")
try_at(now, "another one with an equal timestamp is not answered", False)
try_at(now - 1, "nor one a nanosecond older", False)
try_at(now - 3600 * second, "nor one an hour older", False)
try_at(0, "nor one of 1970", False)
try_at(now + 1, "one a nanosecond later is", True)
third, session3 = try_at(now + 90 * second, "one of the future is", True)
passes(link, session3, sock)
try_at(now + 2 * second, "after which the present is the past", False)
pace()
link.send(first.packet)
check(not link.answers(), "and the very first is still refused")
passes(link, session3, sock, "and the session lives on")

# An initiation that fails late must not use up the timestamp.
late = now + 100 * second
hello = wp.Initiation(peer.private, kernel.public, timestamp=wp.tai64n(late))
pace()
link.send(wp.add_macs(hello.body[:-1] + bytes([hello.body[-1] ^ 1]),
                      kernel.public))
check(not link.answers(), "a spoilt initiation is not answered")
try_at(late, "and has not used up its timestamp", True)

# No more than fifty a second for one peer.
base = now + 200 * second
burst = [wp.Initiation(peer.private, kernel.public,
                       timestamp=wp.tai64n(base + i)).packet
         for i in range(120)]
pace()
start = time.monotonic()
for packet in burst:
    link.send(packet)
    time.sleep(0.002)
spent = time.monotonic() - start
replies = [p for p in link.drain() if p[0] == wp.RESPONSE]
check(1 <= len(replies) <= spent * 50 + 2,
      f"120 initiations in {spent:.2f} s: {len(replies)} answered, "
      "at most 50 a second")

# The limit is the peer's own.
peer2 = kernel.add(Peer(allowed="10.66.0.3/32"))
pace()
for packet in burst[:1]:
    link.send(packet)
need(initiate(kernel, peer2, link) is not None, "another peer is not limited")
finish()
