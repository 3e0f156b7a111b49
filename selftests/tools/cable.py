#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""cable.py NS1 IF1 NS2 IF2: two cards (taps) and the cable between them.

A packet that crosses a veth cable keeps the hash that its sender gave it, and so
steering by flows does not look at its outer ports. These cards know nothing of a
packet but its bytes, as those of two machines. All of them come by one CPU, the
first, unless the receiver steers them on. "ready" is printed when both are there.
"""

import ctypes
import fcntl
import os
import select
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
CLONE_NEWNET = 0x40000000
BATCH = 64


def card(namespace, name):
    """A tap in a namespace, into which this process goes for it."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}", "rb") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            sys.exit(os.strerror(ctypes.get_errno()))
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF,
                struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return tap


def carry(source, target):
    """What is there, to the other side; a card that is down loses it."""
    for _ in range(BATCH):
        try:
            packet = os.read(source, 65536)
        except (BlockingIOError, OSError):
            return
        try:
            os.write(target, packet)
        except OSError:
            pass


def main():
    """Until killed."""
    ends = [card(*sys.argv[1:3]), card(*sys.argv[3:5])]
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    print("ready", flush=True)
    poll = select.poll()
    for end in ends:
        poll.register(end, select.POLLIN)
    while True:
        for end, _ in poll.poll():
            carry(end, ends[1 - ends.index(end)])


if __name__ == "__main__":
    main()
