# SPDX-License-Identifier: GPL-2.0
"""Section 6 of the whitepaper, up to the end of a key's life: one tunnel for
each rule, all beside each other."""
import wgproto as wp
from wgtest import FACTOR, Kernel, finish
from wgtunnel import beside_each_other, latest, now, sleep_until

EARLY = 0.05        # a tick of the kernel's clock, and what reading ours takes
KEEPALIVE, REKEY, REKEY_AFTER, REJECT_AFTER = 10, 5, 120, 180
LAST_MINUTE = REJECT_AFTER - KEEPALIVE - REKEY
ATTEMPT, ATTEMPTS = 90, 20

kernel = Kernel()


def due(t, what, since, seconds, seen=None):
    """The next message (or SEEN) comes SECONDS after SINCE."""
    moment, packet, kind = seen or t.next(latest(seconds) + 20 * FACTOR)
    after = moment - since
    t.check(seconds - EARLY <= after <= latest(seconds),
            f"{what} after {after:.2f} s, of {seconds} s")
    return moment, packet, kind


def nothing_sent_after_data(t):
    t.we_initiate()
    since = now()
    t.send()
    _, _, kind = due(t, "data alone is answered", since, KEEPALIVE)
    t.check(kind == (0, b""), "by a keepalive")
    t.silent(now() + latest(KEEPALIVE), "once")


def more_data_than_one(t):
    t.we_initiate()
    since = now()
    t.send()
    sleep_until(since + 4)
    t.send()
    _, _, kind = due(t, "the first counts", since, KEEPALIVE)
    t.check(kind == (0, b""), "what comes is a keepalive")
    t.silent(now() + latest(KEEPALIVE), "one for both")
    since = now()
    t.send()
    _, _, kind = due(t, "data later gets another", since, KEEPALIVE)
    t.check(kind == (0, b""), "keepalive")


def answered_by_data(t):
    since = now()
    t.send()
    sleep_until(since + KEEPALIVE / 2)
    t.goes_out(b"anything", "data goes out")
    t.keepalive()


def something_sent_after_data(t):
    t.we_initiate()
    t.silent(now() + latest(KEEPALIVE), "a keepalive is not answered")
    answered_by_data(t)
    t.silent(now() + latest(KEEPALIVE), "in place of a keepalive")
    answered_by_data(t)
    since = now()
    t.send()
    due(t, "what is received after it counts anew", since, KEEPALIVE)


def nothing_received_after_data(t):
    t.we_initiate()
    since = t.goes_out(b"one", "data goes out")
    sleep_until(since + 10)
    t.goes_out(b"two", "and more")
    _, hello, kind = due(t, "without an answer a handshake begins", since,
                         KEEPALIVE + REKEY)
    t.need(kind == wp.INITIATION, "by an initiation")
    t.respond(hello)
    t.check(t.next()[2] == (1, b""), "and ends in a session")


def something_received_after_data(t):
    t.we_initiate()
    since = t.goes_out(b"one", "data goes out")
    sleep_until(since + 12)
    t.keepalive()
    sleep_until(since + 13)
    since = t.goes_out(b"two", "it is answered, and more goes out")
    _, _, kind = due(t, "which counts anew until a handshake", since,
                     KEEPALIVE + REKEY)
    t.check(kind == wp.INITIATION, "begins")


def nobody_there(t):
    """The initiator gives up, and forgets what it had to say."""
    began = t.say(b"dropped")
    moments = []
    while True:
        seen = t.heard(now() + latest(REKEY) + 3)
        if not seen or len(moments) > 2 * ATTEMPTS:
            break
        if len(moments) == 1:
            t.say(b"dropped as well")
        moments += [moment for moment, _, kind in seen if kind == wp.INITIATION]
        t.check(len(moments) > 0 and all(k == wp.INITIATION
                                         for _, _, k in seen),
                f"initiation {len(moments)} after {now() - began:.1f} s")
    gaps = [b - a for a, b in zip(moments, moments[1:])]
    t.check(min(gaps) >= REKEY - EARLY and max(gaps) <= latest(REKEY),
            f"gaps of {min(gaps):.2f} to {max(gaps):.2f} s")
    t.check(len(moments) == ATTEMPTS and moments[-1] - moments[0] >= ATTEMPT,
            f"gives up after {len(moments)} in "
            f"{moments[-1] - moments[0]:.0f} s")
    # The next data makes it try again, and nothing goes out before it.
    t.it_initiates(b"kept")


