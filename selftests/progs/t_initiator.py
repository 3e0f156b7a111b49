# SPDX-License-Identifier: GPL-2.0
"""The kernel as initiator; we answer."""
import struct
import time

import wgproto as wp
from wgtest import (ADDR4, Kernel, Link, NS_B, PEER4, Peer, arrived, await_,
                    b64encode, check, finish, inner, ipv4, need, os, passes,
                    run, select, sniff, socket, spoil, strays, udp)

kernel = Kernel()
used = 10


def fresh(psk=None, keepalive=0):
    """A peer that the kernel has not tried before, at its own endpoint."""
    global used
    used += 1
    link = Link()
    peer = Peer(allowed=f"10.66.0.{used}/32", psk=psk)
    peer.inner = f"10.66.0.{used}"
    kernel.add(peer, "endpoint", link.endpoint, "persistent-keepalive",
               keepalive)
    return peer, link


back = inner(port=9)
sock = inner()


def say(peer, text, tos=0):
    back.setsockopt(socket.SOL_IP, socket.IP_TOS, tos)
    back.sendto(text, (peer.inner, 7000))


def text_of(plain):
    total, = struct.unpack(">H", plain[2:4])
    return plain[28:total]


# What it sends, and what waits for the session.
peer, link = fresh(psk=os.urandom(32))
watch = sniff(NS_B, "vb", 0x0800)
words = [b"word %d" % i for i in range(5)]
for word in words:
    say(peer, word)
hello = link.expect(wp.INITIATION)
need(hello is not None, "traffic makes it initiate")
check(len(hello) == 148 and hello[132:] == bytes(16),
      "the initiation has its size and no mac2")
heard = wp.Responder(peer.private, hello)
check(heard.static == kernel.public, "it is from the kernel's key")
stamp, = struct.unpack(">Q", heard.timestamp[:8])
nsec, = struct.unpack(">I", heard.timestamp[8:])
check(abs(stamp - 0x400000000000000A - time.time()) < 60 and
      nsec % (1 << 24) == 0 and nsec < 10**9,
      "the timestamp is TAI64N, whitened to 2^24 ns")
outer = b""
while select.select([watch], [], [], 5)[0]:
    outer = watch.recv(65536)
    if outer[28:] == hello:
        break
check(outer[1] == 0x88, "the outer DSCP is AF41")
check(not outer[6] & 0x40, "the outer packet may be fragmented")
check(link.receive(0.2) is None, "one initiation, however much waits")

# Answers that are not: none may end the handshake under way.
bad = wp.Responder(peer.private, hello).respond(peer.psk)[0]
link.send(spoil(bad, 65))                               # mac1
for other in (wp.Responder(peer.private, hello).respond(os.urandom(32))[0],):
    link.send(other)                                    # pre-shared key
body = bad[:44] + bytes([bad[44] ^ 1]) + bad[45:60]
link.send(wp.add_macs(body, kernel.public))             # the empty seal
body = bad[:12] + bytes(32) + bad[44:60]
link.send(wp.add_macs(body, kernel.public))             # a low-order point
body = bad[:8] + wp.os.urandom(4) + bad[12:60]
link.send(wp.add_macs(body, kernel.public))             # nobody's index
link.send(wp.add_macs(bad[:60], peer.public))           # mac1 for another
seen = link.drain(0.3)
check(not [p for p in seen if p[0] != wp.INITIATION],
      "six false responses are met with silence")
if seen:        # so slow a machine that the kernel has begun anew
    heard = wp.Responder(peer.private, seen[-1])
packet, session = heard.respond(peer.psk)
link.send(packet)
got = [session.open(link.expect(wp.DATA)) for word in words]
check([c for c, p in got] == list(range(5)) and
      [text_of(p) for c, p in got] == words,
      "after the true one all that waited is sent, in order, from counter 0")
check(link.receive(0.2) is None, "and no keepalive on top")
link.send(packet)
link.send(packet)
say(peer, b"once more")
check(text_of(session.open(link.expect(wp.DATA))[1]) == b"once more",
      "the response a second time changes nothing")
check(link.receive(0.2) is None, "and is not answered")

