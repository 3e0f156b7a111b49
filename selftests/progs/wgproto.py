# SPDX-License-Identifier: GPL-2.0
"""A WireGuard peer's protocol in plain Python: both roles, cookies, data.

Written from the whitepaper (sections 5.4 and 6), RFC 7748 (X25519), RFC 8439
(ChaCha20-Poly1305), draft-irtf-cfrg-xchacha-03 and RFC 5869 (HKDF), to speak
to a kernel from outside and to lie to it in every way a peer can.  It needs
nothing but the standard library, is not constant time, and must never guard
anything real.  Run as a program it checks itself against published vectors.
"""
import hashlib
import os
import struct
import time

INITIATION, RESPONSE, COOKIE, DATA = 1, 2, 3, 4
SIZE = {INITIATION: 148, RESPONSE: 92, COOKIE: 64}
CONSTRUCTION = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
IDENTIFIER = b"WireGuard v1 zx2c4 Jason@zx2c4.com"
WINDOW = 8128
REJECT_AFTER_MESSAGES = 2**64 - 1 - WINDOW - 1

P = 2**255 - 19
BASE = (9).to_bytes(32, "little")


class Refused(Exception):
    """A message did not authenticate, or is not what it should be."""


def x25519(scalar, point):
    """RFC 7748 section 5, the Montgomery ladder."""
    k = int.from_bytes(scalar, "little") & ~7 & ~(1 << 255) | 1 << 254
    u = int.from_bytes(point, "little") & ((1 << 255) - 1)
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb = d * a % P, c * b % P
        aa, bb = a * a % P, b * b % P
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        e = aa - bb
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def public_key(private):
    return x25519(private, BASE)


def shared(private, public):
    """X25519 that refuses the all-zero result of a low-order point."""
    secret = x25519(private, public)
    if not any(secret):
        raise Refused("low-order point")
    return secret


