# SPDX-License-Identifier: GPL-2.0
"""tcpcheck.py BYTES FROM TO ADDRESS [FROM TO ADDRESS]...: TCP from namespace
FROM to ADDRESS in namespace TO; succeeds when all bytes arrive as sent."""
import ctypes
import hashlib
import os
import random
import socket
import sys
import threading

libc = ctypes.CDLL(None)


def enter(ns):
    fd = os.open(f"/run/netns/{ns}", os.O_RDONLY)
    if libc.setns(fd, 0x40000000):
        sys.exit(f"cannot enter {ns}")
    os.close(fd)


def transfer(data, source, target, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    enter(target)
    listener = socket.create_server((address, 0), family=family)
    enter(source)
    sock = socket.create_connection(listener.getsockname()[:2], 30)
    sock.settimeout(120)
    sender = threading.Thread(target=lambda: (sock.sendall(data),
                                              sock.shutdown(socket.SHUT_WR)))
    sender.start()
    peer, _ = listener.accept()
    peer.settimeout(120)
    taken = hashlib.sha256()
    while got := peer.recv(1 << 20):
        taken.update(got)
    sender.join()
    good = taken.digest() == hashlib.sha256(data).digest()
    print(f"# {'ok' if good else 'FAILED'}: {len(data)} bytes of TCP from "
          f"{source} to {address}")
    return good


content = random.Random(1).randbytes(int(sys.argv[1]))
runs = [sys.argv[i:i + 3] for i in range(2, len(sys.argv), 3)]
sys.exit(0 if all([transfer(content, *one) for one in runs]) else 1)
