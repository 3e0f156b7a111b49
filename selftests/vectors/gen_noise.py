#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Known answers for the self-tests of the key exchange.

    gen_noise.py            compare with what stands in src/selftest; 1 if not the same
    gen_noise.py --write    put them there

An implementation of its own, from the WireGuard whitepaper, RFC 7748, RFC 8439,
draft-irtf-cfrg-xchacha-03, RFC 2104 and RFC 5869, on nothing but Python's
standard library. It is checked against the examples of those documents first.
Keys come from hashing their names, so that nobody has chosen them.
"""

import hashlib
import hmac
import pathlib
import struct
import sys

SELFTESTS = pathlib.Path(__file__).resolve().parents[2] / "src" / "selftest"
BEGIN = "/* From here to the end mark: made by selftests/vectors/gen_noise.py */\n"
END = "/* End mark of gen_noise.py */\n"


def blake2s(data, key=b"", size=32):
    return hashlib.blake2s(data, key=key, digest_size=size).digest()


def hkdf(chaining_key, data, count):
    secret = hmac.digest(chaining_key, data, hashlib.blake2s)
    keys, last = [], b""
    for number in range(1, count + 1):
        last = hmac.digest(secret, last + bytes([number]), hashlib.blake2s)
        keys.append(last)
    return keys


def x25519(scalar, point):
    p = 2**255 - 19
    k = int.from_bytes(scalar, "little") & ~7 & (2**254 - 1) | 2**254
    u = int.from_bytes(point, "little") & (2**255 - 1)
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap ^ bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % p, b * b % p, d * a % p, c * b % p
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % p, u * (da - cb) ** 2 % p
        x2, z2 = aa * bb % p, e * (aa + 121665 * e) % p
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, p - 2, p) % p).to_bytes(32, "little")


def chacha_rounds(key, tail):
    state = list(struct.unpack("<4I8I4I", b"expand 32-byte k" + key + tail))
    work = state[:]

    def mix(a, b, c, d):
        for x, y, z, turn in (a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7):
            work[x] = work[x] + work[y] & 0xFFFFFFFF
            work[z] ^= work[x]
            work[z] = (work[z] << turn | work[z] >> 32 - turn) & 0xFFFFFFFF

    for _ in range(10):
        for i in range(4):
            mix(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return state, work


def chacha20(key, nonce, block, data):
    out = b""
    for start in range(0, len(data), 64):
        tail = struct.pack("<I", block + start // 64) + nonce
        state, work = chacha_rounds(key, tail)
        stream = struct.pack("<16I", *((s + w) & 0xFFFFFFFF for s, w in zip(state, work)))
        out += bytes(d ^ s for d, s in zip(data[start:start + 64], stream))
    return out


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for start in range(0, len(data), 16):
        block = data[start:start + 16] + b"\1"
        total = (total + int.from_bytes(block, "little")) * r % (2**130 - 5)
    total += int.from_bytes(key[16:], "little")
    return (total & (2**128 - 1)).to_bytes(16, "little")


def aead(key, nonce, plain, extra):
    def padded(data):
        return data + bytes(-len(data) % 16)

    sealed = chacha20(key, nonce, 1, plain)
    mac_key = chacha20(key, nonce, 0, bytes(32))
    lengths = struct.pack("<QQ", len(extra), len(sealed))
    return sealed + poly1305(mac_key, padded(extra) + padded(sealed) + lengths)


def xaead(key, nonce, plain, extra):
    _, work = chacha_rounds(key, nonce[:16])
    subkey = struct.pack("<8I", *work[:4], *work[12:])
    return aead(subkey, bytes(4) + nonce[16:], plain, extra)


def check_primitives():
    text = (b"Ladies and Gentlemen of the class of '99: If I could offer you only one "
            b"tip for the future, sunscreen would be it.")
    extra = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    key = bytes(range(0x80, 0xA0))
    sealed = aead(key, bytes.fromhex("070000004041424344454647"), text, extra)
    assert sealed[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691"
    sealed = xaead(key, bytes(range(0x40, 0x58)), text, extra)
    assert sealed[-16:].hex() == "c0875924c1c7987947deafd8780acf49"
    shared = x25519(
        bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
        bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"))
    assert shared.hex() == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    assert blake2s(b"abc").hex() == (
        "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982")


def named(name, size=32):
    return blake2s(b"wireguard-inline self-test: " + name.encode(), size=size)


def public(private):
    return x25519(private, b"\x09" + bytes(31))


class Transcript:
    """H and C of section 5.4."""

    def __init__(self, responder):
        self.c = blake2s(b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s")
        self.h = blake2s(self.c + b"WireGuard v1 zx2c4 Jason@zx2c4.com")
        self.mix_hash(responder)
        self.k = None

    def mix_hash(self, data):
        self.h = blake2s(self.h + data)

    def ephemeral(self, key):
        self.mix_hash(key)
        self.c, = hkdf(self.c, key, 1)

    def dh(self, private, public_key):
        self.c, self.k = hkdf(self.c, x25519(private, public_key), 2)

    def psk(self, key):
        self.c, tau, self.k = hkdf(self.c, key, 3)
        self.mix_hash(tau)

    def seal(self, plain):
        sealed = aead(self.k, bytes(12), plain, self.h)
        self.mix_hash(sealed)
        return sealed


def with_macs(message, receiver, cookie=None):
    message += blake2s(message, blake2s(b"mac1----" + receiver), 16)
    return message + (blake2s(message, cookie, 16) if cookie else bytes(16))


def kdf_vectors():
    data, key = b"seven bytes too long for one block of BLAKE2s, which is 64 bytes wide", named("key")
    keys = hkdf(key, data, 3)
    return {
        "hash_empty": blake2s(b""),
        "hash_abc": blake2s(b"abc"),
        "kdf_key": key,
        "mac_long_key": blake2s(data, key, 16),
        "mac_short_key": blake2s(data, key[:16], 16),
        "kdf_1": keys[0],
        "kdf_2": keys[1],
        "kdf_3": keys[2],
        "kdf_of_nothing": hkdf(key, b"", 1)[0],
    }


def low_order_points():
    """Those of which every multiple by a private key is zero, in every spelling."""
    p = 2**255 - 19
    order_8 = 325606250916557431795983626356110631294008115727848805560023387167927233504
    other_8 = 39382357235489614581723060781553021112529911719440698176882885853963445705823
    points = [u.to_bytes(32, "little") for u in (0, 1, order_8, other_8, p - 1, p, p + 1)]
    assert not any(any(x25519(named(f"private key {n}"), point)) for n in range(3) for point in points)
    return points


def noise_vectors():
    initiator, responder = named("initiator"), named("responder")
    e_i, e_r = named("initiator's ephemeral"), named("responder's ephemeral")
    index_i, index_r = 0x01234567, 0x89ABCDEF
    psk = named("preshared key")
    timestamp = struct.pack(">QI", 2**62 + 10 + 1500000000, 7 << 24)
    s_i, s_r = public(initiator), public(responder)

    t = Transcript(s_r)
    t.ephemeral(public(e_i))
    t.dh(e_i, s_r)
    sealed_static = t.seal(s_i)
    t.dh(initiator, s_r)
    initiation = with_macs(struct.pack("<II", 1, index_i) + public(e_i) + sealed_static
                           + t.seal(timestamp), s_r)
    t.ephemeral(public(e_r))
    t.dh(e_r, public(e_i))
    t.dh(e_r, s_i)
    t.psk(psk)
    response = with_macs(struct.pack("<III", 2, index_r, index_i) + public(e_r)
                         + t.seal(b""), s_i)
    first, second = hkdf(t.c, b"", 2)
    return {
        "initiator_private": initiator,
        "initiator_public": s_i,
        "initiator_ephemeral": e_i,
        "responder_private": responder,
        "responder_public": s_r,
        "responder_ephemeral": e_r,
        "preshared_key": psk,
        "timestamp": timestamp,
        "initiation": initiation,
        "response": response,
        "first_key": first,
        "second_key": second,
        "low_order": low_order_points(),
    }


def cookie_vectors():
    receiver = public(named("receiver"))
    secret, nonce = named("cookie secret"), named("cookie nonce")[:24]
    source4, source6 = bytes([192, 0, 2, 77]), bytes.fromhex("20010db8000100020003000400050006")
    port = struct.pack(">H", 51820)
    cookie4 = blake2s(source4 + port, secret, 16)
    cookie6 = blake2s(source6 + port, secret, 16)
    body = bytes(range(60))
    plain = with_macs(body, receiver)
    mac1 = plain[60:76]
    index = 0x31415926
    reply = struct.pack("<II", 3, index) + nonce + xaead(
        blake2s(b"cookie--" + receiver), nonce, cookie4, mac1)
    return {
        "receiver_public": receiver,
        "cookie_secret": secret,
        "cookie_v4": cookie4,
        "cookie_v6": cookie6,
        "message_without_cookie": plain,
        "message_with_cookie": with_macs(body, receiver, cookie4),
        "cookie_reply": reply,
    }


def rows(value, width):
    for start in range(0, len(value), width):
        yield " ".join(f"0x{byte:02x}," for byte in value[start:start + width])


def c_source(vectors):
    out = BEGIN
    for name, value in vectors.items():
        if isinstance(value, bytes):
            out += f"static const u8 {name}[{len(value)}] __initconst = {{\n"
            out += "".join(f"\t{row}\n" for row in rows(value, 12))
        else:
            out += f"static const u8 {name}[{len(value)}][{len(value[0])}] __initconst = {{\n"
            for item in value:
                out += "\t{\n" + "".join(f"\t\t{row}\n" for row in rows(item, 8)) + "\t},\n"
        out += "};\n\n"
    return out + END


def main():
    check_primitives()
    write = sys.argv[1:] == ["--write"]
    stale = False
    for name, vectors in ("kdf", kdf_vectors()), ("noise", noise_vectors()), ("cookie", cookie_vectors()):
        path = SELFTESTS / f"{name}.c"
        text = path.read_text()
        before, rest = text.split(BEGIN)
        after = rest.split(END)[1]
        fresh = before + c_source(vectors) + after
        if fresh != text:
            stale = True
            print(f"{path.name}: {'written' if write else 'differs'}")
            if write:
                path.write_text(fresh)
    return 1 if stale and not write else 0


if __name__ == "__main__":
    sys.exit(main())
