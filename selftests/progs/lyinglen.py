#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""lyinglen.py FROM TO PORT: bursts of data messages of one session, valid but for
the length in their UDP headers, which is more or less than what there is."""
import os
import socket
import struct
import sys

BURSTS, SIZE = 20, 1200
LIES = (0, 0, 500, 0, -500, 0, -SIZE, 3000, 0)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF or 0xFFFF


def datagram(source, target, port, number, lie):
    """What GRO holds to be right: it goes by the packet's own length."""
    size = 8 + SIZE
    message = struct.pack("<IIQ", 4, 0x12345678, number) + bytes(SIZE - 16)
    head = struct.pack("!HHH", 5101, port, size + lie)
    pseudo = source + target + struct.pack("!HH", 17, size)
    return head + struct.pack("!H", checksum(
        pseudo + head + b"\0\0" + message)) + message


def main(source, target, port):
    addresses = [socket.inet_aton(a) for a in (source, target)]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW,
                       socket.IPPROTO_RAW) as s:
        for number in range(BURSTS * len(LIES)):
            udp = datagram(*addresses, port, number,
                           LIES[number % len(LIES)])
            head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp),
                               number + 1, 0x4000, 64, 17, 0)
            s.sendto(head + b"".join(addresses) + udp, (target, 0))
    print(f"# {BURSTS * len(LIES)} datagrams, not all of them as long as they say")


if __name__ == "__main__":
    if len(sys.argv) != 4 or os.geteuid():
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
