#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Random configuration requests, the same ones for every module and kernel.

usage: fuzz.py [--seed N] [--count N] [--log FILE] [--stock | --ours]
       fuzz.py --compare FILE FILE

Runs in a network namespace of its own, on the WireGuard module that is loaded.
Requests are made from a seed: mostly sensible ones about few keys and addresses,
so that they meet each other; some with one thing wrong; some with bytes
overwritten. A request that is refused must change nothing; that is not asked of
the kernel's own module (--stock, and the default where version 1.0.0 is loaded).

  --seed N    (default 1)
  --count N   requests to send (default 2000)
  --log FILE  write what came of each: its errno and, for one that was taken, a
              hash of the configuration then
  --compare   two such logs must be equal, but for requests that an apply-time
              failure stopped (EADDRINUSE, ENOMEM, ENOBUFS)

Prints KTAP. Exit code 0: passed; 1: failed; 2: usage; 4: could not run.
"""
import argparse
import hashlib
import random
import struct

from wgnl import *  # pylint: disable=wildcard-import,unused-wildcard-import

DEV = ifname("wg0")
PORTS = range(20001, 20009)
KEYS = [key(number) for number in range(1, 25)]
PRIVATE = [key(number) for number in range(101, 105)] + [bytes(32)]
APPLYING = ("EADDRINUSE", "ENOMEM", "ENOBUFS")


class Maker:
    """Makes requests from a seed."""

    def __init__(self, seed, public):
        self.random = random.Random(seed)
        self.keys = KEYS + public
        self.wrong = 0      # how many things may still go wrong

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def slip(self):
        """Now and then, while anything may go wrong, the answer is yes."""
        if self.wrong and self.chance(8):
            self.wrong -= 1
            return True
        return False

    def bits(self, *choices):
        """Flags; sometimes with an unknown one."""
        value = 0
        for bit, percent in choices:
            value |= bit * self.chance(percent)
        return value | (1 << self.random.randrange(3, 32)
                        if self.slip() else 0)

    def sized(self, kind, value):
        """An attribute; sometimes shorter or longer than it should be."""
        if self.slip():
            size = self.random.choice((0, 1, len(value) - 1, len(value) + 1,
                                       len(value) + 4))
            value = (value + bytes(8))[:max(size, 0)]
        return attr(kind, value)

    def shuffled(self, kind, parts):
        """A nest; sometimes one part is gone, double, unknown or not marked."""
        self.random.shuffle(parts)
        if self.slip():
            what = self.random.randrange(5)
            if what == 0 and parts:
                parts.pop()
            elif what == 1 and parts:
                parts.append(parts[0])
            elif what == 2:
                parts.append(u32(self.random.choice((0, 11, 40, 9000)), 1))
            elif what == 3:
                parts.append(bytes(self.random.randrange(1, 4)))
            else:
                return attr(kind, b"".join(parts))
        return nest(kind, *parts)

    def allowed_ip(self):
        v6 = self.chance(40)
        size, limit = (16, 128) if v6 else (4, 32)
        address = bytes([0xfd if v6 else 10]) + bytes(size - 2) + \
            bytes([self.random.randrange(256)])
        if self.chance(30):
            address = address[:1] + bytes([self.random.randrange(4)]) + \
                address[2:]
        cidr = self.random.choice((0, 7, 8, 15, 16, limit - 8, limit - 1,
                                   limit, limit))
        if self.slip():
            cidr = self.random.randrange(limit + 1, 256)
        family = AF_INET6 if v6 != self.slip() else AF_INET
        parts = [self.sized(I_FAMILY, struct.pack("=H", family)),
                 self.sized(I_ADDR, address),
                 self.sized(I_CIDR, bytes([cidr]))]
        if self.chance(30):
            parts.append(self.sized(I_FLAGS, struct.pack(
                "=I", self.bits((I_REMOVE, 70)))))
        return self.shuffled(0, parts)

    def endpoint(self):
        port = self.random.randrange(65536)
        if self.chance(50):
            value = sockaddr4(f"192.0.2.{self.random.randrange(8)}", port)
        else:
            value = sockaddr6(f"2001:db8::{self.random.randrange(8)}", port)
        if self.chance(10):
            value += bytes(self.random.choice((1, 4, 12, 100)))
        if self.chance(5):
            value = bytes([self.random.randrange(12)]) + value[1:]
        return self.sized(P_ENDPOINT, value)

    def one_peer(self):
        parts = [self.sized(P_PUBLIC_KEY, self.random.choice(self.keys))]
        if self.chance(40):
            parts.append(self.sized(P_FLAGS, struct.pack("=I", self.bits(
                (P_REMOVE, 25), (P_REPLACE_IPS, 30), (P_UPDATE_ONLY, 40)))))
        if self.chance(30):
            parts.append(self.sized(P_PRESHARED_KEY,
                                    self.random.choice(PRIVATE)))
        if self.chance(30):
            parts.append(self.endpoint())
        if self.chance(20):
            parts.append(self.sized(P_KEEPALIVE, struct.pack(
                "=H", self.random.choice((0, 25, 600, 65535)))))
        if self.chance(10):
            parts.append(self.sized(P_VERSION, struct.pack(
                "=I", 2 if self.slip() else 1)))
        if self.chance(70):
            parts.append(self.shuffled(
                P_ALLOWEDIPS, [self.allowed_ip() for _ in
                               range(self.random.randrange(7))]))
        return self.shuffled(0, parts)

    def request(self):
        """Attributes of one request."""
        self.wrong = self.random.choice((0, 0, 1, 1, 2))
        parts = [DEV]
        if self.chance(10):
            parts.append(self.sized(D_FLAGS, struct.pack(
                "=I", self.bits((D_REPLACE_PEERS, 50)))))
        if self.chance(10):
            parts.append(self.sized(D_PRIVATE_KEY,
                                    self.random.choice(PRIVATE)))
        if self.chance(10):
            parts.append(self.sized(D_LISTEN_PORT, struct.pack(
                "=H", self.random.choice(PORTS))))
        if self.chance(10):
            parts.append(self.sized(D_FWMARK, struct.pack(
                "=I", self.random.randrange(3))))
        if self.chance(90):
            parts.append(self.shuffled(
                D_PEERS, [self.one_peer() for _ in
                          range(self.random.choice((0, 1, 1, 2, 3, 6)))]))
        self.random.shuffle(parts)
        data = bytearray(b"".join(parts))
        if self.chance(8):
            for _ in range(self.random.choice((1, 1, 2, 5))):
                data[self.random.randrange(len(data))] = \
                    self.random.choice((0, 1, 2, 4, 128, 255,
                                        self.random.randrange(256)))
        if self.chance(2):
            del data[self.random.randrange(len(data)):]
        return bytes(data)


def base(nl):
    """Where every run begins, and begins again after a refusal by stock."""
    nl.must_set(DEV, u32(D_FLAGS, D_REPLACE_PEERS), u32(D_FWMARK, 0),
                attr(D_PRIVATE_KEY, PRIVATE[0]), u16(D_LISTEN_PORT, PORTS[0]),
                peers(*(peer(KEYS[at], ips=[ip(f"10.{at}.0.0", 16)])
                        for at in range(4))))


def describe(nl):
    """The configuration; a port of the kernel's choice is like another."""
    return nl.dump("wg0")[1].describe(PORTS)


