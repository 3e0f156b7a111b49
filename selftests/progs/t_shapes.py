# SPDX-License-Identifier: GPL-2.0
"""Good packets in every shape a packet can have in the kernel: fragments,
pages, clones, super-packets.  What was sent must stay as it was."""
import ctypes
import mmap
import os
import socket
import struct
import time

import wgproto as wp
from wgtest import (ADDR4, INNER_A, INNER_A6, INNER_B, Kernel, Link, NS_A, NS_B, PEER4,
                    PORT, Peer, arrived, arrived_all, await_, check, checksum,
                    datagram, finish, initiate, inner, inside, ipv4, ipv6, need,
                    pace, passes, run, select, sniff, spoil, strays,
                    subprocess, udp, udp6)

UDP_SEGMENT, SO_PRIORITY = 103, 12

kernel, link = Kernel(), Link()
peer = kernel.add(Peer())
sock, back = inner(), inner(port=9)
session = initiate(kernel, peer, link)
need(session is not None, "a handshake")
passes(link, session, sock)

# Every packet from here on is also held by a sniffer on the wire, that is to
# say cloned: neither decryption nor encryption may write to it.
taps = {dev: sniff(ns, dev) for ns, dev in
        ((NS_A, "va"), (NS_B, "vb"), (NS_A, "wg0"))}


def tapped(dev):
    out = []
    while select.select([taps[dev]], [], [], 0.05)[0]:
        packet = taps[dev].recv(1 << 17)
        if packet[0] >> 4 == 4 and (packet[9] == 17 or packet[6] & 0x3F):
            out.append(packet)
    return out


def empty():
    for dev in taps:
        tapped(dev)


def send_at_once(sender, texts):
    """To the tunnel's other side, as one packet that is cut up later."""
    sender.setsockopt(socket.SOL_UDP, UDP_SEGMENT, len(texts[0]))
    sender.sendto(b"".join(texts), (INNER_B, 7000))
    sender.setsockopt(socket.SOL_UDP, UDP_SEGMENT, 0)


def received(count):
    """As many inner packets; a keepalive may come in between, and is none."""
    packets = []
    while len(packets) < count:
        packets += filter(None, [session.open(link.expect(wp.DATA))[1]])
    return packets


# Clones, one by one, both ways.
empty()
texts = [bytes([i]) * (37 * i) for i in range(1, 30)]
sealed = [session.seal(datagram(t)) for t in texts]
for packet in sealed:
    link.send(packet)
check([arrived(sock) for t in texts] == texts, "packets held by sniffers arrive")
for dev in ("vb", "va"):
    seen = [p[28:] for p in tapped(dev)]
    check(seen == sealed, f"what the sniffer on {dev} holds is still sealed")
seen = [p[28:] for p in tapped("wg0")]
check(seen == texts, "and what the one on wg0 holds is open")
empty()
for text in texts:
    back.sendto(text, (INNER_B, 7000))
opened = [session.open(link.expect(wp.DATA))[1] for t in texts]
check([p[28:struct.unpack(">H", p[2:4])[0]] for p in opened] == texts,
      "packets sent while a sniffer holds them are intact")
check([p[28:] for p in tapped("wg0")] == texts,
      "and what it holds is not encrypted")

# Tiny ones: a packet of more than 64 messages is too much for UDP GSO somewhere.
empty()
texts = [bytes([n]) * 10 for n in range(100)]
send_at_once(back, texts)
packets = received(len(texts))
check([p[28:38] for p in packets] == texts, "100 tiny ones, in order")
most = max(len(p) - 28 for p in tapped("va")) // len(session.seal(datagram(texts[0])))
check(1 < most <= 64, f"of which no packet has more than 64, but {most}")

# Fragments: from IP fragments the kernel makes one packet with a list.
for size in (1392, 1500, 2900, 4000, 9000, 30000):
    text = os.urandom(size)
    link.send(session.seal(datagram(text)))
    check(arrived(sock) == text, f"{size} bytes in outer fragments")
link.send(session.seal(datagram(os.urandom(65000))))
passes(link, session, sock, "the largest there is does no harm")
run(NS_B, "ip", "route", "add", ADDR4, "dev", "vb", "mtu", "lock", "108")
link.sock.setsockopt(socket.SOL_IP, 10, 0)              # IP_MTU_DISCOVER: none
for size in (1, 20, 60, 90, 200, 600, 1392):
    text = os.urandom(size)
    link.send(session.seal(datagram(text)))
    check(arrived(sock) == text, f"{size} bytes in fragments of 80")