_M = 0xFFFFFFFF
_QUARTERS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
             (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
_SIGMA = struct.unpack("<4I", b"expand 32-byte k")


def _rounds(state):
    x = list(state)
    for _ in range(10):
        for a, b, c, d in _QUARTERS:
            xa, xb, xc, xd = x[a], x[b], x[c], x[d]
            xa = xa + xb & _M
            xd ^= xa
            xd = (xd << 16 | xd >> 16) & _M
            xc = xc + xd & _M
            xb ^= xc
            xb = (xb << 12 | xb >> 20) & _M
            xa = xa + xb & _M
            xd ^= xa
            xd = (xd << 8 | xd >> 24) & _M
            xc = xc + xd & _M
            xb ^= xc
            xb = (xb << 7 | xb >> 25) & _M
            x[a], x[b], x[c], x[d] = xa, xb, xc, xd
    return x


def _keystream(key, nonce, block, length):
    head = _SIGMA + struct.unpack("<8I", key)
    tail = struct.unpack("<3I", nonce)
    out = []
    for n in range(block, block + (length + 63) // 64):
        state = head + (n,) + tail
        x = _rounds(state)
        out.append(struct.pack("<16I", *(i + j & _M
                                         for i, j in zip(state, x))))
    return b"".join(out)[:length]


def _xor(data, stream):
    n = len(data)
    return (int.from_bytes(data, "little") ^
            int.from_bytes(stream, "little")).to_bytes(n, "little")


def _poly1305(key, parts):
    r = int.from_bytes(key[:16], "little") & 0x0ffffffc0ffffffc0ffffffc0fffffff
    acc = 0
    for part in parts:
        for i in range(0, len(part), 16):
            chunk = part[i:i + 16] + bytes(-len(part[i:i + 16]) % 16) + b"\1"
            acc = (acc + int.from_bytes(chunk, "little")) * r % (2**130 - 5)
    acc += int.from_bytes(key[16:], "little")
    return (acc & (1 << 128) - 1).to_bytes(16, "little")


def _tag(key, nonce, sealed, ad):
    lengths = struct.pack("<QQ", len(ad), len(sealed))
    return _poly1305(_keystream(key, nonce, 0, 32), (ad, sealed, lengths))


def seal_nonce(key, nonce, plain, ad=b""):
    sealed = _xor(plain, _keystream(key, nonce, 1, len(plain)))
    return sealed + _tag(key, nonce, sealed, ad)


def open_nonce(key, nonce, message, ad=b""):
    if len(message) < 16:
        raise Refused("no room for a tag")
    sealed, tag = message[:-16], message[-16:]
    if _tag(key, nonce, sealed, ad) != tag:
        raise Refused("bad tag")
    return _xor(sealed, _keystream(key, nonce, 1, len(sealed)))


def seal(key, counter, plain, ad=b""):
    return seal_nonce(key, struct.pack("<IQ", 0, counter), plain, ad)


def unseal(key, counter, message, ad=b""):
    return open_nonce(key, struct.pack("<IQ", 0, counter), message, ad)


def _xchacha(key, nonce):
    state = _SIGMA + struct.unpack("<8I", key) + struct.unpack(
        "<4I", nonce[:16])
    x = _rounds(state)
    return struct.pack("<8I", *x[:4], *x[12:]), bytes(4) + nonce[16:]


def xseal(key, nonce, plain, ad=b""):
    return seal_nonce(*_xchacha(key, nonce), plain, ad)


def xunseal(key, nonce, message, ad=b""):
    return open_nonce(*_xchacha(key, nonce), message, ad)


def hash_(*parts):
    return hashlib.blake2s(b"".join(parts)).digest()


def mac(key, data):
    return hashlib.blake2s(data, key=key, digest_size=16).digest()


def _hmac(key, data):
    key = key.ljust(64, b"\0")
    inner = hash_(bytes(b ^ 0x36 for b in key), data)
    return hash_(bytes(b ^ 0x5C for b in key), inner)


def kdf(count, key, data):
    """HKDF-BLAKE2s: COUNT outputs of 32 bytes, as a list."""
    prk, last, out = _hmac(key, data), b"", []
    for i in range(1, count + 1):
        last = _hmac(prk, last + bytes([i]))
        out.append(last)
    return out


_last_ns = 0


def tai64n(ns=None):
    """A TAI64N label; without an argument later than every one before."""
    global _last_ns
    if ns is None:
        ns = _last_ns = max(time.time_ns(), _last_ns + 1)
    return struct.pack(">QI", ns // 10**9 + 0x400000000000000A, ns % 10**9)


def random_index():
    return int.from_bytes(os.urandom(4), "little")


def add_macs(body, remote_public, cookie=None):
    """Finish a handshake message of which BODY is all but the two macs."""
    body += mac(hash_(b"mac1----", remote_public), body)
    return body + (mac(cookie, body) if cookie else bytes(16))


def mac1_of(message):
    return message[-32:-16]


def mac1_valid(message, own_public):
    want = mac(hash_(b"mac1----", own_public), message[:-32])
    return mac1_of(message) == want


def make_cookie_reply(own_public, message, cookie, nonce=None):
    """Answer MESSAGE as its receiver under load would."""
    nonce = nonce or os.urandom(24)
    sealed = xseal(hash_(b"cookie--", own_public), nonce, cookie,
                   mac1_of(message))
    return struct.pack("<I", COOKIE) + message[4:8] + nonce + sealed


def open_cookie_reply(reply, remote_public, message):
    """The cookie in REPLY, which must answer MESSAGE."""
    if len(reply) != 64 or reply[:4] != struct.pack("<I", COOKIE):
        raise Refused("not a cookie reply")
    if reply[4:8] != message[4:8]:
        raise Refused("cookie reply for another index")
    return xunseal(hash_(b"cookie--", remote_public), reply[8:32],
                   reply[32:], mac1_of(message))


class Session:
    """A keypair: seals and opens data messages with any counter asked for."""

    def __init__(self, local, remote, send_key, receive_key):
        self.local, self.remote = local, remote
        self.send_key, self.receive_key = send_key, receive_key
        self.counter = 0

    def seal(self, payload=b"", counter=None, pad=True):
        if counter is None:
            counter = self.counter
        self.counter = max(self.counter, counter + 1)
        if pad:
            payload += bytes(-len(payload) % 16)
        head = struct.pack("<IIQ", DATA, self.remote, counter)
        return head + seal(self.send_key, counter, payload)

    def open(self, message):
        """(counter, plaintext) of a data message from the other side."""
        kind, index, counter = struct.unpack("<IIQ", message[:16])
        if kind != DATA or index != self.local:
            raise Refused("not for this session")
        return counter, unseal(self.receive_key, counter, message[16:])


class _Noise:
    def __init__(self, responder_public):
        self.chain = hash_(CONSTRUCTION)
        self.hash = hash_(hash_(self.chain, IDENTIFIER), responder_public)

    def mix_hash(self, data):
        self.hash = hash_(self.hash, data)

    def mix_ephemeral(self, public):
        self.mix_hash(public)
        self.chain, = kdf(1, self.chain, public)

    def mix_key(self, secret):
        self.chain, key = kdf(2, self.chain, secret)
        return key

    def mix_dh(self, secret):
        self.chain, = kdf(1, self.chain, secret)

    def mix_psk(self, psk):
        self.chain, tau, key = kdf(3, self.chain, psk or bytes(32))
        self.mix_hash(tau)
        return key

    def seal(self, key, plain):
        out = seal(key, 0, plain, self.hash)
        self.mix_hash(out)
        return out

    def open(self, key, message):
        plain = unseal(key, 0, message, self.hash)
        self.mix_hash(message)
        return plain


class Initiation:
    """The initiator's half of one handshake; .packet is the first message."""

    def __init__(self, private, remote_public, timestamp=None, cookie=None,
                 index=None, ephemeral=None):
        self.private, self.remote_public = private, remote_public
        self.index = random_index() if index is None else index
        self.ephemeral = ephemeral or os.urandom(32)
        noise = self.noise = _Noise(remote_public)
        own = public_key(self.ephemeral)
        noise.mix_ephemeral(own)
        key = noise.mix_key(shared(self.ephemeral, remote_public))
        static = noise.seal(key, public_key(private))
        key = noise.mix_key(shared(private, remote_public))
        stamp = noise.seal(key, timestamp or tai64n())
        self.body = struct.pack("<II", INITIATION, self.index) + own
        self.body += static + stamp
        self.packet = add_macs(self.body, remote_public, cookie)

    def with_cookie(self, cookie):
        """The same message again, with mac2."""
        self.packet = add_macs(self.body, self.remote_public, cookie)
        return self.packet

    def finish(self, response, psk=None):
        if len(response) != 92:
            raise Refused("not a response")
        kind, remote, index = struct.unpack("<III", response[:12])
        if kind != RESPONSE or index != self.index:
            raise Refused("not a response to this initiation")
        if not mac1_valid(response, public_key(self.private)):
            raise Refused("response with a wrong mac1")
        noise = self.noise
        theirs = response[12:44]
        noise.mix_ephemeral(theirs)
        noise.mix_dh(shared(self.ephemeral, theirs))
        noise.mix_dh(shared(self.private, theirs))
        noise.open(noise.mix_psk(psk), response[44:60])
        send, receive = kdf(2, noise.chain, b"")
        return Session(self.index, remote, send, receive)


class Responder:
    """The responder's half, made from an initiation that it received."""

    def __init__(self, private, message):
        own = public_key(private)
        if len(message) != 148 or message[:4] != struct.pack("<I", INITIATION):
            raise Refused("not an initiation")
        if not mac1_valid(message, own):
            raise Refused("initiation with a wrong mac1")
        noise = self.noise = _Noise(own)
        self.message, self.private = message, private
        self.remote, = struct.unpack("<I", message[4:8])
        self.ephemeral = message[8:40]
        noise.mix_ephemeral(self.ephemeral)
        key = noise.mix_key(shared(private, self.ephemeral))
        self.static = noise.open(key, message[40:88])
        key = noise.mix_key(shared(private, self.static))
        self.timestamp = noise.open(key, message[88:116])

    def respond(self, psk=None, index=None, cookie=None, ephemeral=None):
        """(response, session); may be called once."""
        index = random_index() if index is None else index
        ephemeral = ephemeral or os.urandom(32)
        noise, own = self.noise, public_key(ephemeral)
        noise.mix_ephemeral(own)
        noise.mix_dh(shared(ephemeral, self.ephemeral))
        noise.mix_dh(shared(ephemeral, self.static))
        empty = noise.seal(noise.mix_psk(psk), b"")
        self.body = struct.pack("<III", RESPONSE, index, self.remote)
        self.body += own + empty
        receive, send = kdf(2, noise.chain, b"")
        packet = add_macs(self.body, self.static, cookie)
        return packet, Session(index, self.remote, send, receive)


def selfcheck():
    """Known answers of the primitives, then a handshake with ourselves."""
    unhex = bytes.fromhex
    k = unhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
    u = unhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
    want = "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    assert x25519(k, u).hex() == want, "X25519, RFC 7748 section 5.2"
    text = (b"Ladies and Gentlemen of the class of '99: If I could offer you "
            b"only one tip for the future, sunscreen would be it.")
    key, ad = bytes(range(0x80, 0xA0)), unhex("50515253c0c1c2c3c4c5c6c7")
    box = seal_nonce(key, unhex("070000004041424344454647"), text, ad)
    assert box[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691", "RFC 8439"
    assert open_nonce(key, unhex("070000004041424344454647"), box, ad) == text
    box = xseal(key, bytes(range(0x40, 0x58)), text, ad)
    assert box[-16:].hex() == "c0875924c1c7987947deafd8780acf49", "XChaCha"
    a, b, psk = os.urandom(32), os.urandom(32), os.urandom(32)
    initiation = Initiation(a, public_key(b))
    responder = Responder(b, initiation.packet)
    assert responder.static == public_key(a)
    packet, theirs = responder.respond(psk)
    ours = initiation.finish(packet, psk)
    assert theirs.open(ours.seal(b"ping")) == (0, b"ping" + bytes(12))
    assert ours.open(theirs.seal(b"pong")) == (0, b"pong" + bytes(12))
    reply = make_cookie_reply(public_key(b), initiation.packet, bytes(16))
    assert open_cookie_reply(reply, public_key(b),
                             initiation.packet) == bytes(16)


if __name__ == "__main__":
    selfcheck()
    print("ok wgproto")
