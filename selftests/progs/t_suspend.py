# SPDX-License-Identifier: GPL-2.0
"""A machine that goes to sleep leaves no secret in its memory: keypairs and
handshakes under way are wiped by the time that processes are frozen, as far as
which the kernel goes in its own test of suspending."""
import os

import wgproto as wp
from wglog import KeyLog
from wgtest import Kernel, await_, check, finish, skip
from wgtunnel import Tunnel, now

POWER, DELAY = "/sys/power/", "../module/suspend/parameters/pm_test_delay"


def power(name, text=None):
    with open(POWER + name, "r" if text is None else "w") as file:
        return file.read() if text is None else file.write(text)


if os.environ.get("WGI_KERNEL") == "host":
    skip("this machine is not to be put to sleep")
if not os.path.exists(POWER + "pm_test"):
    skip("this kernel cannot test suspending (CONFIG_PM_DEBUG)")
states = power("state").split()
if not {"freeze", "mem"} & set(states):
    skip("this kernel does not suspend")

kernel, keys = Kernel(), KeyLog()
tunnels = []
for number in range(4):
    tunnel = Tunnel(kernel, number)
    tunnel.id = keys.new_peer()
    if not tunnel.id:
        skip("this kernel's log does not show keypairs come and go")
    tunnels.append(tunnel)
answered, answering, both, waiting = tunnels
answered.name, answering.name = "the kernel answered", "the kernel asked"
both.name, waiting.name = "two keypairs", "the kernel asks"
answered.we_initiate()
answering.it_initiates()
both.it_initiates()
both.we_initiate(confirm=False)
for tunnel in tunnels[:3]:
    text = tunnel.name.encode()
    tunnel.send(text, tunnel.sessions[0])
    tunnel.need(tunnel.gets(text), "a session")
for tunnel, count in zip(tunnels, (1, 1, 2, 0)):
    tunnel.check(keys.count(tunnel.id) == count, f"{count} keypairs")

power("pm_test", "freezer")
delay = power(DELAY)
power(DELAY, "1")       # a second, so that no retry comes meanwhile
waiting.say(b"waits")
_, hello, kind = waiting.next()
waiting.need(kind == wp.INITIATION, "an initiation that is open")
began = now()
try:
    power("state", "freeze" if "freeze" in states else "mem")
    check(True, f"asleep and awake again in {now() - began:.1f} s")
except OSError as error:
    skip(f"this machine does not freeze its processes: {error.strerror}")
finally:
    power("pm_test", "none")
    power(DELAY, delay)

for tunnel in tunnels:
    tunnel.check(await_(lambda: keys.count(tunnel.id) == 0),
                 "the keypairs are gone")
waiting.respond(hello)
moment, retry, kind = waiting.next()
waiting.need(kind == wp.INITIATION,
             "no answer is taken to an initiation from before, another comes")
waiting.respond(retry)
waiting.check(waiting.next()[2] == (1, b"waits"), "which can be answered")
for tunnel in tunnels[:3]:
    tunnel.link.drain(0.05)
    tunnel.send(b"from before", tunnel.sessions[0])
    tunnel.check(not tunnel.gets(b"from before", 0.3),
                 "nothing opens what is sealed by the old key")
    old = len(tunnel.sessions)
    tunnel.it_initiates(b"from afterwards")
    tunnel.check(len(tunnel.sessions) == old + 1, "a new one is made")
finish()
