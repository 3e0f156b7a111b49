#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Requests of every kind, wrong ones above all: what is answered, what changes.

usage: requests.py [--log FILE] [--stock | --ours]

Runs in network namespaces of its own, on the WireGuard module that is loaded.
Each case has the errno that Linux 7.3 gives. With the kernel's own module
(--stock, and the default where version 1.0.0 is loaded) only these are checked,
so that the cases are known to be right; with ours also that a rejected request
has changed nothing, has said why, and has had its keys wiped.

  --log FILE  also write "case errno" lines to FILE, to be compared between two
              modules or kernels by diff

Prints KTAP. Exit code 0: passed; 1: failed; 2: usage; 4: could not run.
"""
import argparse
import os
import socket
import struct
import subprocess
import sys

from wgnl import *  # pylint: disable=wildcard-import,unused-wildcard-import

SELF_PRIVATE, OTHER_PRIVATE = key(1), key(2)
A, B, C, NEW = key(11), key(12), key(13), key(14)
PSK = key(21)
DEV = ifname("wg0")
V4 = sockaddr4("192.0.2.1", 1000)
V6 = sockaddr6("2001:db8::1", 1000)
BAD_IP = nest(0, u16(I_FAMILY, AF_INET), attr(I_ADDR, bytes(4)), u8(I_CIDR, 33))
GOOD = peer(NEW, ips=[ip("10.9.0.0", 16)])

BASE = (DEV, u32(D_FLAGS, D_REPLACE_PEERS), attr(D_PRIVATE_KEY, SELF_PRIVATE),
        u16(D_LISTEN_PORT, 20001), u32(D_FWMARK, 7), peers(
            peer(A, attr(P_PRESHARED_KEY, PSK), attr(P_ENDPOINT, V4),
                 u16(P_KEEPALIVE, 25),
                 ips=[ip("10.0.0.0", 24), ip("fd00::", 64)]),
            peer(B, attr(P_ENDPOINT, V6), ips=[ip("10.0.1.0", 24)]),
            peer(C)))


def with_peer(*parts, **options):
    """Attributes of a request about one new peer, good but for its parts."""
    return DEV + peers(peer(NEW, *parts, **options))


def with_ip(*parts):
    """Likewise about one allowed IP made of parts, behind a good one."""
    return DEV + peers(peer(NEW, ips=[ip("10.9.0.0", 16), nest(0, *parts)]))


def ip_parts(family=AF_INET, addr=bytes(4), cidr=8, *more):
    return (u16(I_FAMILY, family), attr(I_ADDR, addr), u8(I_CIDR, cidr), *more)


# Everything a request can get wrong about its form. Before the faulty part there
# is always something that could be done, and must not be.
def rejected():
    """(name, errno of Linux 7.3, attributes)"""
    first = DEV + u32(D_FWMARK, 9)
    short = struct.pack("=HH", 3, P_FLAGS)
    yield "no device", "EBADR", u32(D_FWMARK, 9)
    yield "both index and name", "EBADR", DEV + u32(D_IFINDEX, 1)
    yield "empty request", "EBADR", b""
    yield "no such name", "ENODEV", ifname("wg9")
    yield "empty name", "ENODEV", ifname("")
    yield "no such index", "ENODEV", u32(D_IFINDEX, 9999)
    yield "index 0", "ENODEV", u32(D_IFINDEX, 0)
    yield "index -1", "ENODEV", u32(D_IFINDEX, 0xffffffff)
    yield "not WireGuard, by name", "EOPNOTSUPP", ifname("lo")
    yield "not WireGuard, by index", "EOPNOTSUPP", u32(D_IFINDEX, 1)
    yield "name without end", "EINVAL", attr(D_IFNAME, b"wg0")
    yield "name too long", "EINVAL", attr(D_IFNAME, b"wg0456789abcdefg\0")
    yield "index of 2 bytes", "EINVAL", attr(D_IFINDEX, b"\1\0")
    yield "index of 5 bytes", "EINVAL", attr(D_IFINDEX, b"\1\0\0\0\0")

    for size in (0, 1, 31, 33, 64):
        code = "ERANGE"
        yield f"private key of {size} bytes", code, \
            first + attr(D_PRIVATE_KEY, bytes(size))
        yield f"own public key of {size} bytes", code, \
            first + attr(D_PUBLIC_KEY, bytes(size))
        yield f"peer's public key of {size} bytes", code, \
            first + peers(GOOD, nest(0, attr(P_PUBLIC_KEY, bytes(size))))
        yield f"preshared key of {size} bytes", code, \
            with_peer(attr(P_PRESHARED_KEY, bytes(size)))
    for bit in (1, 2, 16, 31):
        yield f"device flag {bit}", "EINVAL", first + u32(D_FLAGS, 1 << bit)
    for bit in (3, 4, 16, 31):
        yield f"peer flag {bit}", "EINVAL", with_peer(flags=1 << bit)
    for bit in (1, 2, 16, 31):
        yield f"allowed IP flag {bit}", "EINVAL", \
            with_ip(*ip_parts(AF_INET, bytes(4), 8, u32(I_FLAGS, 1 << bit)))
    for kind, size in ((D_FLAGS, 2), (D_FLAGS, 8), (D_LISTEN_PORT, 1),
                       (D_LISTEN_PORT, 4), (D_FWMARK, 2), (D_FWMARK, 8)):
        yield f"device attribute {kind} of {size} bytes", "EINVAL", \
            DEV + attr(kind, bytes(size))
    for kind, size in ((P_FLAGS, 2), (P_FLAGS, 8), (P_KEEPALIVE, 1),
                       (P_KEEPALIVE, 4), (P_VERSION, 2), (P_VERSION, 8),
                       (P_RX_BYTES, 4), (P_TX_BYTES, 4), (P_RX_BYTES, 9)):
        yield f"peer attribute {kind} of {size} bytes", "EINVAL", \
            with_peer(attr(kind, bytes(size)))
    for size in (0, 8, 15, 17):
        yield f"time of {size} bytes", "ERANGE", \
            with_peer(attr(P_LAST_HANDSHAKE, bytes(size)))
    for kind, size in ((I_FAMILY, 1), (I_FAMILY, 4), (I_CIDR, 0), (I_CIDR, 2),
                       (I_FLAGS, 1), (I_FLAGS, 8)):
        yield f"allowed IP attribute {kind} of {size} bytes", "EINVAL", \
            with_ip(*ip_parts(), attr(kind, bytes(size)))
    for size in (0, 1, 2, 8, 15):
        yield f"endpoint of {size} bytes", "ERANGE", \
            with_peer(attr(P_ENDPOINT, V4[:size]))

    for kind in (0, D_PEERS + 1, 100, 0x3fff):
        yield f"unknown device attribute {kind}", "EINVAL", first + u32(kind, 0)
    for kind in (0, P_VERSION + 1, 100, 0x3fff):
        yield f"unknown peer attribute {kind}", "EINVAL", \
            with_peer(u32(kind, 0))
    for kind in (0, I_FLAGS + 1, 100, 0x3fff):
        yield f"unknown allowed IP attribute {kind}", "EINVAL", \
            with_ip(*ip_parts(), u32(kind, 0))

    yield "peers not marked as nest", "EINVAL", first + attr(D_PEERS, GOOD)
    yield "peer not marked as nest", "EINVAL", \
        first + peers(GOOD, attr(0, attr(P_PUBLIC_KEY, key(15))))
    yield "allowed IPs not marked as nest", "EINVAL", \
        with_peer(attr(P_ALLOWEDIPS, ip("10.9.0.0", 16)))
    yield "allowed IP not marked as nest", "EINVAL", \
        with_peer(ips=[ip("10.9.0.0", 16), attr(0, b"".join(ip_parts()))])
    yield "number marked as nest", "EINVAL", \
        DEV + u32(D_FWMARK | NLA_F_NESTED, 9)
    for size in (1, 2, 3):
        yield f"peer nest of {size} bytes", "ERANGE", \
            first + peers(GOOD, nest(0, bytes(size)))
        yield f"allowed IP nest of {size} bytes", "ERANGE", \
            with_ip(bytes(size))
    yield "empty peer nest", "EINVAL", first + peers(GOOD, nest(0))
    yield "empty peer attribute", "EINVAL", first + peers(GOOD, attr(0))
    yield "empty allowed IP nest", "EINVAL", with_ip()
    yield "bytes behind the device's attributes", "EINVAL", first + bytes(3)
    yield "device attribute of length 3", "EINVAL", \
        first + struct.pack("=HH", 3, D_FWMARK)
    yield "device attribute beyond the message", "EINVAL", \
        first + attr(D_FWMARK, bytes(4), length=100)
    yield "bytes behind a peer's attributes", "EINVAL", with_peer(bytes(3))
    yield "peer attribute of length 3", "EINVAL", with_peer(short)
    yield "peer attribute beyond its nest", "EINVAL", \
        with_peer(attr(P_FLAGS, bytes(4), length=100))
    yield "allowed IP attribute beyond its nest", "EINVAL", \
        with_ip(*ip_parts(), attr(I_FLAGS, bytes(4), length=100))
    yield "bytes behind an allowed IP's attributes", "EINVAL", \
        with_ip(*ip_parts(), bytes(3))

    yield "peer without public key", "EINVAL", \
        first + peers(GOOD, nest(0, u16(P_KEEPALIVE, 1)))
    for version in (0, 2, 0xffffffff):
        yield f"protocol version {version}", "EPFNOSUPPORT", \
            first + peers(GOOD, peer(key(15), u32(P_VERSION, version)))
    yield "protocol version of a peer to be removed", "EPFNOSUPPORT", \
        first + peers(GOOD, peer(A, u32(P_VERSION, 2), flags=P_REMOVE))

    for name, part in (("family", 0), ("address", 1), ("mask", 2)):
        parts = list(ip_parts())
        del parts[part]
        yield f"allowed IP without {name}", "EINVAL", with_ip(*parts)
    for family in (0, 1, 16, 255, 0xffff):
        yield f"allowed IP of family {family}", "EINVAL", \
            with_ip(*ip_parts(family))
    for family, size, cidr in ((AF_INET, 4, 33), (AF_INET, 4, 255),
                               (AF_INET6, 16, 129), (AF_INET6, 16, 255),
                               (AF_INET, 16, 8), (AF_INET6, 4, 8),
                               (AF_INET, 5, 8), (AF_INET6, 15, 8),
                               (AF_INET6, 17, 8), (AF_INET, 64, 8)):
        yield f"allowed IP {family} of {size} bytes, mask {cidr}", "EINVAL", \
            with_ip(*ip_parts(family, bytes(size), cidr))
        yield f"removal of IP {family} of {size} bytes, mask {cidr}", \
            "EINVAL", with_ip(*ip_parts(family, bytes(size), cidr,
                                        u32(I_FLAGS, I_REMOVE)))
    for size in (0, 1, 3):
        yield f"allowed IP's address of {size} bytes", "ERANGE", \
            with_ip(*ip_parts(AF_INET, bytes(size)))

    everything = (u32(D_FWMARK, 9) + u16(D_LISTEN_PORT, 20009) +
                  attr(D_PRIVATE_KEY, OTHER_PRIVATE))
    yield "bad last allowed IP after all else", "EINVAL", \
        DEV + everything + peers(GOOD, peer(A, flags=P_REMOVE),
                                 peer(B, attr(P_PRESHARED_KEY, PSK),
                                      flags=P_REPLACE_IPS, ips=[BAD_IP]))
    yield "bad last peer after replacing all", "EINVAL", \
        DEV + u32(D_FLAGS, D_REPLACE_PEERS) + everything + \
        peers(GOOD, nest(0, u16(P_KEEPALIVE, 1)))
    yield "bad IP of an update of what the request adds", "EINVAL", \
        DEV + peers(peer(NEW), peer(NEW, flags=P_UPDATE_ONLY, ips=[BAD_IP]))
    yield "bad IP of an update of an existing peer", "EINVAL", \
        DEV + peers(GOOD, peer(A, flags=P_UPDATE_ONLY, ips=[BAD_IP]))
    yield "bad IP of an update after removing and adding", "EINVAL", \
        DEV + peers(peer(A, flags=P_REMOVE), peer(A),
                    peer(A, flags=P_UPDATE_ONLY, ips=[BAD_IP]))
    yield "bad IP of what was our own key", "EINVAL", \
        DEV + attr(D_PRIVATE_KEY, OTHER_PRIVATE) + \
        peers(peer(own_public(), ips=[BAD_IP]))
    yield "bad IP of what was our own key, the key taken away", "EINVAL", \
        DEV + attr(D_PRIVATE_KEY, bytes(32)) + \
        peers(peer(own_public(), ips=[BAD_IP]))


def own_public(private=SELF_PRIVATE, cache={}):
    """Public key of a private one, by asking the device."""
    if private not in cache:
        nl = Netlink()
        nl.must_set(DEV, attr(D_PRIVATE_KEY, private))
        cache[private] = nl.dump("wg0")[1].attrs[D_PUBLIC_KEY]
        nl.must_set(*BASE)
        nl.close()
    return cache[private]


# Requests that 7.3 takes, and what is different afterwards. A change is a
# function of the dump's description: a list of lines.
def accepted():
    """(name, attributes, what to make of the description before)"""
    own = own_public()
    other = own_public(OTHER_PRIVATE)

    def same(lines):
        return lines

    def without(public_key):
        def change(lines):
            result, skip = [], False
            for line in lines:
                if line.startswith("peer "):
                    skip = f"1={public_key.hex()} " in line
                if not skip:
                    result.append(line)
            return result
        return change

    def swap(old, new):
        def change(lines):
            assert any(old in line for line in lines), old
            return [line.replace(old, new) for line in lines]
        return change

    def chain(*changes):
        def change(lines):
            for one in changes:
                lines = one(lines)
            return lines
        return change

    def cut(what):
        def change(lines):
            assert what in lines, what
            return [line for line in lines if line != what]
        return change

    def put(after, what):
        def change(lines):
            at = next(i for i, line in enumerate(lines) if after in line)
            return lines[:at + 1] + [what] + lines[at + 1:]
        return change

    def add(public_key, *ips, psk=bytes(32)):
        line = (f"peer 1={public_key.hex()} 2={psk.hex()} 5=0000 "
                f"10={struct.pack('=I', 1).hex()}")
        return lambda lines: lines + [line, *ips]

    def clear(lines):
        return [line for line in lines if line[0] in "123456789"
                and " " in line]

    yield "nothing but the name", DEV, same
    yield "no peers", DEV + peers(), same
    yield "byte behind the last peer", DEV + \
        attr(D_PEERS | NLA_F_NESTED, peer(A) + b"\0\0"), same
    yield "public key of the device", DEV + attr(D_PUBLIC_KEY, key(3)), same
    yield "statistics", DEV + peers(peer(A, attr(P_RX_BYTES, bytes(8)),
                                         attr(P_TX_BYTES, bytes(8)),
                                         attr(P_LAST_HANDSHAKE, bytes(16)))), \
        same
    yield "name given twice", ifname("wg9") + DEV, same
    yield "protocol version 1", DEV + peers(peer(A, u32(P_VERSION, 1))), same
    yield "flags of 0", DEV + u32(D_FLAGS, 0) + \
        peers(peer(A, flags=0, ips=[ip("fd00::", 64, 0)])), same
    yield "type of a nest", DEV + peers(peer(A)[:2] + struct.pack(
        "=H", NLA_F_NESTED | 77) + peer(A)[4:]), same

    yield "same private key", DEV + attr(D_PRIVATE_KEY, SELF_PRIVATE), same
    yield "zero private key", DEV + attr(D_PRIVATE_KEY, bytes(32)), \
        lambda lines: [line for line in lines if line[:2] not in ("3 ", "4 ")]
    yield "other private key", DEV + attr(D_PRIVATE_KEY, OTHER_PRIVATE), \
        chain(swap(SELF_PRIVATE.hex(), OTHER_PRIVATE.hex()),
              swap(own.hex(), other.hex()))
    raw = bytearray(OTHER_PRIVATE)
    raw[0] |= 7
    raw[31] |= 128
    yield "private key to be clamped", \
        DEV + attr(D_PRIVATE_KEY, bytes(raw)), \
        chain(swap(SELF_PRIVATE.hex(), OTHER_PRIVATE.hex()),
              swap(own.hex(), other.hex()))
    yield "two private keys: the last counts", DEV + \
        attr(D_PRIVATE_KEY, key(5)) + attr(D_PRIVATE_KEY, SELF_PRIVATE), same
    yield "fwmark", DEV + u32(D_FWMARK, 0xdeadbeef), \
        swap("7 07000000", "7 efbeadde")
    yield "listen port", DEV + u16(D_LISTEN_PORT, 20002), \
        swap("6 214e", "6 224e")

    yield "replace all by none", DEV + u32(D_FLAGS, D_REPLACE_PEERS), clear
    yield "replace all by one", DEV + u32(D_FLAGS, D_REPLACE_PEERS) + \
        peers(peer(NEW)), chain(clear, add(NEW))
    yield "new peer", DEV + peers(GOOD), add(NEW, "10.9.0.0/16")
    yield "new peer to be replaced", DEV + peers(
        peer(NEW, flags=P_REPLACE_IPS, ips=[ip("10.9.0.0", 16)])), \
        add(NEW, "10.9.0.0/16")
    yield "new peer twice", DEV + peers(GOOD, peer(
        NEW, attr(P_PRESHARED_KEY, PSK), ips=[ip("10.8.0.0", 16)])), \
        add(NEW, "10.9.0.0/16", "10.8.0.0/16", psk=PSK)
    yield "remove", DEV + peers(peer(A, flags=P_REMOVE)), without(A)
    yield "remove what is not there", DEV + peers(peer(NEW, flags=P_REMOVE)), \
        same
    yield "remove with bad allowed IP", DEV + peers(
        peer(A, flags=P_REMOVE, ips=[BAD_IP])), without(A)
    yield "remove what is not there with bad allowed IP", DEV + peers(
        peer(NEW, flags=P_REMOVE, ips=[BAD_IP])), same
    yield "remove, all flags", DEV + peers(peer(A, flags=7)), without(A)
    yield "remove and add", DEV + peers(peer(B, flags=P_REMOVE), peer(B)), \
        chain(without(B), add(B))
    yield "update what is not there", DEV + peers(
        peer(NEW, flags=P_UPDATE_ONLY, ips=[ip("10.9.0.0", 16)])), same
    yield "update what is not there with bad allowed IP", DEV + peers(
        peer(NEW, flags=P_UPDATE_ONLY, ips=[BAD_IP])), same
    yield "update with bad allowed IP of a peer just removed", DEV + peers(
        peer(A, flags=P_REMOVE),
        peer(A, flags=P_UPDATE_ONLY, ips=[BAD_IP])), without(A)
    yield "update with bad allowed IP of a peer just replaced", \
        DEV + u32(D_FLAGS, D_REPLACE_PEERS) + \
        peers(peer(A, flags=P_UPDATE_ONLY, ips=[BAD_IP])), clear
    yield "update", DEV + peers(peer(A, u16(P_KEEPALIVE, 0x1234),
                                     flags=P_UPDATE_ONLY)), \
        swap("5=1900", "5=3412")
    yield "own key", DEV + peers(peer(own, ips=[ip("10.9.0.0", 16)])), same
    yield "own key with bad allowed IP", DEV + peers(peer(own, ips=[BAD_IP])), \
        same
    yield "own key of the private key that comes with it", DEV + \
        attr(D_PRIVATE_KEY, OTHER_PRIVATE) + peers(peer(other, ips=[BAD_IP])), \
        chain(swap(SELF_PRIVATE.hex(), OTHER_PRIVATE.hex()),
              swap(own.hex(), other.hex()))

    yield "preshared key", DEV + peers(peer(B, attr(P_PRESHARED_KEY, PSK))), \
        swap(f"{B.hex()} 2={bytes(32).hex()}", f"{B.hex()} 2={PSK.hex()}")
    yield "zero preshared key", DEV + peers(
        peer(A, attr(P_PRESHARED_KEY, bytes(32)))), \
        swap(f"{A.hex()} 2={PSK.hex()}", f"{A.hex()} 2={bytes(32).hex()}")
    yield "keepalive off", DEV + peers(peer(A, u16(P_KEEPALIVE, 0))), \
        swap("5=1900", "5=0000")
    yield "endpoint 4 to 6", DEV + peers(peer(A, attr(P_ENDPOINT, V6))), \
        swap(f"{PSK.hex()} 4={V4.hex()}", f"{PSK.hex()} 4={V6.hex()}")
    yield "endpoint 6 to 4", DEV + peers(peer(B, attr(P_ENDPOINT, V4))), \
        swap(f"4={V6.hex()}", f"4={V4.hex()}")
    scoped = sockaddr6("fe80::1", 9, 5)
    yield "endpoint with scope", DEV + peers(
        peer(A, attr(P_ENDPOINT, scoped))), \
        swap(f"4={V4.hex()}", f"4={scoped.hex()}")
    for name, value in (
            ("4, of 17 bytes", V4 + b"\0"), ("4, of 28 bytes", V4 + bytes(12)),
            ("6, of 16 bytes", V6[:16]), ("6, of 27 bytes", V6[:27]),
            ("6, of 29 bytes", V6 + b"\0"), ("of family 0", bytes(16)),
            ("of family 0, of 28 bytes", bytes(28)),
            ("of another family", b"\1" + bytes(15)),
            ("of 128 bytes", V6 + bytes(100)),
            ("of 4096 bytes", V4 + bytes(4080))):
        yield f"endpoint {name}, is ignored", \
            DEV + peers(peer(A, attr(P_ENDPOINT, value))), same

    def with_a(*ips, **options):
        return DEV + peers(peer(A, ips=list(ips), **options))

    yield "last allowed IP again", with_a(ip("fd00::", 64)), same
    yield "first allowed IP again, is last then", with_a(ip("10.0.0.0", 24)), \
        chain(cut("10.0.0.0/24"), put("fd00::/64", "10.0.0.0/24"))
    yield "allowed IP with host bits", with_a(ip("10.0.5.77", 24)), \
        put("fd00::/64", "10.0.5.0/24")
    yield "allowed IP of everything", with_a(ip("1.2.3.4", 0)), \
        put("fd00::/64", "0.0.0.0/0")
    yield "allowed IP 6 of everything", with_a(ip("ff::1", 0)), \
        put("fd00::/64", "::/0")
    yield "allowed IP taken from another peer", with_a(ip("10.0.1.0", 24)), \
        chain(cut("10.0.1.0/24"), put("fd00::/64", "10.0.1.0/24"))
    yield "allowed IPs replaced", \
        with_a(ip("10.3.0.0", 16), flags=P_REPLACE_IPS), \
        chain(cut("10.0.0.0/24"), cut("fd00::/64"),
              put(A.hex(), "10.3.0.0/16"))
    yield "allowed IPs replaced by none", DEV + peers(
        peer(A, flags=P_REPLACE_IPS)), \
        chain(cut("10.0.0.0/24"), cut("fd00::/64"))
    yield "allowed IP removed", with_a(ip("10.0.0.0", 24, I_REMOVE)), \
        cut("10.0.0.0/24")
    yield "allowed IP removed by host bits", \
        with_a(ip("10.0.0.99", 24, I_REMOVE)), cut("10.0.0.0/24")
    yield "allowed IP 6 removed", with_a(ip("fd00::", 64, I_REMOVE)), \
        cut("fd00::/64")
    yield "removal with another mask", with_a(ip("10.0.0.0", 25, I_REMOVE),
                                              ip("10.0.0.0", 23, I_REMOVE)), \
        same
    yield "removal of another peer's", with_a(ip("10.0.1.0", 24, I_REMOVE)), \
        same
    yield "added and removed at once", with_a(
        ip("10.7.0.0", 16), ip("10.7.0.0", 16, I_REMOVE)), same


class Suite:
    """What the cases need."""

    def __init__(self, stock, log):
        self.stock, self.log = stock, log
        self.ktap, self.nl = Ktap(), Netlink()
        self.loud = Netlink(capped=False)

    def record(self, name, answer):
        if self.log:
            print(name, answer.name, file=self.log)

    def raw(self):
        return self.nl.dump_raw("wg0")[2]

    def reject(self, name, wanted, attrs):
        """A request that must be refused as a whole, and say why."""
        self.nl.must_set(*BASE)
        before = self.raw()
        answer = self.nl.ask(CMD_SET, attrs)
        self.record(name, answer)
        after = self.raw()
        why = [f"errno {answer.name}, not {wanted}"]
        good = answer.name == wanted
        if not self.stock:
            good = good and before == after and bool(answer.text)
            why += [f"changed: {before != after}", f"said: {answer.text!r}"]
        self.ktap.result(good, f"rejected: {name}", *why)

    def accept(self, name, attrs, change):
        """A request that must be taken, with a given result."""
        self.nl.must_set(*BASE)
        want = change(self.nl.dump("wg0")[1].describe())
        answer = self.nl.ask(CMD_SET, attrs)
        self.record(name, answer)
        got = self.nl.dump("wg0")[1].describe()
        self.ktap.result(answer.errno == 0 and want == got, f"taken: {name}",
                         f"errno {answer.name}: {answer.text}",
                         *(f"missing {line}" for line in want
                           if line not in got),
                         *(f"surplus {line}" for line in got
                           if line not in want),
                         "" if sorted(want) != sorted(got) else "order")

    def expect(self, name, wanted, cmd, attrs, text=False, **options):
        """A request of which only the errno counts, and maybe the text."""
        answer = self.nl.ask(cmd, attrs, **options)
        self.record(name, answer)
        said = self.stock or not text or bool(answer.text)
        self.ktap.result(answer.name == wanted and said, name,
                         f"errno {answer.name}, not {wanted}",
                         f"said: {answer.text!r}")

    # --- groups of cases

    def gets(self):
        """Dumps, and requests for them with junk in."""
        dump = {"flags": NLM_F_DUMP | NLM_F_ACK}
        index = socket.if_nametoindex("wg0")
        self.nl.must_set(*BASE)
        for name, wanted, attrs in (
                ("dump by name", "0", DEV),
                ("dump by index", "0", u32(D_IFINDEX, index)),
                ("dump of nothing", "EBADR", b""),
                ("dump by both", "EBADR", DEV + u32(D_IFINDEX, index)),
                ("dump of an unknown name", "ENODEV", ifname("wg9")),
                ("dump of an unknown index", "ENODEV", u32(D_IFINDEX, 9999)),
                ("dump of lo", "EOPNOTSUPP", ifname("lo")),
                ("dump with a name too long", "EINVAL",
                 attr(D_IFNAME, bytes(range(65, 85)) + b"\0")),
                ("dump with an index of 2 bytes", "EINVAL",
                 attr(D_IFINDEX, b"\1\0")),
                ("dump with a private key", "EINVAL",
                 DEV + attr(D_PRIVATE_KEY, bytes(32))),
                ("dump with peers", "EINVAL", DEV + peers(peer(A))),
                ("dump with an unknown attribute", "EINVAL",
                 DEV + u32(99, 0)),
                ("dump with bytes behind", "EINVAL", DEV + b"\0\0\0"),
                ("dump with a cut attribute", "EINVAL",
                 DEV + attr(D_IFINDEX, bytes(4), length=64))):
            self.expect(name, wanted, CMD_GET, attrs, text=wanted != "0",
                        **dump)
        self.expect("get without dump", "EOPNOTSUPP", CMD_GET, DEV)
        self.expect("set with dump", "EOPNOTSUPP", CMD_SET, DEV, **dump)
        self.expect("unknown command", "EOPNOTSUPP", 2, DEV)
        self.expect("unknown command, as dump", "EOPNOTSUPP", 2, DEV, **dump)
        self.expect("reserved bytes in use", "EINVAL", CMD_SET, DEV,
                    reserved=1)
        self.expect("reserved bytes in use, as dump", "EINVAL", CMD_GET, DEV,
                    reserved=0x100, **dump)
        self.expect("another version", "0", CMD_SET, DEV, version=7)
        self.expect("no header of the family", "EINVAL", CMD_SET, DEV, cut=0)
        self.expect("half a header of the family", "EINVAL", CMD_SET, DEV,
                    cut=3)
        self.expect("no attributes at all", "EBADR", CMD_SET, DEV, cut=4)

    def wiping(self):
        """A refused request is sent back: without the keys that were in it."""
        secret, psk = key(31), key(32)
        bad = DEV + attr(D_PRIVATE_KEY, key(33)) + \
            attr(D_PRIVATE_KEY, secret) + peers(
                peer(A, attr(P_PRESHARED_KEY, psk),
                     attr(P_PRESHARED_KEY, psk)),
                peer(B, u32(P_VERSION, 9)), peer(C, attr(P_PRESHARED_KEY, psk)))
        for name, attrs in (("peer", bad),
                            ("device", bad.replace(DEV, ifname("wg9")))):
            self.nl.must_set(*BASE)
            answer = self.loud.ask(CMD_SET, attrs)
            self.record(f"keys, {name}", answer)
            left = [part for part in (secret, psk, key(33))
                    if part in answer.echo]
            whole = A in answer.echo and C in answer.echo
            self.ktap.result(whole and (self.stock or not left),
                             f"keys are wiped, bad {name}",
                             f"whole {whole}, {len(left)} keys left")

    def half_done(self):
        """What fails while it is being done stops there."""
        busy = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        busy.bind(("", 20055))
        self.nl.must_set(*BASE)
        run("ip", "link", "set", "wg0", "up")
        before = self.nl.dump("wg0")[1].describe()
        request = DEV + u32(D_FWMARK, 8) + u16(D_LISTEN_PORT, 20055) + \
            u32(D_FLAGS, D_REPLACE_PEERS) + peers(GOOD)
        answer = self.nl.ask(CMD_SET, request)
        self.record("port in use", answer)
        after = self.nl.dump("wg0")[1].describe()
        want = [line.replace("7 07000000", "7 08000000") for line in before]
        said = self.stock or bool(answer.text)
        self.ktap.result(answer.name == "EADDRINUSE" and after == want and said,
                         "port in use: mark set, nothing else",
                         f"errno {answer.name}: {answer.text}", *after)
        self.ktap.result(self.listens(20001), "the old port is still open")
        busy.close()
        answer = self.nl.set(DEV, u16(D_LISTEN_PORT, 20055))
        self.ktap.result(answer.errno == 0 and self.listens(20055) and
                         not self.listens(20001), "a port that is free")
        answer = self.nl.set(DEV, u16(D_LISTEN_PORT, 0))
        port = struct.unpack(
            "=H", self.nl.dump("wg0")[1].attrs[D_LISTEN_PORT])[0]
        self.ktap.result(answer.errno == 0 and port not in (0, 20055) and
                         self.listens(port), "a port of the kernel's choice",
                         f"port {port}")
        run("ip", "link", "set", "wg0", "down")
        answer = self.nl.set(DEV, u16(D_LISTEN_PORT, 0))
        port = struct.unpack(
            "=H", self.nl.dump("wg0")[1].attrs[D_LISTEN_PORT])[0]
        self.ktap.result(answer.errno == 0 and port == 0,
                         "a device that is down remembers port 0")

    @staticmethod
    def listens(port):
        """Is there a UDP socket on the port, in both families?"""
        for path in ("/proc/net/udp", "/proc/net/udp6"):
            with open(path, encoding="ascii") as file:
                if not any(line.split()[1].endswith(f":{port:04X}")
                           for line in list(file)[1:]):
                    return False
        return True

    def renamed(self):
        """Names and indices are looked up anew each time."""
        self.nl.must_set(*BASE)
        index = socket.if_nametoindex("wg0")
        run("ip", "link", "set", "wg0", "name", "other7")
        self.expect("set by an old name", "ENODEV", CMD_SET, DEV)
        self.expect("set by a new name", "0", CMD_SET, ifname("other7"))
        self.expect("set by index", "0", CMD_SET, u32(D_IFINDEX, index))
        run("ip", "link", "set", "other7", "name", "wg0")

    def in_child(self, name, work, *prepare):
        """Run work() in a process of its own; prepare get its pid.

        work yields once, to have the preparations done, and then returns the
        answer's errno name. None: could not be tried.
        """
        to_parent, to_child = os.pipe(), os.pipe()
        pid = os.fork()
        if not pid:
            text = "crash"
            try:
                os.close(to_parent[0])
                os.close(to_child[1])
                steps = work()
                next(steps)
                os.write(to_parent[1], b"?")
                if os.read(to_child[0], 1):
                    text = next(steps)
            except OSError as problem:
                text = f"skip {problem.strerror}"
            finally:
                os.write(to_parent[1], text.encode())
                os._exit(0)
        os.close(to_parent[1])
        os.close(to_child[0])
        try:
            if os.read(to_parent[0], 1) == b"?":
                for one in prepare:
                    one(pid)
                os.write(to_child[1], b"!")
            text = os.read(to_parent[0], 4096).decode()
        finally:
            os.close(to_parent[0])
            os.close(to_child[1])
            os.waitpid(pid, 0)
        if text.startswith(("skip", "kip")):
            self.ktap.skip(name, text.partition(" ")[2])
            return None
        return text

    def privileges(self):
        """Who may do what."""
        self.nl.must_set(*BASE)
        before = self.raw()

        def nobody():
            """Same namespaces, no capabilities."""
            os.setgid(65534)
            os.setuid(65534)
            nl = Netlink()
            yield
            yield " ".join((nl.set(DEV, u32(D_FWMARK, 3)).name,
                            nl.ask(CMD_GET, DEV, flags=NLM_F_DUMP).name))

        text = self.in_child("an ordinary user", nobody)
        self.ktap.result(text == "EPERM EPERM" and self.raw() == before,
                         "an ordinary user may neither set nor get", text)

        def container():
            """Root of a user namespace, but not where wg1 was created."""
            unshare(CLONE_NEWUSER | CLONE_NEWNET)
            yield
            nl = Netlink()
            name = ifname("wg1")
            good = name + peers(GOOD)
            yield " ".join((
                nl.ask(CMD_SET, good).name,
                nl.ask(CMD_SET, name + u32(D_FWMARK, 3) + peers(
                    peer(A))).name,
                nl.ask(CMD_SET, name + u16(D_LISTEN_PORT, 3) + peers(
                    peer(A, ips=[BAD_IP]))).name,
                str(len(nl.dump("wg1")[1].peers)),
                str(int.from_bytes(nl.dump("wg1")[1].attrs[D_FWMARK],
                                   sys.byteorder)),
                nl.ask(CMD_GET, DEV, flags=NLM_F_DUMP).name))

        def give(pid):
            run("ip", "link", "add", "wg1", "type", "wireguard")
            run("ip", "link", "set", "wg1", "netns", str(pid))

        name = "a container may set peers, not what concerns the sockets"
        text = self.in_child(name, container, give)
        if text is not None:
            self.ktap.result(text == "0 EPERM EPERM 1 0 ENODEV", name, text)

    def gone_namespace(self):
        """The namespace of the sockets is gone: they are nobody's to set."""
        name = "sockets of a namespace that is gone cannot be set"
        holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c",
             "ip link add wg2 type wireguard && echo ready && exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            ready = holder.stdout.readline()
            run("nsenter", f"--net=/proc/{holder.pid}/ns/net", "ip", "link",
                "set", "wg2", "netns", str(os.getpid()))
        finally:
            holder.stdin.close()
            holder.wait()
        wg2 = ifname("wg2")
        # The kernel takes a namespace down in its own time.
        await_true(lambda: self.nl.set(wg2, u32(D_FWMARK, 3)).errno)
        answer = self.nl.set(wg2, u32(D_FWMARK, 3), peers(GOOD))
        self.record(name, answer)
        rest = self.nl.set(wg2, peers(GOOD))
        count = len(self.nl.dump("wg2")[1].peers)
        said = self.stock or bool(answer.text)
        self.ktap.result(ready and answer.name == "EPERM" and said and
                         not rest.errno and count == 1, name,
                         f"{answer.name}: {answer.text}; {rest.name}, "
                         f"{count} peers")
        run("ip", "link", "del", "wg2")


def main():
    """Run all."""
    parser = argparse.ArgumentParser(
        description=__doc__, usage=argparse.SUPPRESS,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=argparse.FileType("w"))
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stock", action="store_true", default=None)
    which.add_argument("--ours", dest="stock", action="store_false")
    options = parser.parse_args()
    enter_namespace()
    stock = is_stock() if options.stock is None else options.stock
    suite = Suite(stock, options.log)
    for name, code, attrs in rejected():
        suite.reject(name, code, attrs)
    for name, attrs, change in accepted():
        suite.accept(name, attrs, change)
    suite.gets()
    suite.wiping()
    suite.half_done()
    suite.renamed()
    suite.privileges()
    suite.gone_namespace()
    suite.ktap.finish()


if __name__ == "__main__":
    main()
