# SPDX-License-Identifier: GPL-2.0
"""When nothing has come of it for 540 s, a peer's secrets are wiped: its
keypairs, which the kernel's log shows, and a handshake under way."""
import wgproto as wp
from wglog import KeyLog
from wgtest import Kernel, finish, skip, time
from wgtunnel import beside_each_other, latest, now, sleep_until

WIPE_AFTER = 540
EARLY = 0.05

kernel, keys = Kernel(), KeyLog()


def wiped(t, since, count):
    """COUNT keypairs live for so long, and no longer."""
    t.check(keys.count(t.id) == count, f"{count} keypairs")
    while keys.count(t.id) == count and now() < since + latest(WIPE_AFTER):
        time.sleep(0.2)
    after = keys.wiped.get(t.id, now()) - since
    t.check(keys.count(t.id) == 0, f"none after {after:.1f} s")
    t.check(after >= WIPE_AFTER - EARLY, "and not before 540 s")


def responder(t):
    began, _ = t.we_initiate()
    t.silent(now() + 1, "a session, and no word more")
    wiped(t, began, 1)
    t.send(b"by the old key")
    t.check(not t.gets(b"by the old key", 1), "nothing opens what is sealed")
    t.it_initiates(b"after all")


def initiator_and_responder(t):
    t.it_initiates()
    began, _ = t.we_initiate()
    wiped(t, began, 2)


def unconfirmed(t):
    t.we_initiate()
    sleep_until(now() + 30)
    began, _ = t.we_initiate(confirm=False)
    wiped(t, began, 2)


def unanswered(t, late):
    """A handshake begun when the key was old, and given up some time before it
    is wiped; the last initiation."""
    began, _ = t.we_initiate()
    sleep_until(began + WIPE_AFTER - 145)
    t.say(b"anybody there?")
    seen = t.heard(began + WIPE_AFTER - 8)
    t.need(seen and all(k == wp.INITIATION for _, _, k in seen),
           f"{len(seen)} initiations")
    t.check(seen[-1][0] < now() - latest(5), "and no more")
    if not late:
        return seen[-1][1]
    wiped(t, began, 1)
    return seen[-1][1]


def answered_before(t):
    t.respond(unanswered(t, False))
    t.check(t.next()[2] == (1, b""), "even the last can be answered")


def answered_after(t):
    t.respond(unanswered(t, True))
    t.silent(now() + 2, "then no answer to it is taken")


def noted(story):
    """The number by which the log knows the peer of a tunnel."""
    def tell(t):
        t.id = numbers[t.peer.name]
        story(t)

    tell.__name__ = story.__name__
    return tell


numbers = {}
add = kernel.add


def add_and_note(peer, *more):
    add(peer, *more)
    numbers[peer.name] = keys.new_peer()
    if not numbers[peer.name]:
        skip("this kernel's log does not show keypairs come and go")
    return peer


kernel.add = add_and_note
beside_each_other(kernel, *map(noted, (responder, initiator_and_responder,
                                       unconfirmed, answered_before,
                                       answered_after)))
finish()
