# SPDX-License-Identifier: GPL-2.0
"""2^20 peers on one device: configured, re-keyed, used, dumped, removed.

Prints a table of times and of memory; judges only what must hold anywhere:
that all the peers are there, work, and go away again."""
import os
import subprocess
import sys
import threading
import time

import wgproto as wp
from wgtest import (Kernel, Link, NS_A, Peer, arrived, await_, check, datagram,
                    finish, initiate, inner, need, pace, passes)

BULK = sys.argv[1]
PEERS = int(os.environ.get("WGI_SCALE_PEERS", 1 << 20))
kernel = Kernel()
table = []


def available():
    with open("/proc/meminfo") as file:
        lines = dict(line.split(":") for line in file)
    return int(lines["MemAvailable"].split()[0]) * 1024


def bulk(*words):
    """(count, allowed IPs, seconds) of one run of wgbulk."""
    done = subprocess.run(["ip", "netns", "exec", NS_A, BULK, "wg0",
                           *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        check(False, f"wgbulk {words[0]}: {done.stderr.strip()}")
        return 0, 0, 0.0
    fields = done.stdout.split()
    return int(fields[1]), int(fields[2]), float(fields[3])


class Heartbeat(threading.Thread):
    """How long this process was ever kept from running, meanwhile."""

    def __init__(self):
        super().__init__(daemon=True)
        self.worst, self.go = 0.0, True

    def run(self):
        last = time.monotonic()
        while self.go:
            time.sleep(0.005)
            this = time.monotonic()
            self.worst, last = max(self.worst, this - last), this


def row(what, seconds, each=None):
    per = f"{seconds / each * 1e6:10.2f} us each" if each else ""
    shown = f"{seconds:10.3f} s " if seconds > 0.1 else \
        f"{seconds * 1e6:10.0f} us"
    table.append(f"{what:<34}{shown} {per}")


def speed(name):
    """Handshakes and data with a peer among all the others."""
    link, peer = Link(), kernel.add(Peer(allowed="10.66.0.2/32"))
    session = None
    best = 1e9
    for _ in range(5):
        pace()
        hello = wp.Initiation(peer.private, kernel.public)
        start = time.monotonic()
        link.send(hello.packet)
        answer = link.expect(wp.RESPONSE)
        best = min(best, time.monotonic() - start)
        need(answer, f"{name}: a handshake")
        session = hello.finish(answer)
    passes(link, session, sock, f"{name}: and data")
    packets = [session.seal(datagram(b"speed")) for _ in range(200)]
    times = []
    for packet in packets:
        start = time.monotonic()
        link.send(packet)
        arrived(sock)
        times.append(time.monotonic() - start)
    row(f"{name}: handshake answered in", best)
    row(f"{name}: a packet delivered in", sorted(times)[len(times) // 2])
    kernel.remove(peer)


sock = inner()
speed("few peers")
beat = Heartbeat()
beat.start()
empty = available()
half = PEERS // 2
_, _, first = bulk("add", 0, half, 0)
without = available()
check(first > 0, f"{half} peers are added")
_, _, ips = bulk("add", 0, half, 1)
with_ips = available()
_, _, rest = bulk("add", half, PEERS - half - 1, 1)
row("adding a half, no allowed IPs", first, half)
row("giving them an allowed IP each", ips, half)
row("adding the other half with", rest, PEERS - half)
peer_bytes = (empty - without) / half
ip_bytes = (without - with_ips) / half
table.append(f"{'memory of an idle peer':<34}{peer_bytes:10.0f} bytes")
table.append(f"{'memory of an allowed IP':<34}{ip_bytes:10.0f} bytes")
count, addresses, spent = bulk("dump")
check(count == PEERS - 1 and addresses == PEERS - 1,
      f"the dump has {count} peers with {addresses} allowed IPs")
row("dumping them", spent, PEERS)
speed(f"{PEERS} peers")
kernel.private = os.urandom(32)
kernel.public = wp.public_key(kernel.private)
_, _, spent = bulk("key", kernel.private.hex())
row("setting a new private key", spent)
speed("after the new key")
_, _, spent = bulk("del", 0, 1000)
row("removing 1000 by few requests", spent, 1000)
count = bulk("dump")[0]
check(count == PEERS - 1001, "they are gone")
kernel.ip("link", "set", "wg0", "down")
kernel.up()
start = time.monotonic()
_, _, spent = bulk("flush")
row("removing the rest at once", spent, PEERS)
check(bulk("dump")[0] == 0, "no peer is left")
beat.go = False
beat.join()


def lost():
    return empty - available()


await_(lambda: lost() < (PEERS * peer_bytes) / 20 + (64 << 20), 60, 0.5)
check(lost() < (PEERS * peer_bytes) / 20 + (64 << 20),
      f"the memory comes back ({lost() >> 20} MiB missing)")
row("longest wait of a user process", beat.worst)
with open("/sys/module/wireguard/version") as version:
    print(f"# {PEERS} peers, module {version.read().strip()}")
for line in table:
    print("#   figure", line)
finish()
