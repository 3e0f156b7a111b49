# SPDX-License-Identifier: GPL-2.0
"""What requests.py asks for: what must be refused, and what must not."""
import struct

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
    yield "bad IP of an update, others of nobody before", "EINVAL", \
        DEV + peers(*nobodies(), peer(B, flags=P_UPDATE_ONLY, ips=[BAD_IP]))
    yield "bad IP of an update of what others were added with", "EINVAL", \
        DEV + peers(*nobodies(400), *[peer(k) for k in keys(400)],
                    peer(keys(400)[7], flags=P_UPDATE_ONLY, ips=[BAD_IP]))
    yield "bad IP of what was our own key", "EINVAL", \
        DEV + attr(D_PRIVATE_KEY, OTHER_PRIVATE) + \
        peers(peer(own_public(), ips=[BAD_IP]))
    yield "bad IP of what was our own key, the key taken away", "EINVAL", \
        DEV + attr(D_PRIVATE_KEY, bytes(32)) + \
        peers(peer(own_public(), ips=[BAD_IP]))


def keys(count):
    """Public keys that nobody has"""
    return [struct.pack("<I", n + 1) * 8 for n in range(count)]


def nobodies(count=700):
    """Entries that are passed over, whatever allowed IPs they have"""
    return [peer(k, flags=P_UPDATE_ONLY, ips=[BAD_IP]) for k in keys(count)]


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
    yield "updates with bad allowed IPs of many that are not there", \
        DEV + peers(*nobodies()), same
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
