# SPDX-License-Identifier: GPL-2.0
"""Senders that lend their pages: splice, sendfile, MSG_ZEROCOPY; and clones
of all packets in sniffers, multicast loops and a flooding bridge.  Encryption
and decryption must never write to memory that somebody else can read."""
import hashlib
import mmap
import os
import random
import socket
import struct
import threading

import wgproto as wp
from wgtest import (INNER_A, INNER_B, NS_A, NS_B, arrived, await_, check,
                    finish, inner, inside, join, need, run, select, sniff)

NS_C = os.environ["NS_C"]
SO_ZEROCOPY, MSG_ZEROCOPY = 60, 0x4000000
a, b, pa, pb = join(more_b=",239.0.0.0/8")
a.ip("route", "add", "239.0.0.0/8", "dev", "wg0")
SIZE = 1 << 20

taps = {"wg0 out": sniff(NS_A, "wg0"), "va out": sniff(NS_A, "va"),
        "vb in": sniff(NS_B, "vb"), "wg0 in": sniff(NS_B, "wg0"),
        "third port": sniff(NS_C, "ve")}


def tapped(name):
    """What a sniffer holds, IPv4 only, without the outer or inner header."""
    out = []
    while select.select([taps[name]], [], [], 0.05)[0]:
        packet = taps[name].recv(1 << 18)
        if packet[0] >> 4 == 4:
            out.append(packet[(packet[0] & 15) * 4:])
    return out


def clones(what):
    """The same ciphertext everywhere outside, no plaintext altered inside;
    packets may have been dropped by a full sniffer, not changed."""
    ports = [{p[8:24]: p[24:] for p in tapped(name) if p[8:9] == b"\4"}
             for name in ("va out", "vb in", "third port")]
    common = set.intersection(*map(set, ports))     # by index and counter
    same = [key for key in common
            if ports[0][key] == ports[1][key] == ports[2][key]]
    check(len(same) == len(common) > max(map(len, ports)) // 2,
          f"{what}: {len(same)} of {len(common)} sealed packets are the same "
          f"on three ports, which had {list(map(len, ports))}")
    return tapped("wg0 out"), tapped("wg0 in")


# The pages: random, so that a single wrong byte shows; a hole of zeros too.
content = random.Random(1).randbytes(SIZE - 65536) + bytes(65536)
digest = hashlib.sha256(content).hexdigest()
paged = os.memfd_create("pages")
os.write(paged, content)
path = os.path.join(os.environ["STAGE_TMP"], "file")
with open(path, "wb") as made:
    made.write(content)
disk = os.open(path, os.O_RDONLY)
memory = mmap.mmap(-1, SIZE)
memory[:] = content


def unchanged(what):
    good = hashlib.sha256(memory).hexdigest() == digest
    for file in (paged, disk):
        mapped = mmap.mmap(file, SIZE, mmap.MAP_SHARED, mmap.PROT_READ)
        good = good and hashlib.sha256(mapped).hexdigest() == digest
        mapped.close()
    check(good, f"{what}: the pages lent are as they were")


