# SPDX-License-Identifier: GPL-2.0
"""Under load: cookies, mac2, limits by source; and silence otherwise."""
import time

import wgproto as wp
from wgtest import (Kernel, Link, PEER4, PEER4B, PEER6, PEER6B, Peer, await_,
                    check, finish, flood, initiate, inner, need, os, pace,
                    passes, spoil)

kernel = Kernel()
link, side = Link(), Link()
peer = kernel.add(Peer())
sock = inner()
session = initiate(kernel, peer, link)
need(session is not None, "a handshake without load")
passes(link, session, sock)

# Junk of which mac1 is right costs the kernel a key agreement each: a few
# thousand fill its queue.  They come from a socket of their own.
attacker = Link(PEER4)
junk = wp.add_macs(b"\1\0\0\0" + os.urandom(4) + wp.public_key(os.urandom(32)) +
                   os.urandom(76), kernel.public)


def load(count=1500):
    flood(attacker, junk, count)
    attacker.drain(0)


def under_load(source, packet):
    """PACKET's answer within two seconds of a flood; the kernel stays under
    load for one."""
    load()
    source.send(packet)
    return source.reply(2)


def cookie_for(source, packet):
    """The cookie reply to PACKET, once the kernel finds itself under load."""
    return await_(lambda: (r := under_load(source, packet)) and
                  r[0] == 3 and r)


hello = wp.Initiation(peer.private, kernel.public)
reply = cookie_for(link, hello.packet)
need(reply, "under load, an initiation with mac1 alone gets a cookie reply")
check(len(reply) == 64, "of the right size")
cookie = wp.open_cookie_reply(reply, kernel.public, hello.packet)
check(len(cookie) == 16, "it opens: our index, our mac1, the kernel's key")
again = cookie_for(link, hello.packet)
check(again and again[8:32] != reply[8:32], "a second one has a fresh nonce")
check(again and wp.open_cookie_reply(again, kernel.public, hello.packet) ==
      cookie, "and the same cookie, for the same source")

hello = wp.Initiation(peer.private, kernel.public)
got = cookie_for(side, hello.with_cookie(cookie))
check(got and got[0] == 3, "from another port the cookie is worth nothing")
check(wp.open_cookie_reply(got, kernel.public, hello.packet) != cookie,
      "that port has another cookie")
hello = wp.Initiation(peer.private, kernel.public)
far = Link(PEER4B, link.port)
got = cookie_for(far, hello.with_cookie(cookie))
check(got and got[0] == 3, "nor from another address")

for name, packet in (
        ("a wrong mac1", spoil(hello.packet, 116)),
        ("a wrong mac1 with a right mac2", (
            lambda m: m + wp.mac(cookie, m))(spoil(hello.packet, 116)[:132])),
        ("a short initiation", hello.packet[:-1]),
        ("a data packet for nobody", b"\4\0\0\0" + os.urandom(60))):
    load()
    link.send(packet)
    check(not link.answers(0.2), f"under load, {name} is met with silence")

hello = wp.Initiation(peer.private, kernel.public)
got = under_load(link, hello.with_cookie(cookie))
need(got is not None and got[0] == wp.RESPONSE,
     "with mac2 the initiation is answered under load")
session = hello.finish(got)
passes(link, session, sock, "and the session works")

# The kernel as initiator, its peer's response under load.
other = kernel.add(Peer(allowed="10.66.0.9/32"), "endpoint", link.endpoint)
link.drain(0.05)
back = inner(port=9)
back.sendto(b"hi", ("10.66.0.9", 7000))
first = link.expect(wp.INITIATION)
responder = wp.Responder(other.private, first)
packet, session = responder.respond()
# It has one chance, so be sure that there is load, which lasts for a second: on
# a slow machine less than it takes to look.
need(cookie_for(link, wp.Initiation(peer.private, kernel.public).packet),
     "there is load")
link.drain(0.05)
load()
link.send(packet)
got = link.reply(2)
need(got is not None and got[0] == 3, "a response without mac2 gets a cookie")
cookie = wp.open_cookie_reply(got, kernel.public, packet)
load()
link.send(wp.add_macs(responder.body, kernel.public, cookie))
got = link.expect(wp.DATA)
check(got is not None and b"hi" in session.open(got)[1],
      "with mac2 it is accepted")

# Limits by source: twenty a second and a burst of five, each address for
# itself, an IPv6 /64 as one address; whatever peers are claimed.
many = kernel.add_all([Peer(allowed=f"10.66.1.{n}/32") for n in range(124)])


def settle():
    """Wait until the kernel has answered all junk, and so what came before."""
    attacker.drain(0.5)


def responses(source, peers, sources=None):
    """How many of PEERS are answered, all with a good mac2; and in what
    time."""
    links = sources or [source]
    cookies = {}
    for one in links:
        ask = wp.Initiation(peers[0].private, kernel.public)
        got = await_(lambda: (r := under_load(one, ask.packet)) and
                     r[0] == 3 and r)
        if not got:
            return None, 0
        cookies[one] = wp.open_cookie_reply(got, kernel.public, ask.packet)
    settle()
    packets = [(links[i % len(links)], wp.Initiation(
        p.private, kernel.public, cookie=cookies[links[i % len(links)]]).packet)
        for i, p in enumerate(peers)]
    load()
    start = time.monotonic()
    for one, packet in packets:
        one.send(packet)
        load(60)
    settle()
    count = sum(1 for one in links for p in one.drain() if p[0] == wp.RESPONSE)
    return count, time.monotonic() - start


def limited(source, peers, what, sources=None):
    """What one source may have, of more. On a machine that was so slow that it
    may have had all, or dropped all, the same again."""
    for _ in range(5):
        count, spent = responses(source, peers, sources)
        allowed = 5 + 20 * spent + 1
        if count and allowed < len(peers):
            break
    check(count and count <= allowed < len(peers),
          f"{what}: {count} of {len(peers)} answered in {spent:.2f} s")


limited(Link(PEER4), many[:60], "one IPv4 source")
count, spent = responses(Link(PEER4B), many[60:64])
check(count == 4, "another address has its own burst")
limited(None, many[64:], "two addresses of one IPv6 /64",
        [Link(PEER6), Link(PEER6B)])

# The kernel takes a cookie: kept for the next try, once, and not at once.
third = kernel.add(Peer(allowed="10.66.0.10/32"), "endpoint", side.endpoint)
side.drain(0.05)
back.sendto(b"hi", ("10.66.0.10", 7000))
first = side.expect(wp.INITIATION)
need(first is not None, "the kernel initiates")
good, bad = os.urandom(16), os.urandom(16)
reply = wp.make_cookie_reply(third.public, first, good)
side.send(spoil(wp.make_cookie_reply(third.public, first, bad)))
side.send(wp.make_cookie_reply(third.public, spoil(first, 116), bad))
side.send(wp.make_cookie_reply(peer.public, first, bad))
side.send(reply)
side.send(wp.make_cookie_reply(third.public, first, bad))
check(side.receive(0.5) is None, "it does not send again at once")
second = side.expect(wp.INITIATION, 30)
need(second is not None, "it does when its time has come")
check(second[132:] == wp.mac(good, second[:132]),
      "with mac2 by the first cookie that was sealed rightly")

# Load ends.
def calm():
    pace()
    one = wp.Initiation(peer.private, kernel.public)
    link.drain(0.01)
    link.send(one.packet)
    got = link.reply(2)
    return got and got[0] == wp.RESPONSE and one.finish(got)


session = await_(calm)
need(session, "after the flood an initiation without mac2 is answered again")
passes(link, session, sock)
finish()
