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

COUNT = int(os.environ.get("WGI_RACE_PEERS", "64"))
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
early = late = 0
for n, peer in enumerate(peers):
    data = retry = None
    end = time.monotonic() + 20
    while not (data or retry) and time.monotonic() < end:
        for packet in peer.link.drain(0.02):
            if packet[0] == wp.INITIATION:
                retry = packet
            elif packet[0] == wp.DATA:
                data = packet
    if retry is None:
        early += 1
        if data is None:
            check(False, f"peer {n}: a response in time is taken")
        continue
    late += 1
    response, session = wp.Responder(peer.private, retry).respond()
    peer.link.send(response)
    done = None
    while not done and time.monotonic() < end:
        packet = peer.link.receive(1)
        if packet and packet[0] == wp.DATA:
            try:
                done = session.open(packet)
            except wp.Refused:
                pass
    if not done:
        check(False, f"peer {n}: the retry can still be answered")
check(late,
      f"{early} responses were in time, {late} retries were answered")
finish()
