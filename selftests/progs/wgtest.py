# SPDX-License-Identifier: GPL-2.0
"""What the protocol stages share: namespaces, the device, checks, packets."""
import ctypes
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from base64 import b64encode

import wgproto as wp

NS_A, NS_B = os.environ["NS_A"], os.environ["NS_B"]
TMP = os.environ["STAGE_TMP"]
ADDR4, ADDR6, PORT = "10.77.1.1", "fd77:1::1", 51820
PEER4, PEER4B, PEER6, PEER6B = "10.77.1.2", "10.77.1.3", "fd77:1::2", "fd77:1::3"
INNER_A, INNER_B = "10.66.0.1", "10.66.0.2"
INNER_A6, INNER_B6 = "fd66::1", "fd66::2"
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
WAIT = 20          # seconds that an awaited condition may take at most
QUIET = 0.15       # how long to listen, after a later answer, for silence

_libc = ctypes.CDLL(None, use_errno=True)
_home = os.open("/proc/self/ns/net", os.O_RDONLY)
_failed = 0
_lock = threading.Lock()
# By how much slower than a fast machine this one may be.
FACTOR = int(os.environ.get("WGI_FACTOR") or 1)


def check(good, what):
    """One line of result; a failure does not end the stage at once."""
    global _failed
    with _lock:
        if not good:
            _failed += 1
        sys.stdout.write(f"# {'ok' if good else 'FAILED'}: {what}\n")
    return good


def need(good, what):
    """As check(), for what all the rest depends on."""
    if not check(good, what):
        sys.exit(1)


def failed():
    """How many checks have failed."""
    return _failed


def finish():
    sys.exit(1 if _failed else 0)


def skip(why):
    print(f"# SKIP {why}")
    sys.exit(4)


def skip_rest(why):
    """As skip(), once all that could be tried has been."""
    if _failed:
        sys.exit(1)
    skip(f"{why}; all the rest passed")


