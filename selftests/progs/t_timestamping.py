# SPDX-License-Identifier: GPL-2.0
"""A sender that has asked for it gets the moment at which the cable's driver took
his packet, whether the module has sealed the packet itself or a new one, and also
when the packet had to wait for a worker."""
import socket
import struct

from wgtest import (INNER_A, INNER_B, NS_A, NS_B, Peer, arrived, await_, check, finish,
                    inner, inside, join, keyfile, run)

SO_TIMESTAMPING, SO_EE_ORIGIN_TIMESTAMPING = 37, 4
TX_SOFTWARE, SOFTWARE, OPT_ID, OPT_TSONLY = 2, 16, 128, 2048
SCM_TSTAMP_SND = 0
IP_RECVERR, MSG_ERRQUEUE = 11, 0x2000

DEEPEST = 5  # so deep a worker takes over from the sender's stack

join()


def asks(sock):
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING,
                    TX_SOFTWARE | SOFTWARE | OPT_ID | OPT_TSONLY)


def told(sock):
    """The number of the packet or byte whose departure is told of, or None."""
    try:
        parts = sock.recvmsg(0, 512, MSG_ERRQUEUE | socket.MSG_DONTWAIT)[1]
    except BlockingIOError:
        return None
    for level, kind, data in parts:
        if level == socket.SOL_IP and kind == IP_RECVERR:
            origin, info, number = struct.unpack_from("=4xB3xII", data)
            if origin == SO_EE_ORIGIN_TIMESTAMPING and info == SCM_TSTAMP_SND:
                return number
    return None


def expect_told(what, sock, number):
    got = []

    def more():
        got.append(told(sock))
        return number in got

    check(await_(more, 3), f"{what}: told of {number}")


def address(level, side):
    return f"10.78.{level}.{side}" if level else (INNER_A, INNER_B)[side - 1]


def deeper(level):
    """A tunnel in the one that is a level up."""
    dev, port = f"deep{level}", 5300 + level
    sides = {1: Peer(), 2: Peer()}
    for side, ns in (1, NS_A), (2, NS_B):
        far = 3 - side
        run(ns, "wg", "set", dev, "private-key", keyfile(sides[side].private),
            "listen-port", port, "peer", sides[far].name,
            "allowed-ips", address(level, far) + "/32",
            "endpoint", f"{address(level - 1, far)}:{port}")
        run(ns, "ip", "addr", "add", address(level, side) + "/24", "dev", dev)
        run(ns, "ip", "link", "set", dev, "up")


with inside(NS_B):
    listener = socket.create_server((INNER_B, 7200))
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind((INNER_B, 7201))
with inside(NS_A):
    stream = socket.create_connection((INNER_B, 7200))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.connect((INNER_B, 7201))
accepted, _ = listener.accept()

asks(datagrams)
for number in range(2):
    datagrams.send(b"sealed where it is")
    expect_told("a datagram", datagrams, number)

# TCP keeps what it sends, so that is sealed into something new; many segments of it
# at once into one packet. The number is that of the last byte.
asks(stream)
stream.send(b"s" * 100)
expect_told("TCP, one segment", stream, 99)
stream.send(b"m" * 20000)
expect_told("TCP, many segments", stream, 20099)

# Sessions first: what waits for one has no owner that could be told.
for level in range(1, DEEPEST + 1):
    deeper(level)
sink = inner(NS_B, address(DEEPEST, 2))
deep = inner(NS_A, address(DEEPEST, 1))
deep.connect(sink.getsockname())
deep.send(b"first")
check(arrived(sink) == b"first", "tunnels in tunnels: what is sent arrives")
asks(deep)
deep.send(b"for a worker")
expect_told("tunnels in tunnels", deep, 0)
finish()
