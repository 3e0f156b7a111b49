# SPDX-License-Identifier: GPL-2.0
"""Numbered packets both ways, while the mode of one end, the other, or both
changes. Nothing is lost, doubled or out of order, with switches or without.

    t_switch.py LEFT RIGHT COUNT     namespaces with wg1 and wg2
"""
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import time

LEFT, RIGHT, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
MODES = ["inline", "threaded", "softirq"]
PAIRS = [(x, y) for x in MODES for y in MODES if x != y]
PORT = 7000
WINDOW = 400            # packets under way at most, so that no queue overflows
SHARE = 0.8             # of the slowest mode's capacity
SPREAD = 60             # seconds that the switches, and the control run, last
SIZES = [12, 1300, 300, 700]
children = []


def failed(what):
    print(f"FAIL: {what}")
    sys.exit(1)


class Meter:
    """Counters that two processes share."""
    NAMES = ["sent", "got", "lost", "late", "twice", "rate", "ready"]

    def __init__(self):
        object.__setattr__(self, "map", mmap.mmap(-1, 8 * len(self.NAMES)))

    def __getattr__(self, name):
        at = 8 * self.NAMES.index(name)
        return struct.unpack_from("=q", self.map, at)[0]

    def __setattr__(self, name, value):
        struct.pack_into("=q", self.map, 8 * self.NAMES.index(name), value)