empty()
pace()
again = initiate(kernel, peer, link)
check(again is not None, "an initiation in fragments is answered")
check(any(p[6] & 0x20 for p in tapped("vb")), "(they were fragments)")
passes(link, again, sock)
session = again
run(NS_B, "ip", "route", "del", ADDR4, "dev", "vb")
text = os.urandom(5000)
big = spoil(session.seal(datagram(text)))
link.send(big)
passes(link, session, sock, "after a fragmented forgery the tunnel works")
check(not strays, "and it is not delivered")

# Pages that belong to a file or to another process.
link.sock.connect(link.to)
texts = [os.urandom(n) for n in (20, 200, 1000, 1392)]
sealed = [session.seal(datagram(t)) for t in texts]
file = os.memfd_create("pages")
for i, packet in enumerate(sealed):
    os.pwrite(file, packet, 4096 * i)
image = os.pread(file, 4096 * len(sealed), 0)
for i, packet in enumerate(sealed):
    os.sendfile(link.sock.fileno(), file, 4096 * i, len(packet))
check([arrived(sock) for t in texts] == texts, "packets sent by sendfile")
check(os.pread(file, len(image), 0) == image, "the file is as it was")
sealed = [session.seal(datagram(t)) for t in texts]
for i, packet in enumerate(sealed):
    os.pwrite(file, packet, 4096 * i)
image = os.pread(file, 4096 * len(sealed), 0)
source, sink = os.pipe()
for i, packet in enumerate(sealed):
    os.splice(file, sink, len(packet), offset_src=4096 * i)
    os.splice(source, link.sock.fileno(), len(packet))
check([arrived(sock) for t in texts] == texts, "packets sent by splice")
check(os.pread(file, len(image), 0) == image, "the file is as it was")
SO_ZEROCOPY, MSG_ZEROCOPY = 60, 0x4000000
link.sock.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
memory = mmap.mmap(-1, 4096 * len(sealed))
sealed = [session.seal(datagram(t)) for t in texts]
for i, packet in enumerate(sealed):
    memory[4096 * i:4096 * i + len(packet)] = packet
image = memory[:]
view = memoryview(memory)
for i, packet in enumerate(sealed):
    link.sock.send(view[4096 * i:4096 * i + len(packet)], MSG_ZEROCOPY)
check([arrived(sock) for t in texts] == texts, "packets sent with MSG_ZEROCOPY")
check(memory[:] == image, "the sender's memory is as it was")
link.sock.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 0)

# Super-packets: one skb on the wire, many messages.


def super_packet(packets, size):
    link.sock.setsockopt(socket.SOL_UDP, 103, size)     # UDP_SEGMENT
    try:
        link.sock.send(b"".join(packets))
        packets = ()
    except OSError as error:
        if error.errno != 5:    # EIO: old kernels, no checksum offload
            raise
    link.sock.setsockopt(socket.SOL_UDP, 103, 0)
    for packet in packets:
        link.sock.send(packet)


def supers(what):
    empty()
    # Three and a shorter one: an aggregate that ends as an even number would not.
    for count, size in ((2, 10), (3, 100), (20, 100), (25, 600), (40, 1300),
                        (60, 7)):
        texts = [bytes([n]) * size for n in range(count)]
        sealed = [session.seal(datagram(t)) for t in texts]
        last = session.seal(datagram(b"end"))
        if len(last) <= len(sealed[0]):
            texts.append(b"end")
            sealed.append(last)
        super_packet(sealed, len(sealed[0]))
        check([arrived(sock) for t in texts] == texts,
              f"{what}: {len(texts)} of {size} bytes, in order")
    held = [p[28:] for p in tapped("va")]
    check(b"".join(sealed) in b"".join(held),
          "what a sniffer holds of them is still sealed")
    texts = [b"mix %02d" % n for n in range(30)]
    sealed = [session.seal(datagram(t)) for t in texts]
    for n in range(0, 30, 3):
        sealed[n] = spoil(sealed[n])
        sealed[n + 1] = (b"\5\0\0\0" if n % 2 else b"\1\0\0\0") + \
            sealed[n + 1][4:]
    super_packet(sealed, len(sealed[0]))
    check([arrived(sock) for n in range(10)] == texts[2::3],
          "of a mixed one only the good parts")
    check(not arrived_all(sock, 0.05), "and no others")


