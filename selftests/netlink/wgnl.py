# SPDX-License-Identifier: GPL-2.0
"""Netlink by hand: enough to say to WireGuard's family what no tool would say.

No library stands between the tests and the wire, as most of what they send is
malformed on purpose. Python's own modules only.
"""
import ctypes
import errno
import os
import socket
import struct
import subprocess
import sys
import time

AF_INET, AF_INET6 = 2, 10

NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP_INTR = 1, 2, 4, 0x10
NLM_F_DUMP = 0x300
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS = 1, 2
SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 270, 10, 11
GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 0x10, 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 1, 2
NLA_F_NESTED, NLA_TYPE_MASK = 0x8000, 0x3fff

CMD_GET, CMD_SET = 0, 1
(D_IFINDEX, D_IFNAME, D_PRIVATE_KEY, D_PUBLIC_KEY, D_FLAGS, D_LISTEN_PORT,
 D_FWMARK, D_PEERS) = range(1, 9)
(P_PUBLIC_KEY, P_PRESHARED_KEY, P_FLAGS, P_ENDPOINT, P_KEEPALIVE,
 P_LAST_HANDSHAKE, P_RX_BYTES, P_TX_BYTES, P_ALLOWEDIPS,
 P_VERSION) = range(1, 11)
I_FAMILY, I_ADDR, I_CIDR, I_FLAGS = range(1, 5)
D_REPLACE_PEERS = 1
P_REMOVE, P_REPLACE_IPS, P_UPDATE_ONLY = 1, 2, 4
I_REMOVE = 1

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags):
    """unshare(2); raises OSError."""
    if libc.unshare(flags):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def run(*words):
    """A command that has to succeed."""
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


# --- attributes -----------------------------------------------------------


def attr(kind, payload=b"", length=None):
    """One attribute; its length field may lie."""
    length = 4 + len(payload) if length is None else length
    return (struct.pack("=HH", length, kind) + payload +
            bytes(-len(payload) % 4))


def u8(kind, value):
    return attr(kind, struct.pack("=B", value))


def u16(kind, value):
    return attr(kind, struct.pack("=H", value))


def u32(kind, value):
    return attr(kind, struct.pack("=I", value))


def nest(kind, *children):
    return attr(kind | NLA_F_NESTED, b"".join(children))


def key(number):
    """32 bytes, different for every number; as a private key, clamped."""
    raw = bytearray(struct.pack("=Q", number * 0x9e3779b97f4a7c15 % 2**64) * 4)
    raw[0] &= 248
    raw[31] = raw[31] & 127 | 64
    return bytes(raw)


def ip(address, cidr, flags=None):
    """A nest for one allowed IP."""
    family = AF_INET6 if ":" in address else AF_INET
    parts = [u16(I_FAMILY, family),
             attr(I_ADDR, socket.inet_pton(family, address)), u8(I_CIDR, cidr)]
    if flags is not None:
        parts.append(u32(I_FLAGS, flags))
    return nest(0, *parts)


def peer(public_key, *parts, flags=None, ips=None):
    """A nest for one peer."""
    parts = [attr(P_PUBLIC_KEY, public_key), *parts]
    if flags is not None:
        parts.append(u32(P_FLAGS, flags))
    if ips is not None:
        parts.append(nest(P_ALLOWEDIPS, *ips))
    return nest(0, *parts)


def peers(*entries):
    return nest(D_PEERS, *entries)


def ifname(name):
    return attr(D_IFNAME, name.encode() + b"\0")


def sockaddr4(address, port):
    return struct.pack("=H", AF_INET) + struct.pack(">H", port) + \
        socket.inet_aton(address) + bytes(8)


def sockaddr6(address, port, scope=0):
    return struct.pack("=H", AF_INET6) + struct.pack(">HI", port, 0) + \
        socket.inet_pton(AF_INET6, address) + struct.pack("=I", scope)


def parse(data):
    """Attributes of well-formed data, as (type, payload)."""
    result, at = [], 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4 or at + length > len(data):
            raise ValueError("attribute runs out of its nest")
        result.append((kind & NLA_TYPE_MASK, data[at + 4:at + length]))
        at += length + 3 & ~3
    return result