def public_keys(nl):
    """What the private keys belong to."""
    found = []
    for private in PRIVATE[:-1]:
        nl.must_set(DEV, attr(D_PRIVATE_KEY, private))
        found.append(nl.dump("wg0")[1].attrs[D_PUBLIC_KEY])
    return found


def fuzz(options):
    """Send them all; write the log."""
    enter_namespace()
    stock = is_stock() if options.stock is None else options.stock
    ktap, nl = Ktap(), Netlink()
    maker = Maker(options.seed, public_keys(nl))
    base(nl)
    run("ip", "link", "set", "wg0", "up")
    taken, refused, changed, mute = 0, 0, [], []
    for number in range(options.count):
        request = maker.request()
        before = describe(nl)
        answer = nl.ask(CMD_SET, request)
        line = f"{number} {answer.name}"
        if answer.errno:
            refused += 1
            if answer.name not in APPLYING:
                if describe(nl) != before:
                    changed.append(line)
                if not answer.text:
                    mute.append(line)
            # Stock may have done half of it: go on from a common ground.
            base(nl)
        else:
            taken += 1
            text = "\n".join(describe(nl))
            line += " " + hashlib.sha256(text.encode()).hexdigest()[:16]
        if options.log:
            print(line, file=options.log)
    ktap.result(taken > options.count // 5 and refused > options.count // 20,
                f"seed {options.seed}: {options.count} requests answered",
                f"{taken} taken, {refused} refused")
    if stock:
        ktap.skip("refused requests change nothing", "stock is not asked to")
        ktap.skip("refusals give a reason", "stock is not asked to")
    else:
        ktap.result(not changed, "refused requests change nothing",
                    *changed[:20])
        ktap.result(not mute, "refusals give a reason", *mute[:20])
    ktap.finish()


def compare(first, second):
    """Are two logs equal?"""
    ktap = Ktap()
    with open(first, encoding="ascii") as one, \
            open(second, encoding="ascii") as two:
        left, right = one.read().splitlines(), two.read().splitlines()
    differ = [f"{a}   |   {b}" for a, b in zip(left, right) if a != b and
              not (a.split()[1] in APPLYING or b.split()[1] in APPLYING)]
    ktap.result(left and len(left) == len(right), "logs of the same length",
                f"{len(left)} and {len(right)} lines")
    ktap.result(not differ, "the same came of every request", *differ[:20],
                f"{len(differ)} of {len(left)} lines")
    ktap.finish()


def main():
    """Fuzz, or compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, usage=argparse.SUPPRESS,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--log", type=argparse.FileType("w"))
    parser.add_argument("--compare", nargs=2, metavar="FILE")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stock", action="store_true", default=None)
    which.add_argument("--ours", dest="stock", action="store_false")
    options = parser.parse_args()
    if options.compare:
        compare(*options.compare)
    fuzz(options)


if __name__ == "__main__":
    main()
