# SPDX-License-Identifier: GPL-2.0
"""An established tunnel must pass traffic under every kind of flood.

The figures are reported and not judged: they depend on the machine."""
import mmap
import socket
import struct
import time

import wgproto as wp
from wgtest import (ADDR4, INNER_A, INNER_B, Kernel, Link, PEER4, PORT, Peer,
                    check, finish, initiate, inside, keyfile, need, os, run,
                    select, sniff, NS_A, NS_B)

NS_C = os.environ["NS_C"]
SECONDS = float(os.environ.get("FLOOD_SECONDS", "1"))
EVIL = "10.77.2.1"


def flood(packets):
    """A process that sends PACKETS (all of one size) without end, counting
    into the shared memory returned with its id."""
    count = mmap.mmap(-1, 8)
    child = os.fork()
    if child:
        return child, count
    with inside(NS_C):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((EVIL, PORT))
    size = len(packets[0])
    burst = b"".join((packets * 60)[:min(60, 60000 // size)])
    sock.setsockopt(socket.SOL_UDP, 103, size)
    sent = 0
    while True:
        try:
            sock.send(burst)
        except ConnectionRefusedError:
            continue
        sent += len(burst) // size
        count[:] = struct.pack("<Q", sent)


def goodput(seconds):
    """TCP through the tunnel, B to A; bytes delivered."""
    with inside(NS_A):
        listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((INNER_A, 5201))
    listener.listen()
    child = os.fork()
    if not child:
        with inside(NS_B):
            sock = socket.socket()
        sock.settimeout(60)
        sock.connect((INNER_A, 5201))
        sock.settimeout(5)
        data, end = bytes(1 << 16), time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                sock.send(data)
        except OSError:
            pass
        os._exit(0)
    listener.settimeout(60)
    taken, buffer = 0, bytearray(1 << 20)
    try:
        conn, _ = listener.accept()
        conn.settimeout(seconds + 20)
        start = time.monotonic()
        while time.monotonic() < start + seconds:
            got = conn.recv_into(buffer)
            if not got:
                break
            taken += got
        conn.close()
    except socket.timeout:
        pass
    spent = max(time.monotonic() - start, 1e-3) if taken else seconds
    listener.close()
    os.kill(child, 9)
    os.waitpid(child, 0)
    return taken, taken * 8 / spent / 1e6


a = Kernel()
b = Kernel(ns=NS_B, up=False)
run(NS_B, "ip", "addr", "flush", "dev", "wg0")
run(NS_B, "ip", "addr", "add", INNER_B + "/24", "dev", "wg0")
pa, pb = Peer(private=a.private), Peer(private=b.private)
watch = sniff(NS_A, "va", 0x0800)
a.add(pb, "endpoint", f"{PEER4}:{PORT}")
b.wg("peer", pa.name, "allowed-ips", INNER_A + "/32", "endpoint",
     f"{ADDR4}:{PORT}")
b.up()
taken, quiet = goodput(SECONDS)
need(taken > 0, f"without a flood: {quiet:.0f} Mbit/s")

# What a listener on the wire has collected.
seen = {}
while select.select([watch], [], [], 0.1)[0] and len(seen) < 4:
    packet = watch.recv(65536)
    if packet[12:16] == socket.inet_aton(PEER4) and packet[9] == 17:
        body = packet[28:]
        if len(body) >= 32 and body[0] in (1, 2, 4):
            if body[0] != 4 or len(body) > 1000:
                seen.setdefault(body[0], body[:1452])
watch.close()
need(4 in seen and (1 in seen or 2 in seen), "data and a handshake were seen")
hand = seen.get(1) or seen[2]
bad = seen[4][:16] + os.urandom(len(seen[4]) - 16)

known = wp.public_key(a.private)
mac1 = [wp.add_macs(b"\1\0\0\0" + os.urandom(112), known) for i in range(20)]
wrong = [b"\1\0\0\0" + os.urandom(144) for i in range(20)]
noise = [os.urandom(1000) for i in range(20)]
fresh = [bad[:8] + struct.pack("<Q", 10**7 + i) + bad[16:] for i in range(20)]
kinds = (("a: random UDP", noise), ("b: initiations with a wrong mac1", wrong),
         ("c: initiations with a valid mac1", mac1),
         ("d: data, valid index, bad tag", fresh),
         ("e: replayed data", [seen[4]]), ("e: a replayed handshake", [hand]))
for name, packets in kinds:
    start = time.monotonic()
    child, count = flood(packets)
    taken, rate = goodput(SECONDS)
    os.kill(child, 9)
    os.waitpid(child, 0)
    sent, = struct.unpack("<Q", count[:])
    rate_in = sent / (time.monotonic() - start)
    megabit = rate_in * (len(packets[0]) + 42) * 8 / 1e6
    check(taken > 0, f"{name} at {rate_in / 1e3:.0f} kpps, {megabit:.0f} "
          f"Mbit/s: figure {rate:.0f} Mbit/s of goodput ({rate / quiet:.0%})")

# And a new peer gets in once it is over, at the latest.
link = Link()
late = a.add(Peer(allowed="10.66.0.20/32"))
end = time.monotonic() + 30
session = cookie = None
while session is None and time.monotonic() < end:
    hello = wp.Initiation(late.private, a.public, cookie=cookie)
    link.send(hello.packet)
    answer = link.receive(2)
    if answer and answer[0] == wp.RESPONSE:
        session = hello.finish(answer)
    elif answer and answer[0] == wp.COOKIE:
        cookie = wp.open_cookie_reply(answer, a.public, hello.packet)
check(session is not None, "a new peer gets in after the floods")
finish()
