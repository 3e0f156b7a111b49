#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Begin to dump a device, and do not go on before standard input ends.

usage: holddump.py DEVICE

Gives the device more peers than fit one message first, so that the dump has not
ended by itself. Prints "held" once it has begun.
"""
import sys

from wgnl import *  # pylint: disable=wildcard-import,unused-wildcard-import

PEERS = range(1000, 1200)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    nl = Netlink(size=4096)
    nl.must_set(ifname(sys.argv[1]), peers(*(peer(key(n)) for n in PEERS)))
    nl.send(CMD_GET, ifname(sys.argv[1]), flags=NLM_F_DUMP)
    print("held", flush=True)
    sys.stdin.read()


main()
