# SPDX-License-Identifier: GPL-2.0
"""What the kernel's log says of keypairs."""
import os
import threading
import time

from wgtest import check


class KernelLog:
    """What the kernel logs from now on."""

    def __init__(self):
        self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.fd, 0, os.SEEK_END)

    def lines(self):
        while True:
            try:
                yield os.read(self.fd, 8192).decode().split(";", 1)[1].rstrip()
            except BlockingIOError:
                return
            except BrokenPipeError:     # some were lost
                check(False, "the kernel's log is read as fast as it grows")


class KeyLog:
    """Which keypairs each peer has, by the kernel's debug messages."""

    def __init__(self, dev="wg0"):
        self.log, self.dev = KernelLog(), dev
        self.last_peer, self.alive, self.wiped = None, {}, {}
        self.lock = threading.Lock()

    def update(self):
        for line in self.log.lines():
            words = line.partition(f"{self.dev}: ")[2].split()
            if words[:1] == ["Peer"] and words[-1] == "created":
                self.last_peer = words[1]
            if words[:1] == ["Keypair"] and words[3:5] == ["for", "peer"]:
                peer, alive = words[5].rstrip("."), words[2] == "created"
                keys = self.alive.setdefault(peer, set())
                (keys.add if alive else keys.discard)(words[1])
                if not alive:
                    self.wiped[peer] = time.monotonic()
        return self

    def new_peer(self):
        """The number of the peer that was created last."""
        return self.update().last_peer

    def count(self, peer):
        with self.lock:
            self.update()
        return len(self.alive.get(peer, ()))
