# SPDX-License-Identifier: GPL-2.0
"""The kernel as responder; we initiate."""
import struct

import wgproto as wp
from wgtest import (INNER_A, INNER_A6, INNER_B, INNER_B6, Kernel, Link, Peer,
                    arrived, await_, check, datagram, finish, initiate, inner,
                    ipv6, need, os, pace, passes, strays, udp6)

kernel, link = Kernel(), Link()
peer = kernel.add(Peer(psk=os.urandom(32)))
sock = inner()

# A handshake, and silence until we have confirmed it.
link.send(wp.Initiation(peer.private, kernel.public).packet)
answer = link.expect(wp.RESPONSE)
need(answer is not None, "an initiation is answered")
check(len(answer) == 92 and answer[76:] == bytes(16),
      "the response has its size and no mac2")
pace()
session = initiate(kernel, peer, link)
need(session is not None, "the response authenticates, pre-shared key mixed in")
check(kernel.endpoint(peer) == link.endpoint, "an initiation sets the endpoint")

back = inner(port=9)
back.sendto(b"too early", (INNER_B, 7000))
check(not [p for p in link.drain() if p[0] == wp.DATA],
      "the responder sends nothing before the initiator's first data")
check(kernel.show("latest-handshakes", peer) == "0",
      "an unconfirmed handshake does not count")
link.send(session.seal(datagram(b"first")))
check(arrived(sock) == b"first", "data is delivered")
held = link.expect(wp.DATA)
need(held is not None, "what waited for the confirmation is sent now")
counter, plain = session.open(held)
check(counter == 0 and b"too early" in plain, "it is counter 0 and intact")
check(kernel.show("latest-handshakes", peer) != "0",
      "the confirmed handshake has a date")

# Padding: zeros, to 16 bytes, never past the MTU.
for size in (0, 1, 3, 4, 5, 19, 20, 100, 1391, 1392):
    back.sendto(bytes([0xA5]) * size, (INNER_B, 7000))
    counter, plain = session.open(link.expect(wp.DATA))
    total, = struct.unpack(">H", plain[2:4])
    want = min((28 + size + 15) // 16 * 16, 1420)
    check(len(plain) == want and total == 28 + size and
          not any(plain[total:]), f"{size} bytes are padded with zeros to {want}")
kernel.ip("link", "set", "wg0", "mtu", "1299")
for size in (1260, 1263, 1264, 1271):
    back.sendto(bytes([0xA5]) * size, (INNER_B, 7000))
    plain = session.open(link.expect(wp.DATA))[1]
    want = min((28 + size + 15) // 16 * 16, 1299)
    check(len(plain) == want, f"at MTU 1299, {28 + size} become {want}")
kernel.ip("link", "set", "wg0", "mtu", "1420")

# Counters rise by one; both inner families; keepalives.
last = counter
for i in range(20):
    back.sendto(b"count", (INNER_B, 7000))
counters = [session.open(link.expect(wp.DATA))[0] for i in range(20)]
check(counters == list(range(counters[0], counters[0] + 20)) and
      counters[0] > last, "the kernel's counters rise by one")
sock6 = inner(address=INNER_A6)
link.send(session.seal(ipv6(udp6(b"six"))))
check(arrived(sock6) == b"six", "inner IPv6 is delivered")
inner(address=INNER_A6, port=9).sendto(b"six back", (INNER_B6, 7000))
plain = session.open(link.expect(wp.DATA))[1]
check(plain[0] >> 4 == 6 and b"six back" in plain, "and sent")
before = kernel.stat("rx_packets")
rx = kernel.transfer(peer)[0]
link.send(session.seal(b""))
check(await_(lambda: kernel.transfer(peer)[0] == rx + 32),
      "a keepalive counts 32 bytes")
passes(link, session, sock, "and data after it passes")
check(kernel.stat("rx_packets") >= before + 1, "packets are counted")

# The receiver takes previous, current and next keys; it sends by the current.
pace()
two = initiate(kernel, peer, link)
need(two is not None, "a second handshake")
link.send(session.seal(datagram(b"by the old key")))
check(arrived(sock) == b"by the old key", "the current key still receives")
back.sendto(b"still old", (INNER_B, 7000))
packet = link.expect(wp.DATA)
check(packet[4:8] == struct.pack("<I", session.local),
      "and still sends: the next is unconfirmed")
passes(link, two, sock, "data by the next key confirms it")
back.sendto(b"now new", (INNER_B, 7000))
await_(lambda: (p := link.expect(wp.DATA)) and
       p[4:8] == struct.pack("<I", two.local))
back.sendto(b"new", (INNER_B, 7000))
packet = link.expect(wp.DATA)
check(packet[4:8] == struct.pack("<I", two.local),
      "after which the kernel sends by it")
passes(link, session, sock, "the previous key still receives")
pace()
three = initiate(kernel, peer, link)
need(three is not None, "a third handshake")
link.send(session.seal(datagram(b"gone")))
passes(link, two, sock, "with a next key there, the current receives")
check(not strays, "and the previous is forgotten")
passes(link, three, sock, "the third key is taken into use")
passes(link, two, sock, "and the second is now the previous one")

# Wrong PSK: the response does not open; unknown peer: nothing.
pace()
hello = wp.Initiation(peer.private, kernel.public)
link.send(hello.packet)
answer = link.expect(wp.RESPONSE)
try:
    hello.finish(answer, os.urandom(32))
    check(False, "a wrong pre-shared key cannot read the response")
except wp.Refused:
    check(True, "a wrong pre-shared key cannot read the response")
stranger = Peer()
link.drain(0.05)
link.send(wp.Initiation(stranger.private, kernel.public).packet)
pace()
sane = initiate(kernel, peer, link)
need(sane is not None, "the known peer is answered")
check(not link.answers(), "a stranger is not")

# New PSK, removed peer, replaced private key.
kernel.wg("peer", peer.name, "preshared-key", "/dev/null")
peer.psk = None
pace()
session = initiate(kernel, peer, link)
need(session is not None, "a removed pre-shared key counts at once")
passes(link, session, sock)
old = kernel.public
kernel.rekey()
link.drain(0.05)
link.send(wp.Initiation(peer.private, old).packet)
pace()
session = initiate(kernel, peer, link)
need(session is not None, "a new private key is in force at once")
passes(link, session, sock)
check(not [p for p in link.drain() if p[0] == wp.RESPONSE],
      "and nothing answers by the old one")
kernel.remove(peer)
link.send(session.seal(datagram(b"removed")))
pace()
link.send(wp.Initiation(peer.private, kernel.public).packet)
check(arrived(sock, 0.2) is None and not
      [p for p in link.drain() if p[0] == wp.RESPONSE],
      "a removed peer is heard no more")
finish()