def responder_of_an_old_key(t):
    began, ended = t.we_initiate()
    sleep_until(ended + REKEY_AFTER + 2)
    t.goes_out(b"at 122", "it sends, older than 120 s")
    t.keepalive()
    t.silent(now() + 3, "and leaves a new key to the initiator")
    sleep_until(ended + LAST_MINUTE + 2)
    t.send(b"at 167")
    t.check(t.gets(b"at 167"), "it receives, older than 165 s")
    t.goes_out(b"in return", "and answers")
    t.keepalive()
    t.silent(now() + 3, "and still does not renew the key")
    sleep_until(began + REJECT_AFTER - 3)
    sent = t.send(b"at 177")
    got = t.gets(b"at 177")
    t.say(b"in return")
    answer = t.next()
    if answer[0] < began + REJECT_AFTER:    # else this machine is too slow
        t.check(got and answer[2] == (0, b"in return"),
                f"after {sent - began:.1f} s the key works in both directions")
        t.keepalive()
        sleep_until(ended + REJECT_AFTER + 0.3)
        t.send(b"at 180")
        t.check(not t.gets(b"at 180", 1), "after 180 s it opens nothing")
        t.it_initiates(b"new")      # as it seals nothing by it


def initiator_of_an_old_key(t):
    began, ended = t.it_initiates()
    sleep_until(began + REKEY_AFTER - 4)
    t.goes_out(b"at 116", "it sends")
    t.keepalive()
    t.silent(ended + REKEY_AFTER + 4,
             "no new handshake before 120 s, nor without anything to send")
    t.goes_out(b"at 124", "it sends, older than 120 s")
    t.keepalive()       # or it would initiate because nobody answers
    _, hello, kind = t.next()
    t.need(kind == wp.INITIATION, "and initiates")
    t.respond(hello)
    t.check(t.next()[2] == (1, b""), "the new session is confirmed")
    t.goes_out(b"by the new key", "and used")
    t.send(b"by the old", t.sessions[0])
    t.check(t.gets(b"by the old"), "the old key receives what is on its way")
    t.goes_out(b"again", "the answer")
    t.keepalive()
    t.silent(now() + REKEY + 2, "one new handshake is enough")


def initiator_who_only_receives(t):
    began, ended = t.it_initiates()
    for age in (REKEY_AFTER + 5, LAST_MINUTE - 5):
        sleep_until(began + age)
        t.keepalive()
        t.silent(now() + 2, f"a packet at {age} s means nothing")
    sleep_until(ended + LAST_MINUTE + 0.3)
    since = t.keepalive()
    moment, _, kind = t.next()
    t.check(kind == wp.INITIATION and moment - since < 1 + FACTOR,
            f"one at 165 s a new handshake, {moment - since:.2f} s later")
    sleep_until(began + REJECT_AFTER - 4)
    sent = t.send(b"at 176")
    got = t.gets(b"at 176")
    if sent < began + REJECT_AFTER - 0.5:
        t.check(got, "at 176 s the old key still opens")
    sleep_until(ended + REJECT_AFTER + 0.3)
    t.send(b"at 180")
    t.check(not t.gets(b"at 180", 1), "at 180 s it does not")


def persistent_keepalive(t):
    began, _ = t.we_initiate()
    kernel.wg("peer", t.peer.name, "persistent-keepalive", REKEY)
    since, _, kind = t.next()
    t.check(kind == (0, b""), "there is one at once")
    since, _, kind = due(t, "the next", since, REKEY)
    sleep_until(since + 3)
    since = now()
    t.keepalive()
    since, _, kind = due(t, "one after a packet received", since, REKEY)
    t.check(kind == (0, b""), "a keepalive again")
    sleep_until(since + 3)
    since = t.goes_out(b"data", "data goes out")
    t.keepalive()
    while kind != wp.INITIATION:
        since, _, kind = due(t, "the next", since, REKEY)
        t.need(kind in ((0, b""), wp.INITIATION), "which is nothing else")
    t.check(-EARLY <= since - began - REJECT_AFTER <= latest(REKEY),
            f"none is worth a handshake until the key has ended, "
            f"{since - began:.1f} s")


beside_each_other(kernel, nothing_sent_after_data, more_data_than_one,
                  something_sent_after_data, nothing_received_after_data,
                  something_received_after_data, nobody_there,
                  responder_of_an_old_key, initiator_of_an_old_key,
                  initiator_who_only_receives, persistent_keepalive)
finish()