# --- socket ---------------------------------------------------------------


class Answer:
    """What came back for a request."""

    def __init__(self, code, text=None, echo=b""):
        self.errno, self.text, self.echo = code, text, echo

    @property
    def name(self):
        if self.errno == errno.EOPNOTSUPP:
            return "EOPNOTSUPP"     # Python has two names for it
        return errno.errorcode.get(self.errno, str(self.errno)) \
            if self.errno else "0"


class Netlink:
    """A generic netlink socket in the current network namespace.

    The kernel makes the messages of a dump as long as the longest buffer that
    the socket ever read into, 32 KiB at most; so size is for good.
    """

    def __init__(self, capped=True, size=1 << 16):
        self.size = size
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, int(capped))
        self.sock.settimeout(60)
        self.sock.bind((0, 0))
        self.seq = 0
        self.family = self.find_family(b"wireguard\0")

    def close(self):
        self.sock.close()

    def send(self, cmd, attrs, flags=NLM_F_ACK, kind=None, version=1,
             reserved=0, cut=None):
        """Send a request; cut is how many bytes of it to send."""
        self.seq += 1
        body = struct.pack("=BBH", cmd, version, reserved) + attrs
        if cut is not None:
            body = body[:cut]
        head = struct.pack("=IHHII", 16 + len(body),
                           self.family if kind is None else kind,
                           NLM_F_REQUEST | flags, self.seq, 0)
        self.sock.send(head + body)

    def messages(self):
        """Messages of one datagram, as (type, flags, body)."""
        data, at = self.sock.recv(self.size), 0
        while at + 16 <= len(data):
            length, kind, flags, seq, _ = struct.unpack_from("=IHHII", data, at)
            if length < 16 or at + length > len(data):
                raise ValueError("message runs out of its datagram")
            if seq == self.seq:
                yield kind, flags, data[at + 16:at + length]
            at += length + 3 & ~3

    @staticmethod
    def read_error(flags, body):
        """An NLMSG_ERROR or NLMSG_DONE."""
        code = -struct.unpack_from("=i", body)[0]
        echo, rest = b"", body[4:]
        if len(body) >= 20:
            length = struct.unpack_from("=I", body, 4)[0]
            if flags & NLM_F_CAPPED or not code:
                length = 16
            echo, rest = body[4:4 + length], body[4 + (length + 3 & ~3):]
        texts = dict(parse(rest)) if flags & NLM_F_ACK_TLVS else {}
        text = texts.get(NLMSGERR_ATTR_MSG)
        return Answer(code, text and text.rstrip(b"\0").decode(), echo)

    def ask(self, cmd, attrs, **options):
        """Send, and wait for the end of what comes back."""
        self.send(cmd, attrs, **options)
        while True:
            for kind, flags, body in self.messages():
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    return self.read_error(flags, body)

    def set(self, *attrs, **options):
        return self.ask(CMD_SET, b"".join(attrs), **options)

    def must_set(self, *attrs):
        answer = self.set(*attrs)
        if answer.errno:
            raise OSError(answer.errno, f"set: {answer.name}: {answer.text}")

    def find_family(self, name):
        self.family = GENL_ID_CTRL
        self.send(CTRL_CMD_GETFAMILY, attr(CTRL_ATTR_FAMILY_NAME, name))
        family = None
        while True:
            for kind, _, body in self.messages():
                if kind == NLMSG_ERROR:
                    if family is None:
                        raise LookupError("no such family")
                    return family
                family = struct.unpack(
                    "=H", dict(parse(body[4:]))[CTRL_ATTR_FAMILY_ID])[0]

    def dump_messages(self):
        """The datagrams of the dump that was asked for: lists of messages."""
        while True:
            batch = list(self.messages())
            yield batch
            if any(kind in (NLMSG_ERROR, NLMSG_DONE) for kind, _, _ in batch):
                return

    def dump_raw(self, name):
        """(answer, interrupted, bodies) of a whole dump."""
        self.send(CMD_GET, ifname(name), flags=NLM_F_DUMP)
        bodies, interrupted, answer = [], False, None
        for batch in self.dump_messages():
            for kind, flags, body in batch:
                interrupted |= bool(flags & NLM_F_DUMP_INTR)
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    answer = self.read_error(flags, body)
                else:
                    bodies.append(body[4:])
        return answer, interrupted, bodies

    def dump(self, name):
        """The device, as (interrupted, Device)."""
        answer, interrupted, bodies = self.dump_raw(name)
        if answer.errno:
            raise OSError(answer.errno, f"dump of {name}")
        return interrupted, Device(bodies)


