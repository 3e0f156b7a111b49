# SPDX-License-Identifier: GPL-2.0
"""Many tunnels beside each other, and what is said about time."""
import select
import socket
import struct
import threading
import time
import traceback

import wgproto as wp
from wgtest import (FACTOR, Link, Peer, SO_TIMESTAMPNS, WAIT, arrived, await_,
                    check, failed, initiate, inner, ipv4, skip, udp)

now = time.monotonic


def sleep_until(moment):
    time.sleep(max(0, moment - now()))


def latest(seconds):
    """When at the latest a kernel timer of so many SECONDS has done what it is
    for, with its jitter: its wheel rounds up by as much as an eighth."""
    return (seconds + 0.34) * 1.125 + 0.7 + 0.8 * FACTOR


class Tunnel:
    """A peer with its socket, its inner address and port, and its sessions;
    for programs in which many tunnels live beside each other in threads."""

    def __init__(self, kernel, number, *more, endpoint=True):
        self.kernel, self.link = kernel, Link()
        self.link.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.address = f"10.66.{number // 240}.{10 + number % 240}"
        self.port = 7100 + number
        self.peer = Peer(allowed=self.address + "/32")
        if endpoint:
            more += ("endpoint", self.link.endpoint)
        kernel.add(self.peer, *more)
        self.front = inner(port=self.port)
        self.sessions = []
        self.name = f"tunnel {number}"

    def check(self, good, what):
        return check(good, f"{self.name}: {what}")

    def need(self, good, what):
        """As check(), but a failure ends this tunnel's story."""
        if not self.check(good, what):
            raise Ended

    def say(self, text=b"out"):
        """The kernel has data for the peer; when, at the earliest."""
        began = now()
        self.front.sendto(text, (self.address, 7000))
        return began

    def send(self, text=b"in", session=None):
        """Data from the peer, or without a text a keepalive; when it had been
        sent, at the latest."""
        session = session or self.sessions[-1]
        payload = text and ipv4(udp(text, dport=self.port), src=self.address)
        self.link.send(session.seal(payload))
        return now()

    def keepalive(self):
        return self.send(b"")

    def gets(self, text, timeout=WAIT):
        """Does this text, and none before it, arrive inside?"""
        return arrived(self.front, timeout) == text

    def read(self, packet):
        """What a message is: its type, or for data the session's number and
        the text of the datagram in it."""
        if packet[0] != wp.DATA:
            return packet[0]
        for number, session in enumerate(self.sessions):
            if packet[4:8] == struct.pack("<I", session.local):
                plain = session.open(packet)[1]
                size = struct.unpack(">H", plain[2:4])[0] if plain else 28
                return number, plain[28:size]
        return "data by no key"

    def receive(self, until):
        """(moment, packet, read(packet)) of the next message, by the clock of
        the kernel that put it into the socket; None if none comes."""
        sock = self.link.sock
        if not select.select([sock], [], [], max(until - now(), 0))[0]:
            return None
        packet, control, _, _ = sock.recvmsg(65536, 64)
        seconds, nanoseconds = struct.unpack("@ll", control[0][2])
        age = time.time_ns() - seconds * 10**9 - nanoseconds
        return now() - age / 1e9, packet, self.read(packet)

    def heard(self, until):
        """All that comes until a moment, as receive() has it."""
        return list(iter(lambda: self.receive(until), None))

    def next(self, timeout=WAIT):
        """The next message; the story ends without one."""
        seen = self.receive(now() + timeout)
        self.need(seen is not None, f"a message within {timeout:.0f} s")
        return seen

    def silent(self, until, what):
        """Nothing at all may come until then."""
        seen = [(f"{t - until:+.2f} s", r) for t, _, r in self.heard(until)]
        return self.check(not seen, f"{what}{f': {seen}' if seen else ''}")

    def goes_out(self, text, what):
        """The kernel has this to say, and it comes by the latest key; when, as
        say() has it."""
        since = self.say(text)
        got = self.next()[2]
        good = got == (len(self.sessions) - 1, text)
        self.check(good, what if good else f"{what}: {got}")
        return since

    def respond(self, initiation):
        """Answer an initiation; when, at the earliest, the keys were made."""
        response, session = wp.Responder(self.peer.private,
                                         initiation).respond(self.peer.psk)
        self.sessions.append(session)
        began = now()
        self.link.send(response)
        return began

    def we_initiate(self, confirm=True):
        """A session by our initiation; when, at the earliest and at the
        latest, the kernel made its keys."""
        began = now()
        session = initiate(self.kernel, self.peer, self.link)
        self.need(session is not None, "our initiation is answered")
        self.sessions.append(session)
        ended = now()
        if confirm:
            self.confirm()
        return began, ended

    def confirm(self):
        """The first packet by new keys; the kernel sends by them once it has
        been taken, and would initiate if it had to before."""
        before = self.kernel.transfer(self.peer)[0]
        self.keepalive()
        self.need(await_(lambda: self.kernel.transfer(self.peer)[0] > before),
                  "the session is confirmed")

    def it_initiates(self, text=b"hello"):
        """The same by the kernel's initiation. What made it initiate is
        answered with a keepalive, so that nothing is pending."""
        self.say(text)
        _, hello, kind = self.next()
        self.need(kind == wp.INITIATION, "traffic makes the kernel initiate")
        began = self.respond(hello)
        _, _, got = self.next()
        self.need(got == (len(self.sessions) - 1, text),
                  "what waited comes by the new key")
        self.keepalive()
        return began, now()


class Ended(Exception):
    """The rest of one tunnel's story makes no sense."""


class StandStill:
    """How long this machine did not run at all (a busy host, a debugger): what
    is said about time then says nothing about the kernel."""

    def __init__(self):
        self.worst, self.ended = 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        last = now()
        while not self.ended.wait(0.2):
            self.worst, last = max(self.worst, now() - last - 0.2), now()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        if failed() and self.worst > 2 * FACTOR:
            skip(f"this machine stood still for {self.worst:.0f} s meanwhile")


def beside_each_other(kernel, *stories):
    """Run functions beside each other, each with a tunnel of its own."""
    def tell(story, tunnel):
        try:
            story(tunnel)
        except Ended:
            pass
        except Exception:
            check(False, f"{tunnel.name}: {traceback.format_exc()}")

    threads = []
    for number, story in enumerate(stories):
        tunnel = Tunnel(kernel, number)
        tunnel.name = story.__name__.replace("_", " ")
        threads.append(threading.Thread(target=tell, args=(story, tunnel)))
    with StandStill():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
