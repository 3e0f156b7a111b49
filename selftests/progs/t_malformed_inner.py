# SPDX-License-Identifier: GPL-2.0
"""Packets that authenticate and are rotten inside: a peer may be an enemy."""
import struct

import wgproto as wp
from wgtest import (INNER_A6, INNER_B, INNER_B6, Kernel, Leaks, Link, NS_A,
                    NS_B, Peer, answers_seen, arrived, await_, check, datagram,
                    finish, initiate, inner, ipv4, ipv6, kmemleak, need, os,
                    passes, select, sniff, strays, udp, udp6)

kernel, link = Kernel(), Link()
peer = kernel.add(Peer())
sock, sock6 = inner(), inner(address=INNER_A6)
session = initiate(kernel, peer, link)
need(session is not None, "a handshake")
passes(link, session, sock)
tap = sniff(NS_A, "wg0")


def tapped():
    out = []
    while select.select([tap], [], [], 0.05)[0]:
        out.append(tap.recv(65536))
    return out


def refused(what, packets, pad=True):
    """PACKETS count as errors and reach neither stack nor sniffer."""
    tapped()
    before = kernel.stat("rx_errors")
    for packet in packets:
        link.send(session.seal(packet, pad=pad))
    passes(link, session, sock, f"{what}: the tunnel works afterwards")
    check(not strays and len(tapped()) == 1, "nothing of it came through")
    errors = kernel.stat("rx_errors") - before
    check(errors == len(packets), f"{errors} of {len(packets)} are errors")


full, full6 = datagram(b"x" * 40), ipv6(udp6(b"y" * 40))
refused("an IP version that is none",
        [bytes([v << 4 | 5]) + full[1:] for v in range(16) if v not in (4, 6)])
refused("headers cut short, IPv4, unpadded",
        [full[:n] for n in range(1, 20)], pad=False)
refused("headers cut short, IPv6, unpadded",
        [full6[:n] for n in range(1, 40)], pad=False)
refused("nothing but zeros", [bytes(n) for n in (1, 16, 48, 1400)], pad=False)
refused("an IPv4 length below its header",
        [ipv4(udp(b"z"), length=n) for n in (0, 1, 19)])
refused("an IPv4 length beyond the packet",
        [ipv4(udp(b"z"), length=n) for n in (49, 64, 1500, 65535)])
refused("an IPv6 length beyond the packet",
        [ipv6(udp6(b"z"), length=n) for n in (57, 64, 1500, 65535)])
refused("an IPv4 source that is not the peer's",
        [datagram(b"s", src=s) for s in
         ("10.66.0.1", "10.66.0.3", "0.0.0.0", "255.255.255.255", "224.0.0.1",
          "127.0.0.1", "8.8.8.8")])
refused("an IPv6 source that is not the peer's",
        [ipv6(udp6(b"s", src=s), src=s) for s in
         ("fd66::1", "fd66::3", "::", "::1", "ff02::1", "::ffff:10.66.0.2")])

# Odd, but for the stack to judge: delivered as they are, or dropped there.
tapped()
odd = [ipv4(udp(b"a"), ihl=n) for n in (0, 1, 4, 15)]
odd += [ipv4(udp(b"b"), options=o, ihl=5 + len(o) // 4) for o in
        (b"\1" * 4, b"\x07\x27\x04" + bytes(37), b"\x83\x03\xff\0",
         b"\x44\x28\x05\x03" + bytes(36), os.urandom(40))]
odd += [ipv4(b"", proto=p) for p in (0, 6, 17, 41, 47, 50, 51, 255)]
odd += [ipv4(os.urandom(40), proto=p) for p in (1, 2, 4, 6, 41, 47, 132)]
odd += [ipv4(udp(b"c"), frag=f) for f in (0x2000, 0x2001, 0x1FFF, 0x3FFF)]
odd += [datagram(b"d", dst=d) for d in
        ("10.66.0.255", "255.255.255.255", "224.0.0.1", "127.0.0.1",
         "10.66.0.2", "8.8.8.8", "0.0.0.0")]
odd += [ipv6(os.urandom(40), proto=p) for p in (0, 43, 44, 51, 58, 59, 60)]
odd += [ipv6(udp6(b"e"), length=0), ipv6(b"", proto=59)]
odd += [datagram(b"f", ttl=0), datagram(b"g", tos=0xFF)]
for packet in odd:
    link.send(session.seal(packet))
passes(link, session, sock, f"{len(odd)} odd packets: the tunnel still works")
link.drain(0.1)

# The inner length rules: padding of any content and amount is cut off.
tapped()
for padding in (b"\xFF" * 11, os.urandom(100), bytes(1000)):
    link.send(session.seal(datagram(b"trim") + padding, pad=False))
    check(arrived(sock) == b"trim", f"{len(padding)} bytes behind are cut off")
check(all(len(p) == 32 for p in tapped()), "and no sniffer sees them")
link.send(session.seal(ipv6(udp6(b"trim6")) + b"\xFF" * 77, pad=False))
check(arrived(sock6) == b"trim6", "the same for IPv6")
for size in (1, 7, 1000, 1391):
    link.send(session.seal(datagram(b"q" * size), pad=False))
    check(arrived(sock) == b"q" * size, f"{size} bytes without any padding")

with Leaks(1500):
    for i in range(300):
        link.send(session.seal(bytes([0x45]) + os.urandom(47)))
        link.send(session.seal(os.urandom(1 + i % 64), pad=False))
    passes(link, session, sock, "after 600 random insides the tunnel works")
check(not kmemleak(), "kmemleak has nothing to say")
finish()
