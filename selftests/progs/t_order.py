# SPDX-License-Identifier: GPL-2.0
"""Within a flow packets arrive in the order sent, and once: across the end of
a handshake, from many CPUs, from a sender that hops between CPUs."""
import os
import random
import socket
import struct
import time

from wgtest import (INNER_B, NS_A, NS_B,
                    SO_RCVBUFFORCE, await_,
                    check, finish, inside, join, need, run)

FLOWS = 4
EACH = 1200
a, b, pa, pb = join()
cpus = sorted(os.sched_getaffinity(0))
sinks, sources = [], []
for flow in range(FLOWS):
    with inside(NS_B):
        sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
    sink.bind((INNER_B, 7100 + flow))
    sink.setblocking(False)
    sinks.append(sink)
    with inside(NS_A):
        source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    source.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
    source.connect((INNER_B, 7100 + flow))
    sources.append(source)
got = [[] for _ in sinks]


def take():
    count = 0
    for sink, numbers in zip(sinks, got):
        while True:
            try:
                numbers.append(struct.unpack("<I", sink.recv(2048)[:4])[0])
                count += 1
            except BlockingIOError:
                break
    return count


def send(flow, number):
    size = 4 + number * 37 % 1000
    sources[flow].send(struct.pack("<I", number) + bytes(size))


def judge(what, lossless=None):
    """Sort out what has come: order and doubles always, loss if asked."""
    for flow, numbers in enumerate(got):
        late = sum(1 for x, y in zip(numbers, numbers[1:]) if y < x)
        twice = len(numbers) - len(set(numbers))
        check(numbers and not late and not twice,
              f"{what}, flow {flow}: {len(numbers)} packets, {late} out of "
              f"order, {twice} doubled")
        if lossless is not None:
            check(numbers == list(range(lossless)), "and none lost")
        numbers.clear()


# One direction of the wire is slow, so that the handshake takes its time; the
# flows go on until it has ended and beyond, without overflowing the stage.
slow = not run(NS_B, "sh", "-c", "tc qdisc add dev vb root netem delay 1s "
               "2>/dev/null || echo no").strip()
print(f"# {'' if slow else 'no netem here: '}the handshake is "
      f"{'slowed' if slow else 'as fast as it comes'}")
number = 0
while number < 30:
    for flow in range(FLOWS):
        send(flow, number)
    number += 1
check(not slow or not take(), "120 packets wait for the handshake")
while not await_(take):
    need(False, "the handshake ends")
for number in range(30, 400):
    for flow in range(FLOWS):
        send(flow, number)
    # No queue on the way holds all of them at once.
    await_(lambda: take() * 0 + min(map(len, got)) > number - 50, 5)
await_(lambda: take() * 0 + min(map(len, got)) >= 400, 5)
judge("across the end of the handshake", 400)
run(NS_B, "tc", "qdisc", "del", "dev", "vb", "root", may_fail=True)


def volley(what, sender, bounce=False):
    """All flows at once, each SENDER in a process of its own."""
    children = []
    for flow in range(FLOWS):
        child = os.fork()
        if not child:
            sender(flow)
            os._exit(0)
        children.append(child)
    waiting, bounces = set(children), 0
    while waiting:
        take()
        if bounce and bounces < 3 and min(map(len, got)) > 100 * (bounces + 1):
            b.ip("link", "set", "wg0", "down")
            b.up()
            bounces += 1
            run(NS_B, "ping", "-c1", "-W2", "10.66.0.1", may_fail=True)
        for child in list(waiting):
            if os.waitpid(child, os.WNOHANG)[0]:
                waiting.discard(child)
        time.sleep(0.001)
    while await_(take, 0.3):
        pass
    if bounce:
        check(bounces > 0, f"the receiver has lost its keys {bounces} times")
    judge(what)


def pin(flow):
    os.sched_setaffinity(0, {cpus[flow % len(cpus)]})


def pinned(flow):
    pin(flow)
    for number in range(EACH):
        send(flow, number)
        if number % 32 == 31:
            time.sleep(0.001)


def hopping(flow):
    chance = random.Random(flow)
    for number in range(EACH):
        if number % 16 == 0:
            os.sched_setaffinity(0, {chance.choice(cpus)})
        send(flow, number)
        if number % 64 == 63:
            time.sleep(0.001)


def slowly(flow):
    for number in range(EACH):
        send(flow, number)
        if number % 4 == 3:
            time.sleep(0.001)


def flat_out(flow):
    for number in range(EACH):
        send(flow, number)


volley("each flow from its own CPU", pinned)
volley("flows that hop between CPUs", hopping)
volley("as fast as it goes", flat_out)
volley("while the receiver starts anew", slowly, bounce=True)


def pinned_flat_out(flow):
    pin(flow)
    flat_out(flow)


# Where nothing is steered, a CPU's packets are in a backlog of its own: what a flow
# sends from one CPU has to leave from one, whoever sealed it. But not where that CPU
# stands still for so long that others do its work, as emulated ones do beside others.
if os.environ.get("WGI_EMULATED") == "1":
    print("# emulated: nothing is said of what is not steered")
    finish()
for end, device in ((NS_A, "va"), (NS_B, "vb")):
    run(end, "sh", "-c", f"echo 0 >/sys/class/net/{device}/queues/rx-0/rps_cpus")
for turn in range(3):
    volley("each flow from its own CPU, not steered", pinned)
    volley("as fast as it goes from its own CPU, not steered", pinned_flat_out)
finish()