def offload(dev, ns, *words):
    run(ns, "ethtool", "-K", dev, *words, may_fail=True)


supers("super-packets")
offload("vb", NS_B, "tx-udp-segmentation", "off")
supers("segmented by the sender")
offload("va", NS_A, "gro", "on")
offload("va", NS_A, "rx-udp-gro-forwarding", "on")
supers("and put together by GRO")
offload("va", NS_A, "rx-udp-gro-forwarding", "off")
offload("va", NS_A, "rx-gro-list", "on")
supers("and listed by GRO")
offload("vb", NS_B, "tx-checksum-ip-generic", "off")
offload("va", NS_A, "tx-checksum-ip-generic", "off")
supers("with checksums computed by software")


def sums_to_zero(packet):
    length = struct.unpack(">H", packet[2:4])[0]
    body = packet[20:length]
    return not checksum(packet[12:20] +
                        struct.pack(">BBH", 0, 17, len(body)) + body)


# Out again: what GRO has made a list of on its way here, its checksums still left to
# a device.
run(NS_A, "ip", "link", "add", "vd", "type", "veth", "peer", "name", "vc")
run(NS_A, "ip", "link", "set", "vc", "netns", NS_B)
run(NS_A, "ip", "addr", "add", "10.78.0.1/24", "dev", "vd")
run(NS_B, "ip", "addr", "add", "10.78.0.2/24", "dev", "vc")
run(NS_A, "ip", "link", "set", "vd", "up")
run(NS_B, "ip", "link", "set", "vc", "up")
run(NS_B, "ip", "route", "add", f"{INNER_B}/32", "via", "10.78.0.1")
run(NS_A, "sysctl", "-qw", "net.ipv4.ip_forward=1")
offload("vd", NS_A, "gro", "on")
offload("vd", NS_A, "rx-gro-list", "on")
offload("vc", NS_B, "tso", "off", "tx-udp-segmentation", "off")
offload("vb", NS_B, "tx-checksum-ip-generic", "on")
far = inner(NS_B, "10.78.0.2", 7003)
for size in (100, 1300):
    texts = [bytes([n]) * size for n in range(20)]
    send_at_once(far, texts)
    packets = received(len(texts))
    check([p[28:28 + size] for p in packets] == texts,
          f"forwarded, 20 of {size} bytes, in order")
    check(all(map(sums_to_zero, packets)), "and all their checksums are right")

# From a ring that a packet socket shares with the kernel: on 6.1 the packet's
# destructor writes through a pointer in it, to say that its frame is free again.
SOL_PACKET, PACKET_TX_RING, SEND_REQUEST, FRAME = 263, 13, 1, 2048
with inside(NS_A):
    ring = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
ring.setsockopt(SOL_PACKET, PACKET_TX_RING, struct.pack("4I", 4096, 1, FRAME, 2))
frames = mmap.mmap(ring.fileno(), 4096)
texts = [bytes([n]) * 1000 for n in range(2)]
for n, text in enumerate(texts):
    packet = ipv4(udp(text), src=INNER_A, dst=INNER_B)
    frames[n * FRAME + 32:n * FRAME + 32 + len(packet)] = packet
    frames[n * FRAME:n * FRAME + 12] = struct.pack("QI", SEND_REQUEST, len(packet))
ring.sendto(b"", ("wg0", 0x800))
check([p[28:1028] for p in received(2)] == texts, "from a packet socket's ring")
check(await_(lambda: all(frames[n * FRAME:n * FRAME + 8] == bytes(8)
                         for n in range(2))), "and the ring has them back")

# The rest without sniffers on the wire: what GRO has chained up is cut without a copy.
UDP_GRO, SO_TXTIME, SO_TIMESTAMPNS = 104, 61, 35
for dev in ("va", "vb"):
    taps.pop(dev).close()


def arrival():
    """When the next datagram came in, in seconds."""
    for level, kind, data in sock.recvmsg(65536, 64)[1]:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            return struct.unpack("qq", data)[0]
    return 0