class inside:
    """with inside(ns): whatever is opened here belongs to that namespace."""

    def __init__(self, ns):
        self.ns = ns

    def _set(self, fd):
        if _libc.setns(fd, 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")

    def __enter__(self):
        fd = os.open(f"/run/netns/{self.ns}", os.O_RDONLY)
        self._set(fd)
        os.close(fd)

    def __exit__(self, *_):
        self._set(_home)


def run(ns, *words, may_fail=False):
    done = subprocess.run(["ip", "netns", "exec", ns, *map(str, words)],
                          text=True, capture_output=True)
    if done.returncode and not may_fail:
        raise RuntimeError(f"{words}: {done.stderr.strip()}")
    return done.stdout


def await_(condition, timeout=WAIT, step=0.01):
    """Poll CONDITION until it is true; its value, or a false one at last."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(step)


def keyfile(key):
    """A file that `wg` can read KEY from."""
    path = os.path.join(TMP, "key")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
              "w") as file:
        file.write(b64encode(key).decode() + "\n")
    return path


class Link:
    """A UDP socket of the far side, at which a peer of ours lives."""

    def __init__(self, address=PEER4, port=0, ns=NS_B, to=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with inside(ns):
            self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
        self.sock.bind((address, port))
        self.address, self.port = self.sock.getsockname()[:2]
        self.to = to or ((ADDR6 if ":" in address else ADDR4), PORT)

    @property
    def endpoint(self):
        name = self.address
        return f"[{name}]:{self.port}" if ":" in name else f"{name}:{self.port}"

    def send(self, packet):
        try:
            self.sock.sendto(packet, self.to)
        except ConnectionRefusedError:
            self.sock.sendto(packet, self.to)

    def receive(self, timeout=WAIT):
        """The next message, or None when none comes in time."""
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if not select.select([self.sock], [], [], max(left, 0))[0]:
                return None
            try:
                return self.sock.recv(65536)
            except ConnectionRefusedError:
                continue

    def expect(self, kind, timeout=WAIT):
        """The next message of KIND; others are passed over."""
        end = time.monotonic() + timeout
        while True:
            packet = self.receive(end - time.monotonic())
            if packet is None or packet[:4] == struct.pack("<I", kind):
                return packet

    def drain(self, quiet=QUIET):
        """All that comes until nothing has come for QUIET seconds."""
        out = []
        while (packet := self.receive(quiet)) is not None:
            out.append(packet)
        return out

    def reply(self, timeout=WAIT):
        """The next response or cookie reply."""
        end = time.monotonic() + timeout
        while True:
            packet = self.receive(end - time.monotonic())
            if packet is None or packet[0] in (2, 3):
                return packet

    def answers(self, quiet=QUIET):
        """As drain(), but only what answers a handshake message: a slow
        machine lets the keepalives of a session come in between."""
        return [p for p in self.drain(quiet) if p[0] in (2, 3)]

    def close(self):
        self.sock.close()


class Peer:
    """A peer that the kernel knows and that we play."""

    def __init__(self, allowed=f"{INNER_B}/32,{INNER_B6}/128", psk=None,
                 private=None):
        self.private = private or os.urandom(32)
        self.public = wp.public_key(self.private)
        self.name = b64encode(self.public).decode()
        self.allowed, self.psk = allowed, psk


class Kernel:
    """The device under test."""

    def __init__(self, up=True, ns=NS_A, dev="wg0", port=PORT):
        self.ns, self.dev = ns, dev
        self.private = os.urandom(32)
        self.public = wp.public_key(self.private)
        self.wg("private-key", keyfile(self.private), "listen-port", port)
        for address in (f"{INNER_A}/24", f"{INNER_A6}/64"):
            self.ip("addr", "add", address, "dev", dev)
        if up:
            self.up()

    def ip(self, *words):
        run(self.ns, "ip", *words)

    def up(self):
        self.ip("link", "set", self.dev, "up")

    def wg(self, *words):
        run(self.ns, "wg", "set", self.dev, *words)

    def rekey(self):
        """A new private key for the device."""
        self.private = os.urandom(32)
        self.public = wp.public_key(self.private)
        self.wg("private-key", keyfile(self.private))

    def add(self, peer, *more):
        words = ["peer", peer.name, "allowed-ips", peer.allowed]
        if peer.psk:
            self.wg(*words, "preshared-key", keyfile(peer.psk), *more)
        else:
            self.wg(*words, *more)
        return peer

    def add_all(self, peers):
        """As add(), for many and without pre-shared keys, at one go."""
        path = os.path.join(TMP, "peers")
        with open(path, "w") as file:
            for peer in peers:
                file.write(f"[Peer]\nPublicKey = {peer.name}\n"
                           f"AllowedIPs = {peer.allowed}\n")
        run(self.ns, "wg", "addconf", self.dev, path)
        return peers

    def remove(self, peer):
        self.wg("peer", peer.name, "remove")

    def show(self, what, peer=None):
        """`wg show DEV WHAT`: the value of PEER, or {public key: value}."""
        lines = run(self.ns, "wg", "show", self.dev, what).splitlines()
        table = dict(line.split("\t", 1) for line in lines)
        return table.get(peer.name) if peer else table

    def endpoint(self, peer):
        return self.show("endpoints", peer)

    def transfer(self, peer):
        return tuple(map(int, self.show("transfer", peer).split()))

    def stat(self, name):
        got = json.loads(run(self.ns, "ip", "-s", "-j", "link", "show",
                             self.dev))[0]["stats64"]
        side, key = name.split("_", 1)
        return got[side].get(key, 0)


def initiate(kernel, peer, link, timeout=WAIT, cookie=None, psk="own",
             timestamp=None):
    """A whole handshake as initiator: the session, or None on silence."""
    hello = wp.Initiation(peer.private, kernel.public, cookie=cookie,
                          timestamp=timestamp)
    link.send(hello.packet)
    answer = link.expect(wp.RESPONSE, timeout)
    if answer is None:
        return None
    return hello.finish(answer, peer.psk if psk == "own" else psk)


def pace():
    """Stay under the limit of initiations per second of one peer."""
    time.sleep(0.03)


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(payload, src=INNER_B, dst=INNER_A, proto=17, length=None, version=4,
         ihl=5, options=b"", tos=0, frag=0, ttl=64):
    total = 20 + len(options) + len(payload) if length is None else length
    head = struct.pack(">BBHHHBBH4s4s", version << 4 | ihl, tos, total, 1,
                       frag, ttl, proto, 0, socket.inet_aton(src),
                       socket.inet_aton(dst)) + options
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return head + payload


def ipv6(payload, src=INNER_B6, dst=INNER_A6, proto=17, length=None, version=6,
         tclass=0):
    size = len(payload) if length is None else length
    return struct.pack(">IHBB", version << 28 | tclass << 20, size, proto,
                       64) + socket.inet_pton(socket.AF_INET6, src) + \
        socket.inet_pton(socket.AF_INET6, dst) + payload


def udp(payload, sport=7000, dport=7001):
    """A UDP header without a checksum, which IPv4 allows."""
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


def udp6(payload, src=INNER_B6, dst=INNER_A6, sport=7000, dport=7001):
    size = 8 + len(payload)
    body = struct.pack(">HHHH", sport, dport, size, 0) + payload
    pseudo = socket.inet_pton(socket.AF_INET6, src) + \
        socket.inet_pton(socket.AF_INET6, dst) + struct.pack(">II", size, 17)
    return body[:6] + struct.pack(">H", checksum(pseudo + body) or 0xFFFF) + \
        payload


def datagram(text, **ip):
    """A valid inner IPv4 UDP packet from the peer to inner(kernel)."""
    return ipv4(udp(text), **ip)


def inner(ns=NS_A, address=INNER_A, port=7001):
    """A UDP socket behind the tunnel, in the kernel's namespace."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with inside(ns):
        sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
    sock.bind((address, port))
    return sock


def arrived(sock, timeout=WAIT):
    """The next datagram on SOCK, or None."""
    if not select.select([sock], [], [], timeout)[0]:
        return None
    return sock.recv(65536)


def arrived_all(sock, quiet=QUIET):
    out = []
    while (got := arrived(sock, quiet)) is not None:
        out.append(got)
    return out


def sniff(ns, dev, proto=3):
    """An AF_PACKET socket on DEV: sees every packet that passes."""
    with inside(ns):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                             socket.htons(proto))
        sock.bind((dev, proto))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 25)
    return sock


