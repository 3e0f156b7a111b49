#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Dumps that take many messages, with and without changes between them.

usage: dumps.py [--rounds N] [--quick]

Runs in a network namespace of its own, on the WireGuard module that is loaded.

A dump that is not marked as interrupted must be a state that the device was
really in. To be able to tell, every change that runs beside the dumps slides a
window of peers along, in one request: any state is a run of consecutive peers,
each with the number of allowed IPs that its number says.

  --rounds N  how many dumps to take beside the changes (default 150)
  --quick     fewer peers and allowed IPs, and 40 rounds: for kernels full of
              debugging options

Prints KTAP. Exit code 0: passed; 1: failed; 2: usage; 4: could not run.
"""
import argparse
import os
import signal
import subprocess

from wgnl import *  # pylint: disable=wildcard-import,unused-wildcard-import

DEV = ifname("wg0")
WINDOW, MANY, COUNTS = 60, 12000, range(20, 40)
SIZES = (4096, 1 << 16)     # of the readers' buffers, and thus of messages


def number_of(public_key):
    """The number that key() made a public key from."""
    return numbers[public_key]


numbers = {key(number): number for number in range(1, 200000)}


def ip_count(number):
    """How many allowed IPs a peer has: from none to more than fit a message."""
    return number * 7 % 97 if number % 16 else 250


def addresses(number):
    """The allowed IPs of a peer, both families, in order."""
    result = []
    for at in range(ip_count(number)):
        result.append(f"10.{number % 256}.{at >> 8}.{at & 255}/32" if at % 2
                      else f"fd00:{number:x}::{at + 1:x}/128")
    return result


def entry(number, **options):
    """The nest of a peer with all its allowed IPs."""
    return peer(key(number), ips=[
        ip(text.partition("/")[0], int(text.partition("/")[2]))
        for text in addresses(number)], **options)


def fill(nl, numbers_wanted):
    """Replace all peers."""
    nl.must_set(DEV, u32(D_FLAGS, D_REPLACE_PEERS))
    for number in numbers_wanted:
        nl.must_set(DEV, peers(entry(number)))


def slide(nl, first):
    """One step of the window, in one request: first goes, a new one comes."""
    nl.must_set(DEV, peers(peer(key(first), flags=P_REMOVE),
                           entry(first + WINDOW)))


def problems(device):
    """What is wrong with a dump of a window; empty if nothing is."""
    found = [number_of(parts[P_PUBLIC_KEY]) for parts, _ in device.peers]
    if found != list(range(found[0], found[0] + WINDOW)) if found else True:
        return [f"peers {found}"]
    return [f"peer {number}: {len(ips)} allowed IPs, not {ip_count(number)}"
            for number, (_, ips) in zip(found, device.peers)
            if ips != addresses(number)]


def whole(ktap, nl, readers):
    """Dumps in peace: everything once, whatever the boundaries."""
    # Before the big ones, each count of allowed IPs from 0 up; all boundaries
    # between messages fall somewhere else then.
    fill(nl, range(1, 1 + WINDOW))
    for reader in readers:
        interrupted, device = reader.dump("wg0")
        wrong = problems(device)
        ktap.result(not wrong and not interrupted,
                    f"all peers once, messages of {reader.size} bytes", *wrong)
    nl.must_set(DEV, u32(D_FLAGS, D_REPLACE_PEERS))
    text = [f"10.{at >> 16}.{at >> 8 & 255}.{at & 255}/32"
            for at in range(MANY)]
    for at in range(0, MANY, 500):
        nl.must_set(DEV, peers(peer(key(1)), peer(key(2), ips=[
            ip(one[:-3], 32) for one in text[at:at + 500]]), peer(key(3))))
    for reader in readers:
        interrupted, device = reader.dump("wg0")
        got = [len(ips) for _, ips in device.peers]
        ktap.result(got == [0, MANY, 0] and not interrupted and
                    device.peers[1][1] == text,
                    f"{MANY} allowed IPs of one peer, messages of {reader.size} bytes",
                    f"got {got}")
    for count in COUNTS:
        nl.must_set(DEV, u32(D_FLAGS, D_REPLACE_PEERS),
                    peers(*(peer(key(number + 1)) for number in range(count))))
        got = len(readers[0].dump("wg0")[1].peers)
        if got != count:
            break
    ktap.result(got == count, f"{COUNTS[0]} to {COUNTS[-1]} peers without allowed IPs",
                f"{got} of {count}")


def begin(nl):
    """Ask for a dump, read its first message only; the peers in it."""
    nl.send(CMD_GET, DEV, flags=NLM_F_DUMP)
    reader = nl.dump_messages()
    bodies = [body[4:] for kind, _, body in next(reader) if kind > NLMSG_DONE]
    return reader, bodies


def rest(nl, reader, bodies):
    """The rest of a dump: (interrupted, Device, errno name)."""
    interrupted, answer = False, None
    for batch in reader:
        for kind, flags, body in batch:
            interrupted |= bool(flags & NLM_F_DUMP_INTR)
            if kind in (NLMSG_ERROR, NLMSG_DONE):
                answer = nl.read_error(flags, body)
            else:
                bodies.append(body[4:])
    return interrupted, Device(bodies), answer.name


def disturbed(ktap, nl, other):
    """One change, at a known place of the dump."""

    def no_peers():
        other.must_set(DEV, u32(D_FLAGS, D_REPLACE_PEERS))

    def new_peers():
        other.must_set(DEV, u32(D_FLAGS, D_REPLACE_PEERS), peers(
            *(peer(key(number)) for number in range(1000, 1020))))

    def each_peer_alone():
        for number in range(1, 1 + WINDOW):
            other.must_set(DEV, peers(peer(key(number), flags=P_REMOVE)))

    def ips_of_all():
        for number in range(1, 1 + WINDOW):
            other.must_set(DEV, peers(peer(key(number), flags=P_REPLACE_IPS)))

    def behind():
        other.must_set(DEV, peers(entry(100)))

    for name, change in (("all peers go", no_peers),
                         ("all peers are replaced", new_peers),
                         ("peers go one by one", each_peer_alone),
                         ("all allowed IPs go", ips_of_all),
                         ("a peer comes", behind)):
        fill(other, range(1, 1 + WINDOW))
        reader, bodies = begin(nl)
        change()
        interrupted, device, code = rest(nl, reader, bodies)
        known = [numbers.get(parts[P_PUBLIC_KEY]) for parts, _ in device.peers]
        ktap.result(interrupted and code == "0" and None not in known,
                    f"{name} in the middle: the dump says so",
                    f"interrupted {interrupted}, {code}, {known}")
        interrupted, device = nl.dump("wg0")
        ktap.result(not interrupted, f"{name}: the next dump is whole")
    reader, bodies = begin(nl)
    run("ip", "link", "set", "wg0", "name", "wg5")
    run("ip", "link", "set", "wg5", "name", "wg0")
    _, device, code = rest(nl, reader, bodies)
    ktap.result(code == "0" and len(device.peers) == WINDOW + 1,
                "the interface is renamed in the middle")


def concurrent(ktap, nl, readers, rounds):
    """Dumps while another process changes the device all the time."""
    fill(nl, range(1, 1 + WINDOW))
    pid = os.fork()
    if not pid:
        try:
            mine, first = Netlink(), 1
            while True:
                slide(mine, first)
                first += 1
                # Long enough without a change for some dumps to be whole.
                if not first % 40:
                    signal.sigtimedwait([], 0.05)
        finally:
            os._exit(1)
    clean, broken, wrong = 0, 0, []
    try:
        for at in range(rounds):
            interrupted, device = readers[at % 2].dump("wg0")
            if interrupted:
                broken += 1
            else:
                clean += 1
                wrong += problems(device)
    finally:
        os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
    ktap.result(not wrong, f"{rounds} dumps beside changes", *wrong[:9])
    ktap.result(clean and broken, "some were interrupted, some were not",
                f"{clean} whole, {broken} interrupted")
    ktap.result(os.WIFSIGNALED(status), "the changes never failed")


def deleted(ktap, nl, other):
    """The interface goes away while a dump is open."""
    fill(other, range(1, 1 + WINDOW))
    reader, bodies = begin(nl)
    with subprocess.Popen(["ip", "link", "del", "wg0"]) as deletion:
        await_true(lambda: "wg0" not in os.listdir("/proc/sys/net/ipv4/conf"))
        _, device, code = rest(nl, reader, bodies)
        ktap.result(code == "0" and len(device.peers) <= WINDOW,
                    "the interface is deleted in the middle: the dump ends",
                    f"{code}, {len(device.peers)} peers")
        ended = await_true(lambda: deletion.poll() is not None)
        ktap.result(ended and deletion.returncode == 0, "and the deletion too")
        if not ended:
            deletion.kill()
            ktap.finish()
    run("ip", "link", "add", "wg0", "type", "wireguard")
    fill(nl, range(1, 1 + WINDOW))
    leaver = Netlink(size=SIZES[0])
    begin(leaver)
    leaver.close()
    with subprocess.Popen(["ip", "link", "del", "wg0"]) as deletion:
        ended = await_true(lambda: deletion.poll() is not None)
        ktap.result(ended and deletion.returncode == 0,
                    "a dump that is left open holds nothing")
        if not ended:
            deletion.kill()


def main():
    """Run all."""
    global WINDOW, MANY, COUNTS  # pylint: disable=global-statement
    parser = argparse.ArgumentParser(
        description=__doc__, usage=argparse.SUPPRESS,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        WINDOW, MANY, COUNTS = 20, 1500, range(27, 31)
    rounds = options.rounds or (40 if options.quick else 150)
    enter_namespace()
    ktap, writer = Ktap(), Netlink()
    readers = [Netlink(size=size) for size in SIZES]
    whole(ktap, writer, readers)
    disturbed(ktap, readers[0], writer)
    concurrent(ktap, writer, readers, rounds)
    deleted(ktap, readers[0], writer)
    ktap.finish()


if __name__ == "__main__":
    main()
