# SPDX-License-Identifier: GPL-2.0
"""What moves a peer's endpoint, and what must not."""
import wgproto as wp
from wgtest import (INNER_B, Kernel, Link, PEER4, PEER4B, PEER6, PEER6B, Peer,
                    arrived, await_, check, datagram, finish, initiate, inner,
                    need, os, pace, passes, spoil, strays)

kernel = Kernel()
home, away, six, six2 = Link(PEER4), Link(PEER4B), Link(PEER6), Link(PEER6B)
port2 = Link(PEER4)
peer = kernel.add(Peer())
sock, back = inner(), inner(port=9)


def at(link, what):
    check(await_(lambda: kernel.endpoint(peer) == link.endpoint), what)


def still(link, what):
    """To be called when something later has been seen to be processed."""
    check(kernel.endpoint(peer) == link.endpoint, what)


def answers(link, session):
    back.sendto(b"where", (INNER_B, 7000))
    packet = link.expect(wp.DATA)
    check(packet and b"where" in session.open(packet)[1],
          f"and the kernel sends to {link.endpoint}")


session = initiate(kernel, peer, home)
need(session is not None, "a handshake")
at(home, "an initiation sets the endpoint")
passes(home, session, sock)
passes(port2, session, sock, "data from another port")
at(port2, "moves the endpoint there")
answers(port2, session)
passes(away, session, sock, "data from another address")
at(away, "moves the endpoint there")
passes(six, session, sock, "data over IPv6")
at(six, "moves the endpoint across families")
answers(six, session)
passes(home, session, sock, "data over IPv4 again")
at(home, "moves it back")
six2.send(session.seal(b""))
at(six2, "a keepalive moves it too")
home.send(session.seal(datagram(b"x", src="10.66.0.77")))
at(home, "so does data of which the inner source is not allowed")
passes(home, session, sock)
check(not strays, "which is itself not delivered")

# Forgeries and replays, each from elsewhere.  A packet of another peer tells
# when they have been dealt with: one of this peer would move it back home.
marker, post = kernel.add(Peer(allowed="10.66.0.4/32")), Link(PEER4B)
marked = initiate(kernel, marker, post)
need(marked is not None, "another peer's handshake")


def dealt_with(what):
    passes(post, marked, sock, f"after {what} from elsewhere", src="10.66.0.4")
    check(not strays, "it was not delivered")
    check(not away.answers(0.05), "nor been answered")
    still(home, "and has not moved the endpoint")


old = session.seal(datagram(b"old"))
home.send(old)
check(arrived(sock) == b"old", "a packet, to be replayed")
low = session.seal(datagram(b"behind"), counter=session.counter + 20000)
home.send(low)
check(arrived(sock) == b"behind", "a packet far ahead")
for name, packet in (
        ("a replayed packet", old),
        ("data with a bad tag", spoil(session.seal(datagram(b"bad")))),
        ("data behind the window", session.seal(datagram(b"w"), counter=3)),
        ("data for an index not ours",
         (d := session.seal(datagram(b"i")))[:4] + os.urandom(4) + d[8:]),
        ("a keepalive with a bad tag", spoil(session.seal(b"")))):
    away.send(packet)
    dealt_with(name)
passes(home, session, sock)

hello = wp.Initiation(peer.private, kernel.public)
for name, packet in (
        ("an initiation with a bad mac1", spoil(hello.packet, 120)),
        ("an initiation with a bad timestamp seal",
         wp.add_macs(spoil(hello.body), kernel.public)),
        ("an initiation of a stranger",
         wp.Initiation(os.urandom(32), kernel.public).packet),
        ("a response to nothing", wp.add_macs(
            b"\2\0\0\0" + os.urandom(56), kernel.public))):
    away.send(packet)
    check(not away.answers(0.1), f"{name} is not answered")
    still(home, "and does not move the endpoint")
pace()
stale = wp.Initiation(peer.private, kernel.public, timestamp=wp.tai64n(10**18))
away.send(stale.packet)
check(not away.answers(0.1), "an initiation with an old timestamp neither")
still(home, "does not move it")
pace()
session = initiate(kernel, peer, away)
need(session is not None, "a valid initiation from elsewhere is answered there")
at(away, "and moves the endpoint at once")
passes(away, session, sock)

# The kernel initiates: its response may come from elsewhere, cookies may not
# move it.
other = kernel.add(Peer(allowed="10.66.0.9/32"), "endpoint", home.endpoint)
home.drain(0.02)
back.sendto(b"hi", ("10.66.0.9", 7000))
hello = home.expect(wp.INITIATION)
need(hello is not None, "the kernel initiates to the configured endpoint")
away.send(wp.make_cookie_reply(other.public, hello, os.urandom(16)))
check(not home.answers(), "a cookie reply is not answered")
check(kernel.endpoint(other) == home.endpoint,
      "a cookie reply from elsewhere does not move the endpoint")
packet, session = wp.Responder(other.private, hello).respond()
six.send(packet)
got = six.expect(wp.DATA)
check(got is not None and b"hi" in session.open(got)[1],
      "a response from elsewhere does: data goes there")
check(kernel.endpoint(other) == six.endpoint, "and it shows")
finish()
