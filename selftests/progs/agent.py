# SPDX-License-Identifier: GPL-2.0
"""The other guest, by remote control; only ever for throw-away machines.

  agent.py call ADDRESS SCRIPT    have the shell at port 7000 there run SCRIPT;
                                  its output and its status
  agent.py sink ADDRESS BYTES     take one TCP connection, check what comes
  agent.py send ADDRESS BYTES     the sender for that
"""
import random
import shlex
import socket
import sys
import time

CONTROL, BULK = 7000, 7001


def connect(address, port, patience):
    """A connection, as soon as the other side is there to take it."""
    end = time.monotonic() + patience
    while True:
        try:
            return socket.create_connection((address, port), 5)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def listen(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family)


def read_all(sock):
    parts = []
    while part := sock.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)


def call(address, script):
    # All on one command line, and nothing for the script to read: the shell
    # there must not lose its own input to it.
    line = f"bash -c {shlex.quote(script)} </dev/null; " \
        "printf '\\n%d\\0' $?; exit\n"
    sock = connect(address, CONTROL, 180)
    sock.settimeout(300)
    # No end of file in either direction: ncat would hang up on ours, and what
    # the script leaves running keeps the other from coming.
    sock.sendall(line.encode())
    answer = b""
    while not answer.endswith(b"\0"):
        part = sock.recv(1 << 16)
        if not part:
            sys.exit("the other guest has hung up")
        answer += part
    output, _, status = answer[:-1].decode().rpartition("\n")
    sys.stdout.write(output)
    return int(status)


def content(size):
    return random.Random(size).randbytes(size)


def sink(address, size):
    with listen(address, BULK) as listener:
        listener.settimeout(60)
        sock, _ = listener.accept()
        sock.settimeout(60)
        return 0 if read_all(sock) == content(size) else 1


def send(address, size):
    sock = connect(address, BULK, 30)
    sock.settimeout(120)
    sock.sendall(content(size))
    sock.shutdown(socket.SHUT_WR)
    sock.recv(1)            # the sink has read everything
    return 0


what, where, *more = sys.argv[1:]
if what == "call":
    sys.exit(call(where, more[0]))
sys.exit({"sink": sink, "send": send}[what](where, int(more[0])))
