# SPDX-License-Identifier: GPL-2.0
"""CVE-2026-99059 as a race: the response to an initiation is being worked on
when the kernel creates the next one.  Mixed together the two would end in a
session that belongs to neither.

Many peers leave their first initiation unanswered.  The kernel's timers are
coarse, so that many retries fall due in the same tick; when the first of them
is there the others are being made, and all responses are sent at once.
Whatever wins: a peer that has got a second initiation must be able to finish
the handshake with that one."""
import os
import select
import time

import wgproto as wp
from wgtest import Kernel, Link, Peer, check, finish, inner, need

COUNT = 24 if os.environ.get("WGI_EMULATED") == "1" else 64
kernel, back = Kernel(), inner(port=9)
peers = []
for n in range(COUNT):
    peer = Peer(allowed=f"10.66.2.{n}/32")
    peer.link = Link()
    kernel.add(peer, "endpoint", peer.link.endpoint)
    peers.append(peer)
kernel.ip("route", "add", "10.66.2.0/24", "dev", "wg0")
for n, peer in enumerate(peers):
    back.sendto(b"hi", (f"10.66.2.{n}", 7000))
    peer.first = peer.link.expect(wp.INITIATION)
    if peer.first is None:
        need(False, f"peer {n}: an initiation")
for peer in peers:
    peer.response, peer.session = \
        wp.Responder(peer.private, peer.first).respond()
poll = select.poll()
for peer in peers:
    poll.register(peer.link.sock, select.POLLIN)
need(poll.poll(20000), "a retry comes")
for peer in peers:
    peer.link.send(peer.response)
for peer in peers:
    seen = peer.link.drain(0.02)
    peer.retry = next((p for p in reversed(seen) if p[0] == wp.INITIATION),
                      None)
    peer.old_data = any(p[0] == wp.DATA for p in seen)


def completes(peer, seconds):
    """Answer the latest initiation until one answer has made a session."""
    end = time.monotonic() + seconds
    retry = peer.retry
    while time.monotonic() < end:
        if retry:
            response, session = wp.Responder(peer.private, retry).respond()
            peer.link.send(response)
            retry = None
        packet = peer.link.receive(0.2)
        if packet and packet[0] == wp.INITIATION:
            retry = packet
        elif packet and packet[0] == wp.DATA:
            try:
                return session.open(packet)
            except wp.Refused:
                pass
    return None


# A peer with both is suspect: a session by the old initiation and a new one
# under way.  Where that was an honest order of events the new one is open and
# repeated every five seconds; where not, it is gone, and nothing comes before
# the session has been found dead after fifteen.
suspects = [p for p in peers if p.retry and p.old_data]
for peer in suspects:
    check(completes(peer, 10), "a retry beside a session can be answered")
for peer in [p for p in peers if p.retry and not p.old_data][:8]:
    check(completes(peer, 30), "a retry can be answered")
early = [p for p in peers if p.old_data and not p.retry]
silent = [p for p in peers if not p.old_data and not p.retry and
          not p.link.receive()]
check(not silent, f"{len(early)} responses were in time, "
      f"{len(peers) - len(early) - len(silent)} came with or after a retry, "
      f"{len(suspects)} of them are suspect, {len(silent)} were lost")
finish()
