# SPDX-License-Identifier: GPL-2.0
"""The replay window, seen from the wire."""
import random

import wgproto as wp
from wgtest import (Kernel, Link, Peer, arrived, await_, check, datagram, finish,
                    initiate, inner, need, pace, passes, spoil, strays)

kernel, link = Kernel(), Link()
peer = kernel.add(Peer())
sock = inner()


def begin():
    pace()
    session = initiate(kernel, peer, link)
    need(session is not None, "a handshake")
    link.send(session.seal(datagram(b"c0")))
    need(arrived(sock) == b"c0", "and its first packet")
    return session


def send(session, counter):
    link.send(session.seal(datagram(b"c%d" % counter), counter=counter))


def taken(session, counter, good, what):
    """Does COUNTER pass?  A later packet of a known good counter tells."""
    send(session, counter)
    if good:
        check(arrived(sock) == b"c%d" % counter, what)
    else:
        session.ahead += 1
        probe = session.seal(datagram(b"probe"), counter=session.ahead)
        link.send(probe)
        got = arrived(sock)
        check(got == b"probe", what)
        if got == b"c%d" % counter:
            arrived(sock)


s = begin()
s.ahead = 0
taken(s, 0, False, "counter 0 a second time is refused")
taken(s, 1, False, "so is 1, used by the probe")
numbers = list(range(100, 200))
random.shuffle(numbers)
for n in numbers:
    send(s, n)
    send(s, n)
got = [arrived(sock) for n in numbers]
check(got == [b"c%d" % n for n in numbers],
      "100 counters in random order, each twice: each is taken once")
s.ahead = 300
taken(s, 150, False, "and none a third time")

# Edges, after a jump of more than the window.
top = 20000
taken(s, top, True, "a jump over the whole window is taken")
taken(s, top - wp.WINDOW, True, "the oldest counter in the window is taken")
taken(s, top - wp.WINDOW + 1, True, "so is the one after it")
s.ahead = top - 4000
taken(s, top - wp.WINDOW, False, "but not twice")
taken(s, top - wp.WINDOW - 1, False, "the one before the window is refused")
taken(s, 201, False, "what is long past is refused")
for n in (top - 63, top - 64, top - 65, top - 127, top - 128, top - 129,
          top - wp.WINDOW + 63, top - wp.WINDOW + 64, top - wp.WINDOW + 65):
    taken(s, n, True, f"{top - n} behind is taken")
    taken(s, n, False, f"{top - n} behind is refused the second time")

# Steps across the words of the bitmap.
for step in (1, 63, 64, 65, 8127, 8128, 8129, 8191, 8192, 8193):
    top += step
    taken(s, top, True, f"a step of {step} is taken")
    s.ahead = top
    taken(s, top, False, "once")
    top = s.ahead

# Forgeries leave no trace.
rx = kernel.transfer(peer)[0]
link.send(spoil(s.seal(datagram(b"far"), counter=top + 10**6)))
link.send(spoil(s.seal(datagram(b"max"), counter=wp.REJECT_AFTER_MESSAGES - 1)))
link.send(spoil(s.seal(datagram(b"next"), counter=top + 1)))
link.send(spoil(s.seal(datagram(b"next"), counter=top + 1), 20))
honest = s.seal(datagram(b"c%d" % (top + 1)), counter=top + 1)
link.send(honest)
check(arrived(sock) == b"c%d" % (top + 1),
      "a bad tag does not use up its counter")
check(await_(lambda: kernel.transfer(peer)[0] >= rx + len(honest)) and
      kernel.transfer(peer)[0] == rx + len(honest),
      "nor is it counted as received")
taken(s, top - 1000, True, "nor does it move the window")

# The end of the counters.
taken(s, 2**40, True, "a jump to 2^40 is taken")
taken(s, 2**60 + 5, True, "and to beyond 2^60")
s.ahead = 2**60 + 100
for n in (2**64 - 1, 2**64 - 2, wp.REJECT_AFTER_MESSAGES + 1,
          wp.REJECT_AFTER_MESSAGES):
    taken(s, n, False, f"counter {n:#x} is refused")
last = wp.REJECT_AFTER_MESSAGES - 1
taken(s, last - 1, True, "the last but one is taken")
taken(s, last, True, "the last is taken")
send(s, last)
send(s, last - 5)
t = begin()
check(not strays and arrived(sock, 0.05) is None,
      "after which that key takes no more")

# A key that is not confirmed is not confirmed by a forgery.
pace()
hello = initiate(kernel, peer, link)
link.send(spoil(hello.seal(datagram(b"forged"))))
passes(link, t, sock, "the current key works")
back = inner(port=9)
back.sendto(b"by which", ("10.66.0.2", 7000))
packet = link.expect(wp.DATA)
check(packet is not None and int.from_bytes(packet[4:8], "little") == t.local,
      "a bad tag does not promote the next key")
passes(link, hello, sock, "a good one does")
finish()