_marks = 0
strays = []


def passes(link, session, sock, what="the tunnel still works", **ip):
    """One marked datagram from the peer must reach SOCK; what reaches it
    before that is left in `strays`."""
    global _marks
    _marks += 1
    mark = b"mark %d" % _marks
    strays.clear()
    link.send(session.seal(datagram(mark, **ip)))
    while (got := arrived(sock)) is not None and got != mark:
        strays.append(got)
    return check(got == mark, what)


def flood(link, packet, count):
    """COUNT copies of PACKET as fast as one thread can: UDP GSO."""
    link.sock.setsockopt(socket.SOL_UDP, 103, len(packet))
    while count > 0:
        burst = min(count, 60)
        link.send(packet * burst)
        count -= burst
    link.sock.setsockopt(socket.SOL_UDP, 103, 0)


def spoil(packet, at=-1):
    """PACKET with one bit changed."""
    at %= len(packet)
    return packet[:at] + bytes([packet[at] ^ 1]) + packet[at + 1:]


def answers_seen(watch, quiet=QUIET):
    """What the kernel has sent over IP, from a sniffer at the far end: all
    UDP and ICMP from its addresses.  Neighbour discovery is not an answer."""
    out = []
    while select.select([watch], [], [], quiet)[0]:
        packet = watch.recv(65536)
        if packet[0] >> 4 == 4:
            if packet[12:16] == socket.inet_aton(ADDR4):
                out.append(packet)
        elif packet[0] >> 4 == 6 and packet[6] in (17, 44, 58):
            if packet[8:24] == socket.inet_pton(socket.AF_INET6, ADDR6) and \
                    not (packet[6] == 58 and 130 <= packet[40] <= 143):
                out.append(packet)
    return out


def quarantined():
    with open("/proc/kallsyms") as file:
        return any(" kasan_quarantine_put" in line for line in file)


def slab(name):
    """Objects in use in a slab cache, or None where that is not known: KASAN's
    quarantine holds what was freed, and it is for kmemleak to tell there."""
    if quarantined():
        return None
    # What each CPU keeps of freed ones would count as in use.
    try:
        with open(f"/sys/kernel/slab/{name}/shrink", "w") as file:
            file.write("1")
    except OSError:
        pass
    try:
        with open("/proc/slabinfo") as file:
            for line in file:
                if line.startswith(name + " "):
                    return int(line.split()[1])
    except OSError:
        pass
    return None


def udp_memory(ns=NS_A):
    """Pages charged to UDP receive queues, everywhere."""
    for line in run(ns, "cat", "/proc/net/sockstat").splitlines():
        if line.startswith("UDP:"):
            return int(line.split()[-1])
    return 0


def kmemleak():
    """New reports of kmemleak; an empty list where there is none."""
    path = "/sys/kernel/debug/kmemleak"
    if not os.path.exists(path):
        run(NS_A, "mount", "-t", "debugfs", "none", "/sys/kernel/debug",
            may_fail=True)
    if not os.path.exists(path):
        return []
    for _ in range(2):      # what is in flight at the first scan is no leak
        with open(path, "w") as file:
            file.write("scan")
    with open(path) as file:
        return [l for l in file if l.startswith("unreferenced")]


class Leaks:
    """with Leaks(n): N packets go in; the memory must come back."""

    def __init__(self, packets):
        self.packets = packets

    def __enter__(self):
        self.heads, self.pages = slab("skbuff_head_cache"), udp_memory()
        return self

    def __exit__(self, *error):
        if error[0]:
            return
        check(await_(lambda: udp_memory() <= self.pages + 1),
              "no receive queue stays charged")
        if self.heads is None:
            return
        # Each CPU keeps 64 for NAPI, and some are always on their way.
        limit = self.heads + 64 * os.cpu_count() + 64
        check(await_(lambda: slab("skbuff_head_cache") < limit),
              f"no packet stays behind ({self.packets} sent, "
              f"{slab('skbuff_head_cache') - self.heads} more in use)")


def join(a_inner=INNER_A, b_inner=INNER_B, more_a="", more_b=""):
    """Two kernel devices that know each other: wg0 in A and wg0 in B."""
    a, b = Kernel(), Kernel(ns=NS_B, up=False)
    for address in run(NS_B, "ip", "-o", "addr", "show", "dev",
                       "wg0").split("\n"):
        if address.split()[2:3] in (["inet"], ["inet6"]):
            b.ip("addr", "del", address.split()[3], "dev", "wg0")
    b.ip("addr", "add", b_inner + "/24", "dev", "wg0")
    pa, pb = Peer(private=a.private), Peer(private=b.private)
    a.wg("peer", pb.name, "allowed-ips", b_inner + "/32" + more_b,
         "endpoint", f"{PEER4}:{PORT}")
    b.wg("peer", pa.name, "allowed-ips", a_inner + "/32" + more_a,
         "endpoint", f"{ADDR4}:{PORT}")
    b.up()
    return a, b, pa, pb