def completed(sock, want):
    """Wait until the kernel has given WANT zero-copy sends back."""
    done = 0
    while done < want:
        poll = select.poll()
        poll.register(sock, 0)
        if not poll.poll(20000):
            return False
        try:
            _, control, _, _ = sock.recvmsg(1, 512, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            continue
        for _, _, data in control:
            low, high = struct.unpack("<II", data[8:16])
            done += high - low + 1
    return True


def by_sendfile(file):
    def send(sock, offset, length):
        while length:
            got = os.sendfile(sock.fileno(), file, offset, length)
            offset, length = offset + got, length - got
        return 0
    return send


def by_splice(file):
    source, sink = os.pipe()

    def send(sock, offset, length):
        while length:
            got = os.splice(file, sink, min(length, 65536), offset_src=offset)
            offset, length = offset + got, length - got
            while got:
                got -= os.splice(source, sock.fileno(), got)
        return 0
    return send


def by_zerocopy(sock, offset, length):
    sock.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    view, calls = memoryview(memory), 0
    while length:
        try:
            got = sock.send(view[offset:offset + min(length, 1 << 18)],
                            MSG_ZEROCOPY)
        except OSError as error:
            if error.errno != 105:          # ENOBUFS: too many lent already
                raise
            completed(sock, calls)
            calls = 0
            continue
        calls += 1
        offset, length = offset + got, length - got
    return calls


ways = (("sendfile of a memory file", by_sendfile(paged)),
        ("sendfile of a file", by_sendfile(disk)),
        ("splice of a memory file", by_splice(paged)),
        ("MSG_ZEROCOPY", by_zerocopy))


def tcp(name, send):
    with inside(NS_B):
        listener = socket.create_server((INNER_B, 0))
    with inside(NS_A):
        sock = socket.create_connection(listener.getsockname(), 20)
    sock.settimeout(None)
    peer, _ = listener.accept()
    taken = hashlib.sha256()

    def drink():
        while got := peer.recv(1 << 20):
            taken.update(got)
    drinker = threading.Thread(target=drink)
    drinker.start()
    calls = send(sock, 0, SIZE)
    sock.shutdown(socket.SHUT_WR)
    drinker.join(60)
    check(taken.hexdigest() == digest, f"TCP by {name}: every byte arrives")
    if calls:
        check(completed(sock, calls), "and all pages are given back")
    unchanged(f"TCP by {name}")
    for each in (sock, peer, listener):
        each.close()


def udp(name, send):
    sizes = [1, 15, 16, 17, 100, 1000, 1391, 1392, 1393, 4000] * 4
    sink = inner(NS_B, INNER_B)
    with inside(NS_A):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((INNER_B, 7001))
    offset, calls, good = 0, 0, 0
    for size in sizes:
        # one page at most: a longer file range makes several datagrams
        offset = (offset + 4095) // 4096 * 4096
        calls += send(sock, offset, size)
        good += arrived(sink) == content[offset:offset + size]
        offset += size
    check(good == len(sizes), f"UDP by {name}: {good} of {len(sizes)} arrive "
          "as they were")
    if calls:
        check(completed(sock, calls), "and all pages are given back")
    unchanged(f"UDP by {name}")
    sock.close()
    sink.close()


for name, send in ways:
    udp(name, send)
    out, came = clones(f"UDP by {name}")
    check(out and set(p[8:] for p in out) == set(p[8:] for p in came),
          "the plaintext that sniffers hold is the same at both ends")
    tcp(name, send)
    for tap in taps:
        tapped(tap)

# TCP again, small enough for the sniffers to keep up, for the clones' sake.
SIZE_ALL, SIZE = SIZE, 256 << 10
digest_all, digest = digest, hashlib.sha256(content[:SIZE]).hexdigest()


def unchanged(what):
    check(memory[:] == content and os.pread(paged, SIZE_ALL, 0) == content,
          f"{what}: the pages lent are as they were")


for name, send in ways:
    tcp(name + ", sniffed", send)
    clones(f"TCP by {name}")

# A multicast packet is one skb for the local listener and for the tunnel.
with inside(NS_A):
    local = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
with inside(NS_B):
    remote = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
group = "239.1.2.3"
for sock, address in ((local, INNER_A), (remote, INNER_B)):
    sock.bind((group, 7005))
    sock.setsockopt(socket.SOL_IP, socket.IP_ADD_MEMBERSHIP,
                    socket.inet_aton(group) + socket.inet_aton(address))
sender.setsockopt(socket.SOL_IP, socket.IP_MULTICAST_IF,
                  socket.inet_aton(INNER_A))
sender.setsockopt(socket.SOL_IP, socket.IP_MULTICAST_LOOP, 1)
for size in (1, 100, 1392):
    text = os.urandom(size)
    sender.sendto(text, (group, 7005))
    check(arrived(remote) == text and arrived(local) == text,
          f"a multicast of {size} bytes is intact here and there")
finish()
