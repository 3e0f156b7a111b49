#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""replay.py catch IF PORT FILE: the next handshake initiation to UDP port PORT
that is seen on IF goes to FILE; "ready" on standard output when it listens.

replay.py send SOURCE HOST PORT FILE: send FILE from address SOURCE, print the
number of answers within a second."""

import socket
import sys

INITIATION, LENGTH = 1, 148


def catch(interface, port, file):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    sock.bind((interface, 0))
    print("ready", flush=True)
    while True:
        packet = sock.recv(65535)[14:]
        udp = packet[(packet[0] & 15) * 4:]
        if packet[9] != socket.IPPROTO_UDP or \
           int.from_bytes(udp[2:4], "big") != int(port):
            continue
        message = udp[8:]
        if len(message) == LENGTH and message[0] == INITIATION:
            with open(file, "wb") as out:
                out.write(message)
            return


def send(source, host, port, file):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((source, 0))
    sock.settimeout(1)
    with open(file, "rb") as message:
        sock.sendto(message.read(), (host, int(port)))
    answers = 0
    try:
        while sock.recv(65535):
            answers += 1
    except TimeoutError:
        print(answers)


{"catch": catch, "send": send}[sys.argv[1]](*sys.argv[2:])
