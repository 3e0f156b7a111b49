#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""tosburst.py send|receive ADDRESS: numbered UDP packets, each with a mark (DS
field) that follows from its number; the receiver checks order and marks."""
import socket
import struct
import sys

SO_RCVBUFFORCE = 33
# No more at once than the ring of a veth holds (256).
PORT, COUNT, MARKS = 6001, 200, (0x00, 0x02, 0x02, 0x88, 0x01, 0x01, 0x01)


def mark(number):
    return MARKS[number % len(MARKS)]


def send(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for number in range(COUNT):
            s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, mark(number))
            s.sendto(struct.pack("!I", number) + bytes(700), (address, PORT))


def tos_of(ancillary):
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, socket.IP_TOS):
            return data[0]
    return None


def receive(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
        s.bind((address, PORT))
        s.settimeout(60)
        print("ready", flush=True)
        for wanted in range(COUNT):
            data, ancillary, _, _ = s.recvmsg(2048, 64)
            number = struct.unpack_from("!I", data)[0]
            if number != wanted:
                return f"expected packet {wanted}, got {number}"
            if tos_of(ancillary) != mark(number):
                return (f"packet {number}: expected mark {mark(number)}, "
                        f"got {tos_of(ancillary)}")
    print(f"# {COUNT} packets in order, each with its mark")
    return None


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("send", "receive"):
        sys.exit(__doc__)
    sys.exit(send(sys.argv[2]) if sys.argv[1] == "send"
             else receive(sys.argv[2]))
