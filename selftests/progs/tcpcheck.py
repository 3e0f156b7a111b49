# SPDX-License-Identifier: GPL-2.0
"""tcpcheck.py FROM TO ADDRESS BYTES: TCP from namespace FROM to ADDRESS in
namespace TO; succeeds when all bytes arrive as they were sent."""
import ctypes
import hashlib
import os
import random
import socket
import sys
import threading

libc = ctypes.CDLL(None)


def enter(ns):
    if libc.setns(os.open(f"/run/netns/{ns}", os.O_RDONLY), 0x40000000):
        sys.exit(f"cannot enter {ns}")


source, target, address, size = sys.argv[1:4] + [int(sys.argv[4])]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
enter(target)
listener = socket.create_server((address, 0), family=family)
enter(source)
data = random.Random(size).randbytes(size)
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
print(f"# {'ok' if good else 'FAILED'}: TCP {source} to {address}, {size} bytes")
sys.exit(not good)
