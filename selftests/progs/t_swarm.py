# SPDX-License-Identifier: GPL-2.0
"""Two thousand active peers on one device, and all of them reconnecting at
once.  Prints figures; judges only that every handshake ends."""
import os
import subprocess
import sys
import time

from wgtest import (INNER_A, Kernel, NS_A, NS_B, PORT, TMP, b64encode, check,
                    finish, inner, run)

SWARM = sys.argv[1]
COUNT = int(os.environ.get("WGI_SWARM_PEERS", "2000"))
SECONDS = float(os.environ.get("WGI_SWARM_SECONDS", "5"))
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
    stdout=subprocess.PIPE, text=True)
before, packets = kernel.stat("rx_bytes"), kernel.stat("rx_packets")
figures = {}
for line in swarm.stdout:
    words = line.split()
    took = dict(zip(words[1::2], map(float, words[2::2])))
    after, packets_after = kernel.stat("rx_bytes"), kernel.stat("rx_packets")
    rate = (after - before) * 8 / took["spent"] / 1e6
    figures[words[0]] = took
    what = f"{words[0]:<10} {took['spent']:6.2f} s"
    if words[0] != "traffic":
        what += f", last handshake after {took['last']:6.2f} s, " \
            f"{took['cookies']:.0f} cookies"
        check(took["open"] == 0, f"{words[0]}: all {COUNT} handshakes end")
    if words[0] != "connect":
        what += f", {rate:.0f} Mbit/s delivered, " \
            f"{(packets_after - packets) / max(took['sent'], 1):.0%} of sent"
    print("#   figure", what)
    before, packets = after, packets_after
check(swarm.wait() == 0 and len(figures) == 3, "the swarm has run through")
dates = [int(d) for d in kernel.show("latest-handshakes").values()]
now = time.time()
check(len(dates) == COUNT and all(now - d < 200 for d in dates),
      "all the peers have a recent handshake")
finish()
