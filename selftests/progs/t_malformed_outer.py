# SPDX-License-Identifier: GPL-2.0
"""Messages that are wrong on the outside: no answer, no trace, no harm."""
import os
import socket
import struct

import wgproto as wp
from wgtest import (ADDR4, Kernel, Leaks, Link, NS_B, PEER4, PEER6,
                    PORT, Peer, answers_seen, arrived, check, datagram,
                    finish, initiate, inner, inside, kmemleak, need,
                    pace, passes, sniff, strays)

kernel = Kernel()
link, six, junk, junk6 = Link(PEER4), Link(PEER6), Link(PEER4), Link(PEER6)
peer = kernel.add(Peer())
sock = inner()
session = initiate(kernel, peer, link)
need(session is not None, "a handshake")
passes(link, session, sock)
watch = sniff(NS_B, "vb")


def quiet(what):
    """Nothing may have been answered, and the tunnel must be as it was."""
    # (the session's own keepalives are no answers)
    own = struct.pack("<II", wp.DATA, session.local)
    seen = [p for p in answers_seen(watch) if p[28:36] != own]
    check(not seen, f"{what}: not answered" +
          (f" ({seen[0][:64].hex()})" if seen else ""))
    passes(link, session, sock)
    check(not strays, "and nothing of it is delivered")
    check(kernel.endpoint(peer) == link.endpoint, "nor has it moved the peer")
    answers_seen(watch, 0.02)


index = struct.pack("<I", session.remote)
with Leaks(2 * 7 * 201):
    for kind in (0, 1, 2, 3, 4, 5, 255):
        head = struct.pack("<I", kind)
        for size in range(201):
            packet = (head + index + os.urandom(200))[:size]
            junk.send(packet)
            junk6.send(packet)
    quiet("every length up to 200 of every type")

# Right in all but the type word, with macs to match.
hello = wp.Initiation(peer.private, kernel.public)
words = [struct.pack("<I", w) for w in
         (0x101, 0x10001, 0x1000001, 0x80000001, 0x01000000, 0, 2, 3, 4, 5,
          0x104, 0x10004, 0x1000004, 0xFFFFFFFF)]
for word in words:
    junk.send(wp.add_macs(word + hello.body[4:], kernel.public))
quiet("an initiation with another type word")
good = session.seal(datagram(b"reserved"), counter=session.counter + 10)
for word in words:
    if word != b"\4\0\0\0":
        junk.send(word + good[4:])
quiet("data with another type word")
for size in (-1, 1, 4, 16):
    body = hello.packet[:size] if size < 0 else hello.packet + bytes(size)
    junk.send(body)
    junk.send(wp.add_macs((hello.body + bytes(16))[:len(hello.body) + size],
                          kernel.public))
quiet("an initiation of a wrong length, macs to match")
for cut in range(1, 33):
    junk.send(good[:-cut])
for more in (1, 15, 16, 1000):
    junk.send(good + bytes(more))
quiet("data cut short or made longer")
low = struct.pack("<II", 1, 7) + bytes(32) + os.urandom(76)
junk.send(wp.add_macs(low, kernel.public))
quiet("an initiation with a low-order ephemeral key")

# Large ones come in fragments, 57 for one of each size.
with Leaks(2 * 5 * 3 * 57):
    for kind in (1, 2, 3, 4, 9):
        for size in (1473, 3000, 9000, 65507):
            for _ in range(3):
                packet = struct.pack("<I", kind) + index + os.urandom(size - 8)
                junk.send(packet)
                junk6.send(packet[:65507 - 20])
    quiet("large and fragmented junk")

# UDP and IP headers that lie.
with inside(NS_B):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def raw_udp(payload, length=None, options=b"", check_sum=0):
    size = 8 + len(payload) if length is None else length
    head = struct.pack(">HHHH", junk.port, PORT, size, check_sum)
    total = 20 + len(options) + 8 + len(payload)
    packet = struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, total,
                         0, 0, 64, 17, 0, socket.inet_aton(PEER4),
                         socket.inet_aton(ADDR4)) + options + head + payload
    raw.sendto(packet, (ADDR4, 0))


fresh = wp.Initiation(peer.private, kernel.public).packet
for length in (0, 1, 7, 8, 9, 11, 12, 8 + 147, 8 + 149, 8 + 1000, 65535):
    raw_udp(fresh, length)
raw_udp(fresh, check_sum=0x1234)
raw_udp(b"")
for size in range(1, 9):
    raw_udp(b"\4\0\0\0\1\2\3\4"[:size])
quiet("a UDP length or checksum that lies")
pace()
raw_udp(fresh, options=b"\1" * 40)
answer = junk.expect(wp.RESPONSE)
check(answer is not None, "an initiation behind 40 bytes of IP options counts")
raw_udp(session.seal(datagram(b"options")), options=b"\1" * 8)
check(arrived(sock) == b"options", "and so does data")
packet = session.seal(datagram(b"trailer"))
raw_udp(packet + os.urandom(7), length=8 + len(packet))
check(arrived(sock) == b"trailer", "bytes behind the UDP datagram are ignored")
passes(link, session, sock)
check(not kmemleak(), "kmemleak has nothing to say")
finish()
