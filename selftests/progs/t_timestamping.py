# SPDX-License-Identifier: GPL-2.0
"""A sender that has asked for it gets the moment at which the cable's driver took
his packet, whether the module has sealed the packet itself or a new one."""
import socket
import struct

from wgtest import INNER_B, NS_A, NS_B, await_, check, finish, inside, join

SO_TIMESTAMPING, SO_EE_ORIGIN_TIMESTAMPING = 37, 4
TX_SOFTWARE, SOFTWARE, OPT_ID, OPT_TSONLY = 2, 16, 128, 2048
SCM_TSTAMP_SND = 0
IP_RECVERR, MSG_ERRQUEUE = 11, 0x2000

a, b, pa, pb = join()


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
finish()