def departures():
    """The sender says when its packets are to leave: that is no time of arrival."""
    sealed = [session.seal(datagram(bytes(100))) for n in range(8)]
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    link.sock.setsockopt(socket.SOL_SOCKET, SO_TXTIME,
                         struct.pack("iI", time.CLOCK_MONOTONIC, 0))
    link.sock.setsockopt(socket.SOL_UDP, 103, len(sealed[0]))
    now = struct.pack("Q", time.clock_gettime_ns(time.CLOCK_MONOTONIC))
    link.sock.sendmsg([b"".join(sealed)], [(socket.SOL_SOCKET, SO_TXTIME, now)])
    late = [abs(arrival() - time.time()) for n in sealed]
    check(max(late) < 60, f"the times of arrival are such: {max(late):.0f} s off")
    link.sock.setsockopt(socket.SOL_UDP, 103, 0)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 0)


departures()


def bpf(command, *words):
    """The system call, its attributes given in 32 bits each."""
    words = struct.pack(f"{len(words)}I", *words)
    return ctypes.CDLL(None, use_errno=True).syscall(321, command, words, len(words))


def halves(buffer):
    return struct.unpack("2I", struct.pack("Q", ctypes.addressof(buffer)))


def attach_metadata(ns, dev):
    """An XDP program that puts eight bytes of its own in front of each packet."""
    code = b"".join(struct.pack("BBhi", *instruction) for instruction in (
        (0xbf, 0x16, 0, 0), (0xb7, 0x02, 0, -8), (0x85, 0, 0, 54),
        (0x55, 0, 7, 0), (0x61, 0x62, 8, 0), (0x61, 0x63, 0, 0),
        (0xbf, 0x24, 0, 0), (0x07, 0x04, 0, 8), (0x2d, 0x34, 2, 0),
        (0x62, 0x02, 0, 1), (0x62, 0x02, 4, 1), (0xb7, 0, 0, 2), (0x95, 0, 0, 0)))
    code, gpl = ctypes.create_string_buffer(code), ctypes.create_string_buffer(b"GPL")
    program = bpf(5, 6, len(code) // 8, *halves(code), *halves(gpl))
    with inside(ns):
        return bpf(28, program, socket.if_nametoindex(dev), 37, 4)


def merged_inside(what):
    """What arrives together is put together by the inner GRO."""
    texts = [bytes([n]) * 100 for n in range(10)]
    sealed = [session.seal(ipv6(udp6(t))) for t in texts]
    super_packet(sealed, len(sealed[0]))
    pieces = []
    while sum(map(len, pieces)) < 1000 and (piece := arrived(sock6)):
        pieces.append(piece)
    check(b"".join(pieces) == b"".join(texts), f"{what}: ten datagrams in order")
    check(len(pieces) < 5, f"and received at {len(pieces)} times")


sock6 = inner(address=INNER_A6)
sock6.setsockopt(socket.SOL_UDP, UDP_GRO, 1)
merged_inside("put together inside")
link_fd = attach_metadata(NS_A, "va")
if link_fd >= 0:
    merged_inside("with metadata of XDP outside")
    os.close(link_fd)
else:
    print("# no XDP in this kernel")

# Queues below are told the sender's priority: 6 is for the first band of three.
if subprocess.run(["ip", "netns", "exec", NS_A, *"tc qdisc add dev va root handle"
                   .split(), "1:", "prio"], capture_output=True).returncode:
    print("# no queueing discipline 'prio' here")
    finish()


def first_band():
    text = run(NS_A, "tc", "-s", "class", "show", "dev", "va")
    return int(text.split("class prio 1:1 ")[1].split("Sent")[1].split()[2])


def in_first_band(count, what):
    before = first_band()
    back.setsockopt(socket.SOL_UDP, UDP_SEGMENT, 100)
    back.sendto(bytes(100 * count), (INNER_B, 7000))
    received(count)
    seen = first_band() - before
    check(seen == count, f"{count} of priority 6, {what}: {seen} in the first band")


back.setsockopt(socket.SOL_SOCKET, SO_PRIORITY, 6)
in_first_band(1, "held")
in_first_band(20, "held")
for tap in taps.values():
    tap.close()
in_first_band(1, "sealed where it is")
finish()