# DSCP stays inside, ECN goes out; and is combined on the way in.
while select.select([watch], [], [], 0.05)[0]:
    watch.recv(65536)
say(peer, b"marked", tos=0xB9)
secret = link.expect(wp.DATA)
while select.select([watch], [], [], 5)[0]:
    outer = watch.recv(65536)
    if outer[28:] == secret:
        break
check(outer[1] == 0x01, "outer ECN is the inner's, outer DSCP is 0")
sock.setsockopt(socket.SOL_IP, 13, 1)                   # IP_RECVTOS


def tos_in(outer_tos, inner_tos):
    """The TOS that arrives, or None when the packet is dropped."""
    link.sock.setsockopt(socket.SOL_IP, socket.IP_TOS, outer_tos)
    link.send(session.seal(ipv4(udp(b"ecn"), src=peer.inner, tos=inner_tos)))
    link.sock.setsockopt(socket.SOL_IP, socket.IP_TOS, 0)
    link.send(session.seal(ipv4(udp(b"end"), src=peer.inner)))
    tos = None
    while select.select([sock], [], [], 20)[0]:
        data, control, _, _ = sock.recvmsg(64, 64)
        if data == b"end":
            return tos
        tos = control[0][2][0]
    return -1


check(tos_in(3, 0x29) == 0x2B, "an outer CE marks an inner ECT(1)")
check(tos_in(0, 0x29) == 0x29, "an outer not-ECT leaves the inner alone")
seen = tos_in(3, 0x28)
check(seen in (None, 0x28), f"an inner not-ECT is never marked CE ({seen})")

# Nothing waiting: a keepalive confirms the session at once.
peer, link = fresh(keepalive=1)
hello = link.expect(wp.INITIATION)
need(hello is not None, "a persistent keepalive makes it initiate")
packet, session = wp.Responder(peer.private, hello).respond()
link.send(packet)
first = link.expect(wp.DATA)
check(first and session.open(first) == (0, b""), "a keepalive confirms")
start = time.monotonic()
more = link.expect(wp.DATA, 5)
check(more and session.open(more) == (1, b"") and
      0.5 < time.monotonic() - start, "the next follows after its interval")
kernel.wg("peer", peer.name, "persistent-keepalive", "off")

# Both at once: each side's initiation may win, and data flows.
peer, link = fresh()
say(peer, b"crossing")
hello = link.expect(wp.INITIATION)
mine = wp.Initiation(peer.private, kernel.public)
link.send(mine.packet)
answer = link.expect(wp.RESPONSE)
need(answer is not None, "it answers while its own initiation is open")
session = mine.finish(answer)
link.send(session.seal(b""))
check(text_of(session.open(link.expect(wp.DATA))[1]) == b"crossing",
      "what waited goes by the session that came about")

# Unanswered: again after 5 s and a jitter, new in all parts.
peer, link = fresh()
say(peer, b"late")
first = link.expect(wp.INITIATION)
start = time.monotonic()
old = wp.Responder(peer.private, first)
stale, stale_session = old.respond()
# (the response is held back until the retry is there: CVE-2026-99059)
second = link.expect(wp.INITIATION, 30)
gap = time.monotonic() - start
need(second is not None, "an unanswered initiation is repeated")
check(gap >= 4.9, f"after {gap:.2f} s")
new = wp.Responder(peer.private, second)
check(first[4:8] != second[4:8] and first[8:40] != second[8:40] and
      old.timestamp < new.timestamp,
      "with a new index, a new ephemeral key and a later timestamp")
link.send(stale)
renamed = wp.add_macs(stale[:8] + second[4:8] + stale[12:60], kernel.public)
link.send(renamed)
check(not [p for p in link.drain(0.3) if p[0] != wp.INITIATION],
      "the response to the old one, even renamed to the new, is refused")
link.send(stale_session.seal(ipv4(udp(b"stale"), src=peer.inner)))
packet, session = new.respond()
link.send(packet)
got = link.expect(wp.DATA)
check(got and text_of(session.open(got)[1]) == b"late",
      "the response to the new one is taken")
link.send(session.seal(ipv4(udp(b"fresh"), src=peer.inner)))
check(arrived(sock) == b"fresh", "and only its keys work")
finish()