def enter(namespace):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}") as file:
        if libc.setns(file.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")


def child(work, *args):
    pid = os.fork()
    if not pid:
        try:
            work(*args)
        finally:
            os._exit(1)
    children.append(pid)


def receive(meter, namespace, address):
    """Sorts out what comes. What is missing may still come late."""
    enter(namespace)
    sock = socket.socket(socket.AF_INET6 if ":" in address else
                         socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)     # SO_RCVBUFFORCE
    sock.bind((address, PORT))
    meter.ready = 1
    expected, missing = 0, set()
    while True:
        number = struct.unpack_from("=Q", sock.recv(2048))[0]
        if number == expected:
            expected += 1
        elif number > expected:
            missing.update(range(expected, number))
            expected = number + 1
        elif number in missing:
            missing.discard(number)
            meter.late += 1
        else:
            meter.twice += 1
            continue
        meter.lost = len(missing)
        meter.got += 1


def send(meter, namespace, address):
    """At meter.rate packets a second, 0 for as fast as they come out."""
    enter(namespace)
    sock = socket.socket(socket.AF_INET6 if ":" in address else
                         socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((address, PORT))
    packets = [bytes(size) for size in SIZES]
    number, start, base, rate = 0, time.monotonic(), 0, -1
    while True:
        if meter.rate != rate:
            rate, start, base = meter.rate, time.monotonic(), number
        allowed = number + 1
        if rate > 0:
            allowed = base + (time.monotonic() - start) * rate
        allowed = min(allowed, meter.got + meter.lost + WINDOW)
        if rate < 0 or number >= allowed:
            time.sleep(0.0005)
            continue
        sock.send(struct.pack("=Q", number) + packets[number % len(packets)])
        number += 1
        meter.sent = number


class Switch:
    """Writes modes in one namespace, which has to be entered for its /sys."""
    LOOP = """while read -r word; do
                  echo "$word" >"$1" || exit 1
                  read -r now <"$1" && echo "$now"
              done"""

    def __init__(self, namespace, device):
        self.shell = subprocess.Popen(
            ["ip", "netns", "exec", namespace, "bash", "-c", self.LOOP, "sh",
             f"/sys/class/net/{device}/wireguard/mode"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, word):
        self.shell.stdin.write(word + "\n")
        self.shell.stdin.flush()

    def answer(self, word):
        said = self.shell.stdout.readline().strip()
        if said != word:
            failed(f"mode {word} was written, {said!r} read back")


def settle(meters, seconds=10):
    """Waits for what is under way. When nothing has come for so many seconds,
    what has not come is lost."""
    for meter in meters:
        meter.rate = -1
    last, limit, quiet = None, 0, 0
    while quiet < 20:
        now = [(m.sent, m.got) for m in meters]
        if now != last:
            last, limit, quiet = now, time.monotonic() + seconds, 0
        elif all(sent == got for sent, got in now):
            quiet += 1
        elif time.monotonic() > limit:
            return
        time.sleep(0.01)


def where():
    """What the devices say that they have dropped."""
    for namespace in (LEFT, RIGHT):
        said = subprocess.run(
            ["nsenter", f"--net=/run/netns/{namespace}", "cat",
             "/proc/net/dev"], check=True, capture_output=True,
            text=True).stdout.splitlines()
        for line in said[2:]:
            name, numbers = line.split(":")
            rx, tx = numbers.split()[1:4], numbers.split()[9:12]
            print(f"# {namespace} {name.strip()}: packets, errors, dropped: "
                  f"in {' '.join(rx)}, out {' '.join(tx)}")


def judge(what, meters):
    settle(meters)
    for pid in children:
        if os.waitpid(pid, os.WNOHANG)[0]:
            children.remove(pid)
            failed(f"{what}: a sender or receiver has ended")
    for name, meter in zip(("to the right", "to the left"), meters):
        lost = meter.sent - meter.got
        print(f"# {what}, {name}: {meter.sent} packets so far, {lost} lost, "
              f"{meter.late} out of order, {meter.twice} doubled")
        if lost or meter.late or meter.twice or not meter.got:
            where()
            failed(f"{what}, {name}: expected every packet once and in order; "
                   f"of {meter.sent} {lost} lost, {meter.late} out of order, "
                   f"{meter.twice} doubled; handshakes {latest()}, now "
                   f"{time.time():.0f}")


def capacity(meters):
    """Of the slower direction, both at once, in packets a second."""
    before = [m.got for m in meters]
    for meter in meters:
        meter.rate = 0
    time.sleep(1)
    after = [m.got for m in meters]
    settle(meters)
    return min(y - x for x, y in zip(before, after))


def tcp_counters():
    """Of both ends: retransmitted, and received out of order."""
    total = {"RetransSegs": 0, "TCPOFOQueue": 0, "TCPDSACKRecv": 0}
    for namespace in (LEFT, RIGHT):
        said = subprocess.run(
            ["nsenter", f"--net=/run/netns/{namespace}", "sh", "-c",
             "cat /proc/net/snmp /proc/net/netstat"], check=True,
            capture_output=True, text=True).stdout.splitlines()
        for names, values in zip(said[::2], said[1::2]):
            for name, value in zip(names.split(), values.split()):
                if name in total:
                    total[name] += int(value)
    # What the other end says that it had already was not lost.
    needed = max(total["RetransSegs"] - total["TCPDSACKRecv"], 0)
    return needed, total["TCPOFOQueue"]


def measured(what, meters, rate, work):
    """Runs WORK under load; returns what TCP had to repeat, and to sort."""
    before = tcp_counters()
    for meter in meters:
        meter.rate = rate
    work()
    judge(what, meters)
    after = tcp_counters()
    return [y - x for x, y in zip(before, after)]


def main():
    meters = [Meter(), Meter()]
    ends = [(LEFT, RIGHT, "10.70.0.2"), (RIGHT, LEFT, "fd70::1")]
    for meter, (source, sink, address) in zip(meters, ends):
        meter.rate = -1
        child(receive, meter, sink, address)
        while not meter.ready:
            time.sleep(0.01)
        child(send, meter, source, address)
    switches = [Switch(LEFT, "wg1"), Switch(RIGHT, "wg2")]

    def put(who, word):
        for switch in who:
            switch.ask(word)
        for switch in who:
            switch.answer(word)

    slowest = None
    for mode in MODES:
        put(switches, mode)
        seen = capacity(meters)
        print(f"# {mode}: {seen} packets a second each way")
        slowest = seen if slowest is None else min(slowest, seen)
    rate = max(int(slowest * SHARE), 10)
    judge("at capacity, each mode in turn", meters)

    took = 0

    def switch_all():
        nonlocal took
        start = time.monotonic()
        for step in range(COUNT):
            pause = start + step * SPREAD / COUNT - time.monotonic()
            time.sleep(max(pause, 0))
            who = [switches[:1], switches[1:], switches][step // 6 % 3]
            before, after = PAIRS[step % 6]
            # Six pairs that follow on each other are all transitions.
            put(who, before)
            put(who, after)
        took = time.monotonic() - start

    # Where both ends began at once, one of them tries again after 5 s.
    while age() < 8:
        time.sleep(0.1)
    handshakes = latest()
    with_switches = measured(f"{COUNT} switches", meters, rate, switch_all)
    kept, young = latest(), age() < 110
    control = measured("control run", meters, rate,
                       lambda: time.sleep(max(took, SPREAD)))
    print(f"# {COUNT} switches in {took:.1f} s at {rate} packets a second: "
          f"TCP sent again, sorted {with_switches}; in the control run "
          f"{control}")
    if young and kept != handshakes:
        failed(f"the keys of before the switches, {handshakes}, are not those "
               f"of afterwards, {kept}")
    if with_switches[1] > control[1]:
        failed("TCP found more packets out of order than without switches")
    if with_switches[0] > control[0]:
        failed("TCP had to repeat more than without switches")


def latest():
    return [subprocess.run(
        ["nsenter", f"--net=/run/netns/{ns}", "wg", "show", device,
         "latest-handshakes"], check=True, capture_output=True,
        text=True).stdout for ns, device in ((LEFT, "wg1"), (RIGHT, "wg2"))]


def age():
    """Of the younger end's session, in seconds."""
    return time.time() - max(int(said.split()[1]) for said in latest())


try:
    main()
finally:
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