class Device:
    """What a dump says, put together again."""

    def __init__(self, bodies):
        self.attrs, self.peers = {}, []
        for body in bodies:
            for kind, payload in parse(body):
                if kind == D_PEERS:
                    for _, entry in parse(payload):
                        self.add_peer(entry)
                else:
                    self.attrs[kind] = payload

    def add_peer(self, entry):
        parts = dict(parse(entry))
        allowed = [self.read_ip(one)
                   for _, one in parse(parts.pop(P_ALLOWEDIPS, b""))]
        last = self.peers[-1] if self.peers else None
        if last and last[0][P_PUBLIC_KEY] == parts[P_PUBLIC_KEY]:
            last[1].extend(allowed)
        else:
            self.peers.append((parts, allowed))

    @staticmethod
    def read_ip(entry):
        parts = dict(parse(entry))
        family = struct.unpack("=H", parts[I_FAMILY])[0]
        return (f"{socket.inet_ntop(family, parts[I_ADDR])}"
                f"/{parts[I_CIDR][0]}")

    def find(self, public_key):
        for parts, allowed in self.peers:
            if parts[P_PUBLIC_KEY] == public_key:
                return parts, allowed
        return None

    def describe(self, ports=None):
        """Configuration, without statistics, as lines of text."""
        lines = []
        for kind, payload in sorted(self.attrs.items()):
            if kind == D_LISTEN_PORT and ports is not None and \
                    struct.unpack("=H", payload)[0] not in ports:
                payload = b"?"
            if kind != D_IFINDEX:
                lines.append(f"{kind} {payload.hex()}")
        for parts, allowed in self.peers:
            lines.append("peer " + " ".join(
                f"{kind}={payload.hex()}" for kind, payload in
                sorted(parts.items())
                if kind and kind not in (P_LAST_HANDSHAKE, P_RX_BYTES,
                                         P_TX_BYTES)))
            lines.extend(allowed)
        return lines


# --- reporting ------------------------------------------------------------


class Ktap:
    """KTAP on standard output; the exit code tells the sum of it."""

    def __init__(self):
        self.count = self.failed = 0
        print("KTAP version 1", flush=True)

    def result(self, good, name, *why):
        self.count += 1
        self.failed += not good
        if not good:
            for line in why:
                print(f"# {line}")
        print(f"{'ok' if good else 'not ok'} {self.count} {name}", flush=True)

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} {name} # SKIP {reason}", flush=True)

    def finish(self):
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed else 0)


def skip_all(reason):
    """Nothing can be tested here: exit code 4."""
    print(f"KTAP version 1\n1..0 # SKIP {reason}", flush=True)
    sys.exit(4)


def await_true(condition, seconds=60):
    """Wait for a condition; is it true in the end?"""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def enter_namespace():
    """A network namespace of our own, with a WireGuard device wg0 in it."""
    if os.geteuid():
        skip_all("needs root")
    try:
        unshare(CLONE_NEWNET)
    except OSError as problem:
        skip_all(f"no network namespace: {problem.strerror}")
    run("ip", "link", "set", "lo", "up")
    made = subprocess.run(["ip", "link", "add", "wg0", "type", "wireguard"],
                          stderr=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        skip_all(f"no WireGuard device: {made.stderr.strip()}")


def is_stock():
    """Is the kernel's own module loaded, whose version is 1.0.0?"""
    try:
        with open("/sys/module/wireguard/version", encoding="ascii") as file:
            return file.read().strip() == "1.0.0"
    except FileNotFoundError:
        return True
