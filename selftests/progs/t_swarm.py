# SPDX-License-Identifier: GPL-2.0
"""Two thousand active peers on one device, all of them reconnecting at once,
and some of them removed.  Prints figures; judges only that every handshake ends
and that who was not removed is still served."""
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from base64 import b64decode

import wgnl
from wgtest import (FACTOR, Kernel, NS_A, NS_B, PORT, TMP, await_, b64encode,
                    check, finish, inner, inside, run)

SWARM = sys.argv[1]
COUNT = int(os.environ.get("WGI_SWARM_PEERS", "2000"))
SECONDS = float(os.environ.get("WGI_SWARM_SECONDS", "5"))
SINGLY, TOGETHER = 20, COUNT // 4


class Rtnl(threading.Thread):
    """How long the RTNL lock was to be waited for, at worst: asks for it all
    the time, by a change of the loopback device that changes nothing."""

    def __init__(self):
        super().__init__(daemon=True)
        self.worst, self.asked, self.go = 0.0, 0, True
        with inside(NS_A):
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.sock.bind((0, 0))

    def run(self):
        request = struct.pack("=IHHIIBBHiII", 32, 16 + 3, 1 | 4, 1, 0,
                              0, 0, 0, 1, 0, 0)
        while self.go:
            start = time.monotonic()
            self.sock.send(request)
            code, = struct.unpack_from("=i", self.sock.recv(4096), 16)
            if code:
                raise OSError(-code, "RTM_SETLINK")
            self.worst = max(self.worst, time.monotonic() - start)
            self.asked += 1
            time.sleep(0.001)

    def since(self):
        """The longest wait since the last call, one under way included."""
        asked = self.asked
        await_(lambda: self.asked > asked + 1)
        worst, self.worst = self.worst, 0.0
        return worst


def removal(names):
    """Remove peers one by one, then many in one request, beside the traffic."""
    with inside(NS_A):
        netlink = wgnl.Netlink()
    keys = [b64decode(name) for name in names[:SINGLY + TOGETHER]]
    rtnl = Rtnl()
    rtnl.start()
    time.sleep(0.3)
    waits, times = [rtnl.since()], []
    for batch in [[key] for key in keys[:SINGLY]] + [keys[SINGLY:]]:
        entries = [wgnl.peer(key, flags=wgnl.P_REMOVE) for key in batch]
        start = time.monotonic()
        netlink.must_set(wgnl.ifname("wg0"), wgnl.peers(*entries))
        times.append(time.monotonic() - start)
        if len(times) in (SINGLY, SINGLY + 1):
            waits.append(rtnl.since())
    rtnl.go = False
    rtnl.join()
    singly = sorted(times[:-1])
    print("#   figure removing one busy peer takes "
          f"{singly[len(singly) // 2] * 1e3:.1f} ms, at worst "
          f"{singly[-1] * 1e3:.1f} ms; {len(keys) - SINGLY} of them in one "
          f"request {times[-1] * 1e3:.1f} ms")
    print("#   figure longest wait for RTNL: with traffic alone "
          f"{waits[0] * 1e3:.1f} ms, while removing one by one "
          f"{waits[1] * 1e3:.1f} ms, many at once {waits[2] * 1e3:.1f} ms")
    left = kernel.show("latest-handshakes")
    check(len(left) == COUNT - len(keys), "who was removed is gone")


def transfers():
    """Bytes received, by peer."""
    return {name: int(value.split()[0])
            for name, value in kernel.show("transfer").items()}


def all_served(then):
    """Has something come since from all who were there?"""
    now = transfers()
    return all(now[name] > then[name] for name in then)


kernel = Kernel()
sink = inner()
lines = subprocess.run([SWARM, "peers", str(COUNT)], capture_output=True,
                       text=True, check=True).stdout.splitlines()
config = os.path.join(TMP, "swarm.conf")
with open(os.open(config, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
    file.write("[Interface]\nPrivateKey = %s\nListenPort = %d\n" %
               (b64encode(kernel.private).decode(), PORT))
    for line in lines:
        index, name = line.split()
        number = 0x0A000000 + int(index)
        address = ".".join(str(number >> s & 255) for s in (24, 16, 8, 0))
        file.write(f"[Peer]\nPublicKey = {name}\nAllowedIPs = {address}/32\n")
run(NS_A, "wg", "setconf", "wg0", config)
swarm = subprocess.Popen(
    ["ip", "netns", "exec", NS_B, SWARM, "run", str(COUNT),
     kernel.public.hex(), "10.77.1.1", str(PORT), str(SECONDS)],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
before, packets = kernel.stat("rx_bytes"), kernel.stat("rx_packets")
figures = {}
for line in swarm.stdout:
    words = line.split()
    took = dict(zip(words[1::2], map(float, words[2::2])))
    after, packets_after = kernel.stat("rx_bytes"), kernel.stat("rx_packets")
    rate = (after - before) * 8 / took["spent"] / 1e6
    figures[words[0]] = took
    what = f"{words[0]:<10} {took['spent']:6.2f} s"
    if words[0] in ("connect", "reconnect"):
        what += f", last handshake after {took['last']:6.2f} s, " \
            f"{took['cookies']:.0f} cookies"
        check(took["open"] == 0, f"{words[0]}: all {COUNT} handshakes end")
    if words[0] != "connect":
        what += f", {rate:.0f} Mbit/s delivered, " \
            f"{(packets_after - packets) / max(took['sent'], 1):.0%} of sent"
    print("#   figure", what)
    before, packets = after, packets_after
    if words[0] == "reconnect":
        dates = [int(d) for d in kernel.show("latest-handshakes").values()]
        check(len(dates) == COUNT and
              all(time.time() - d < 200 for d in dates),
              "all the peers have a recent handshake")
        removal([line.split()[1] for line in lines])
        served = transfers()
        # In overload a peer may have bad luck more than once.
        check(await_(lambda: all_served(served), 60 * FACTOR),
              "all who were not removed are served afterwards")
        swarm.stdin.close()
check(swarm.wait() == 0 and len(figures) == 4, "the swarm has run through")
finish()
