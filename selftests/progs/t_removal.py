# SPDX-License-Identifier: GPL-2.0
"""Peers, the device, its namespace or the module go away under full load: a
swarm that sends data and shakes hands without end, packets towards it, and the
mode changing all the time where there is more than one."""
import os
import random
import subprocess
import sys
import threading
from base64 import b64decode

import wgnl
from wgtest import (INNER_A, NS_A, NS_B, PORT, await_, check, finish, need,
                    inside, run)
import wgproto as wp

WHAT, SWARM = sys.argv[1:3]
COUNT, ROUNDS = 150, 16
MODE = "/sys/class/net/wg0/wireguard/mode"
PRIVATE = wgnl.key(77)
SENDER = """
import socket, random
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        s.sendto(bytes(1300), ("10.0.0.%d" % random.randrange(150), 7000))
    except OSError:
        pass
"""
keys = [b64decode(line.split()[1]) for line in subprocess.run(
    [SWARM, "peers", str(COUNT)], capture_output=True, text=True,
    check=True).stdout.splitlines()]
with inside(NS_A):
    netlink = wgnl.Netlink()
children = []


def entry(number, **more):
    return wgnl.peer(keys[number], ips=[wgnl.ip(f"10.0.0.{number}", 32)],
                     **more)


def gone(number):
    return wgnl.peer(keys[number], flags=wgnl.P_REMOVE)


def change(*entries, replace=False):
    flags = wgnl.D_REPLACE_PEERS if replace else 0
    netlink.must_set(wgnl.ifname("wg0"), wgnl.u32(wgnl.D_FLAGS, flags),
                     wgnl.peers(*entries))


def received(number):
    """Bytes received from a peer, None where there is no such peer."""
    found = netlink.dump("wg0")[1].find(keys[number])
    return found and int.from_bytes(found[0][wgnl.P_RX_BYTES], sys.byteorder)


def served(number, what):
    before = received(number)
    check(before is not None and await_(lambda: received(number) > before, 60),
          what)


def build():
    """All but making the device: its key, peers, addresses."""
    netlink.must_set(wgnl.ifname("wg0"),
                     wgnl.attr(wgnl.D_PRIVATE_KEY, PRIVATE),
                     wgnl.u16(wgnl.D_LISTEN_PORT, PORT))
    change(*map(entry, range(COUNT)), replace=True)
    run(NS_A, "ip", "addr", "add", f"{INNER_A}/32", "dev", "wg0")
    run(NS_A, "ip", "link", "set", "wg0", "up")
    run(NS_A, "ip", "route", "add", "10.0.0.0/16", "dev", "wg0")


def make():
    run(NS_A, "ip", "link", "add", "wg0", "type", "wireguard")
    if os.environ["WGI_MODE"]:
        run(NS_A, "sh", "-c", f"echo {os.environ['WGI_MODE']} >{MODE}")
    build()


def start(ns, *words):
    children.append(subprocess.Popen(["ip", "netns", "exec", ns, *words]))


def stop():
    while children:
        child = children.pop()
        child.kill()
        child.wait()


def load():
    start(NS_B, SWARM, "storm", str(COUNT), wp.public_key(PRIVATE).hex(),
          "10.77.1.1", str(PORT))
    start(NS_A, sys.executable, "-c", SENDER)
    served(COUNT - 1, "there is traffic")


class Switch(threading.Thread):
    """Writes every mode in turn that the device takes."""

    def __init__(self):
        super().__init__(daemon=True)
        self.modes = [word for word in ("inline", "threaded", "softirq")
                      if self.write(word)]
        self.go = len(self.modes) > 1

    @staticmethod
    def write(word):
        return subprocess.run(
            ["ip", "netns", "exec", NS_A, "sh", "-c", f"echo {word} >{MODE}"],
            stderr=subprocess.DEVNULL).returncode == 0

    def run(self):
        while self.go:
            for word in self.modes:
                self.write(word)

    def end(self):
        self.go = False
        self.join()
        if os.environ["WGI_MODE"] and self.modes:
            check(self.write(os.environ["WGI_MODE"]), "the mode is back")


def plenty(number):
    """As received(), once that is more than a handshake or two."""
    return await_(lambda: (got := received(number)) > 20000 and got, 60)


def remove_peers():
    others = range(1, COUNT)
    for turn in range(ROUNDS):
        batch = random.sample(others, 1 if turn % 4 == 0 else 50)
        kept, other = plenty(0), plenty(batch[0])
        if turn % 4 < 2:
            change(*map(gone, batch))
            have = {parts[wgnl.P_PUBLIC_KEY]
                    for parts, _ in netlink.dump("wg0")[1].peers}
            if have != {keys[n] for n in range(COUNT) if n not in batch}:
                check(False, "only who was removed is gone")
            change(*map(entry, batch))
        elif turn % 4 == 2:
            change(*[one for n in batch for one in (gone(n), entry(n))])
        else:
            change(*map(entry, range(COUNT)), replace=True)
        if (received(0) >= kept) == (turn % 4 == 3):
            check(False, "who was removed has new counters, no one else")
        if received(batch[0]) >= other:
            check(False, "who was removed and added begins anew")
        if turn % 4 == 3:
            for number in 0, batch[0]:
                served(number, "who was removed and added is served again")


def remove_device():
    for _ in range(3):
        run(NS_A, "ip", "link", "del", "wg0")
        make()
        served(1, "another device serves them")


def remove_namespace():
    children[-1].kill()
    subprocess.run(["ip", "netns", "del", NS_A], check=True)
    netlink.close()
    need(await_(lambda: "vb" not in run(NS_B, "ip", "-br", "link"), 60),
         "the namespace is gone, with all in it")


build()
load()
if WHAT == "unload":
    subprocess.run(["rmmod", "wireguard"], check=True)
    check(not os.path.exists("/sys/module/wireguard"), "the module is gone")
    stop()
    finish()
switch = Switch()
if switch.go:
    switch.start()
    remove_peers()
    switch.end()
else:
    remove_peers()
remove_device()
remove_namespace()
stop()
finish()
