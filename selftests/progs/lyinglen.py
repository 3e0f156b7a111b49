#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""lyinglen.py FROM TO PORT: bursts of data messages of one session, valid but for
the length in their UDP headers, which is more or less than what there is."""
import os
import socket
import struct
import sys

BURSTS = 20
# What there is, and what the header says: begun by a short one that says it is
# long, as what comes behind is; by a long one that says it is short; and neither.
SIZES = ((600, 1200), (1200, 1200), (1200, 1200), (1200, 600), (600, 600),
         (1200, 1200), (1200, 1700), (1200, 0), (1200, 4200), (1200, 1200))


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF or 0xFFFF


def datagram(source, target, port, number):
    """Its checksum is what GRO holds to be right, by the packet's own length."""
    size, says = SIZES[number % len(SIZES)]
    message = struct.pack("<IIQ", 4, 0x12345678, number) + bytes(size - 16)
    head = struct.pack("!HHH", 5101, port, 8 + says)
    pseudo = source + target + struct.pack("!HH", 17, 8 + size)
    return head + struct.pack("!H", checksum(
        pseudo + head + b"\0\0" + message)) + message


def main(source, target, port):
    addresses = [socket.inet_aton(a) for a in (source, target)]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW,
                       socket.IPPROTO_RAW) as s:
        for number in range(BURSTS * len(SIZES)):
            udp = datagram(*addresses, port, number)
            head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp),
                               number + 1, 0x4000, 64, 17, 0)
            s.sendto(head + b"".join(addresses) + udp, (target, 0))
    print(f"# {BURSTS * len(SIZES)} datagrams, not all of them as long as they say")


if __name__ == "__main__":
    if len(sys.argv) != 4 or os.geteuid():
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
