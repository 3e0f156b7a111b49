# SPDX-License-Identifier: GPL-2.0
"""What the module says about its own work: counters, flags, tracepoints."""
import fcntl
import re
import struct
import termios

import wgproto as wp
from wgtest import (ADDR4, INNER_B, Kernel, Link, NS_A, PEER4B, Peer, arrived,
                    await_, check, datagram, finish, initiate, inner, need, os,
                    pace, passes, run, skip_rest, spoil, subprocess)

MODES = ("inline", "threaded", "softirq")
MODE_FILE = "/sys/class/net/wg0/wireguard/mode"
TRACEFS = "/sys/kernel/tracing"
mode = os.environ["WGI_MODE"] or "inline"

kernel, link = Kernel(), Link()
peer = kernel.add(Peer())
sock = inner()


# ------------------------------------------------------------- counters --

def counters():
    """{name without its CPU: sum over CPUs}"""
    sums = {}
    for line in run(NS_A, "ethtool", "-S", "wg0").splitlines()[1:]:
        name, value = line.split(":")
        name = re.sub(r"(^|_)cpu\d+(?=_)", "", name.strip()).strip("_")
        sums[name] = sums.get(name, 0) + int(value)
    return sums


def drops(values):
    return {n: v for n, v in values.items() if "_drop_" in n}


def dropped(what, cause, count, act, *others):
    """ACT makes COUNT drops of CAUSE, and none of another but OTHERS."""
    before = drops(counters())
    act()

    def moved():
        now = drops(counters())
        return {n: v - before[n] for n, v in now.items()
                if v != before[n] and n not in others}

    await_(lambda: moved().get(cause, 0) >= count)
    check(moved() == {cause: count}, f"{what}: {cause} {count}, saw {moved()}")


def send_all(*packets):
    for packet in packets:
        link.send(packet)


session = initiate(kernel, peer, link)
need(session is not None, "a handshake")
passes(link, session, sock, "data")

names = counters()
need(all(f"{m}_{w}" in names for m in MODES for w in
         ("rx_packets", "rx_batches", "tx_packets", "tx_batches", "opened",
          "sealed", "rx_batches_1", "tx_batches_64_up")),
     "every mode has its counters")

used = session.seal(datagram(b"once"))
link.send(used)
need(arrived(sock) == b"once", "a packet arrives")
dropped("the same once more, thrice", "rx_drop_replay", 3,
        lambda: send_all(used, used, used))
dropped("two spoilt tags", "rx_drop_bad_tag", 2,
        lambda: send_all(spoil(session.seal(datagram(b"a"))),
                         spoil(session.seal(datagram(b"b")), 20)))
dropped("an index that is nobody's", "rx_drop_no_key", 2,
        lambda: send_all(*2 * [spoil(session.seal(datagram(b"a")), 5)]))
dropped("messages of no type, and too short", "rx_drop_malformed", 4,
        lambda: send_all(b"\5" + bytes(147), b"\1\0\0\0" + bytes(100),
                         b"\4\0\0\0" + bytes(27), b"x"))
dropped("a source that is not the peer's", "rx_drop_bad_source", 2,
        lambda: send_all(*[session.seal(datagram(b"s", src=s))
                           for s in ("10.66.0.3", "8.8.8.8")]))
dropped("an inside that is no packet", "rx_drop_bad_length", 1,
        lambda: send_all(session.seal(bytes(64))))
hello = wp.Initiation(peer.private, kernel.public).packet
dropped("a handshake message without its MAC", "rx_drop_bad_mac", 1,
        lambda: send_all(spoil(hello, 120)))
stranger = wp.Initiation(os.urandom(32), kernel.public).packet
dropped("a handshake of nobody we know", "rx_drop_bad_handshake", 1,
        lambda: send_all(stranger))

out = inner(port=9)
kernel.add(Peer(allowed="10.66.0.9/32"))
run(NS_A, "ip", "route", "add", "10.77.9.0/24", "dev", "wg0")


def refused(address):
    try:
        out.sendto(b"nowhere", (address, 7000))
    except OSError:
        pass


dropped("an address that is nobody's", "tx_drop_no_peer", 1,
        lambda: refused("10.77.9.9"))
dropped("a peer without an endpoint", "tx_drop_no_endpoint", 1,
        lambda: refused("10.66.0.9"))
silent = kernel.add(Peer(allowed="10.66.0.10/32"), "endpoint",
                    f"{PEER4B}:9")
dropped("more than may wait for a handshake", "tx_drop_no_key", 22,
        lambda: [out.sendto(b"wait", ("10.66.0.10", 7000))
                 for _ in range(150)])
unsent, = struct.unpack("i", fcntl.ioctl(out, termios.TIOCOUTQ, bytes(4)))
check(unsent == 0, f"who waits for a key is not held by it: {unsent} bytes")
dropped("what waits, when the peer goes", "tx_drop_closed", 128,
        lambda: kernel.remove(silent))

# A super-packet that goes nowhere has not been sent, in none of its parts.
run(NS_A, "ip", "route", "del", "10.77.1.0/24", "dev", "va")
sent = kernel.stat("tx_packets")
out.setsockopt(17, 103, 100)                            # SOL_UDP, UDP_SEGMENT
dropped("no route to the endpoint", "tx_drop_no_route", 20,
        lambda: out.sendto(bytes(2000), (INNER_B, 7000)))
check(kernel.stat("tx_packets") == sent, "what has no route was not sent")
run(NS_A, "ip", "route", "add", "10.77.1.0/24", "dev", "va", "src", ADDR4)

# Nor has one that a queue of the cable has no room for.
run(NS_A, "tc", "qdisc", "add", "dev", "va", "root", "netem", "delay", "60s",
    "limit", "1")
lost = kernel.stat("tx_dropped")


def moved():
    return kernel.stat("tx_packets") - sent, kernel.stat("tx_dropped") - lost


for _ in range(2):
    out.sendto(bytes(2000), (INNER_B, 7000))
await_(lambda: sum(moved()) >= 40)
check(moved() == (20, 20), f"of 2 x 20 packets 20 are sent, 20 dropped, saw {moved()}")
run(NS_A, "tc", "qdisc", "del", "dev", "va", "root")
out.setsockopt(17, 103, 0)

# ------------------------------------------- packets, in each mode's own --


def write_mode(word):
    run(NS_A, "sh", "-c", f"echo {word} >{MODE_FILE}")


def read_mode():
    return run(NS_A, "cat", MODE_FILE).strip()


def traffic(word):
    """Packets both ways are counted in the mode that the device is in."""
    def both_ways():
        out.sendto(b"back", (INNER_B, 7000))
        return link.expect(wp.DATA) is not None

    before = counters()
    for _ in range(5):
        passes(link, session, sock, f"{word}: in")
    check(all(both_ways() for _ in range(5)), f"{word}: and out")
    want = {f"{word}_{n}": 5 for n in ("rx_packets", "tx_packets", "opened",
                                        "sealed")}

    def moved():
        now = counters()
        return {n: now[n] - before[n] for n in now if now[n] != before[n]}

    # A keepalive of ours may come beside, so at least; but never elsewhere.
    check(await_(lambda: all(moved().get(n, 0) >= v for n, v in want.items())),
          f"{word}: counted, {moved()}")
    now = moved()
    check(all(n.startswith(word + "_") for n in now), f"{word}: only there")
    for path in ("rx", "tx"):
        sizes = [n for n in now if re.match(rf"{word}_{path}_batches_\d", n)]
        check(now.get(f"{word}_{path}_batches") == sum(now[n] for n in sizes),
              f"{word}: each {path} batch has its size")


dump = run(NS_A, "wg", "show", "wg0", "dump").splitlines()
for word in MODES:
    write_mode(word)
    traffic(word)
check([len(line.split("\t")) for line in
       run(NS_A, "wg", "show", "wg0", "dump").splitlines()] ==
      [len(line.split("\t")) for line in dump] == [4, 8, 8],
      "wg show dump has stock's columns")

# -------------------------------------------------------- private flags --


def flags():
    return {line.split(":")[0].strip(): line.split(":")[1].strip() for line in
            run(NS_A, "ethtool", "--show-priv-flags",
                "wg0").splitlines()[1:]}


def set_flags(*words):
    run(NS_A, "ethtool", "--set-priv-flags", "wg0", *words)


def expect(what, word, threaded):
    got = flags()
    check(read_mode() == word and got == {
        "inline": "on" if word == "inline" else "off",
        "threaded": "on" if threaded else "off"},
        f"{what}: mode {word}; saw {read_mode()}, {got}")


for last in ("threaded", "softirq"):
    threaded = last == "threaded"
    write_mode(last)
    expect(f"{last} written", last, threaded)
    set_flags("inline", "on")
    expect("inline on", "inline", threaded)
    passes(link, session, sock, "data")
    set_flags("inline", "off")
    expect("inline off: the last pipeline", last, threaded)
    passes(link, session, sock, "data")
set_flags("threaded", "on")
expect("threaded on", "threaded", True)
set_flags("threaded", "off")
expect("threaded off", "softirq", False)
set_flags("inline", "on", "threaded", "on")
expect("both on", "inline", True)
set_flags("threaded", "off")
expect("threaded off when inline", "inline", False)
set_flags("inline", "off")
expect("inline off after that", "softirq", False)

# At first: what stock does, which is to be seen in the core where it has threads
# from the start, and only there.
run(NS_A, "ip", "link", "add", "wg5", "type", "wireguard")
run(NS_A, "sh", "-c", "echo inline >/sys/class/net/wg5/wireguard/mode")
first = run(NS_A, "ethtool", "--show-priv-flags", "wg5").split("threaded")[1]
run(NS_A, "ethtool", "--set-priv-flags", "wg5", "inline", "off")
word = run(NS_A, "cat", "/sys/class/net/wg5/wireguard/mode").strip()
check(word == ("threaded" if " on" in first else "softirq"),
      f"inline off on a new device leads to what the flag said: {word}")
run(NS_A, "ip", "link", "del", "wg5")

# As in sysfs: the capability in the namespace of the device.
write_mode(mode)
done = subprocess.run(
    ["ip", "netns", "exec", NS_A, "setpriv", "--bounding-set=-net_admin",
     "--inh-caps=-net_admin", "ethtool", "--set-priv-flags", "wg0", "inline",
     "off" if mode == "inline" else "on"], capture_output=True, text=True)
check(done.returncode and "not permitted" in done.stderr and
      read_mode() == mode, "no switch without CAP_NET_ADMIN")
done = subprocess.run(
    ["unshare", "-U", "-r", "-n", "sh", "-ec", """
     ip link add wg0 type wireguard
     ethtool --set-priv-flags wg0 inline off
     ethtool --show-priv-flags wg0 | grep -q 'inline *: off'
     ethtool --set-priv-flags wg0 inline on
     ethtool --show-priv-flags wg0 | grep -q 'inline *: on'"""],
    capture_output=True, text=True)
if "unshare" in done.stderr:
    print(f"# no user namespaces: {done.stderr.strip()}")
else:
    check(not done.returncode, f"root of a namespace may: {done.stderr}")

# ---------------------------------------------------------- tracepoints --


def write(path, text):
    with open(f"{TRACEFS}/{path}", "w") as file:
        file.write(text)


if not os.path.exists(f"{TRACEFS}/events"):
    subprocess.run(["mount", "-t", "tracefs", "none", TRACEFS],
                   capture_output=True)
if not os.path.exists(f"{TRACEFS}/events"):
    skip_rest("this kernel has no tracepoints")
instance = "instances/wgi"
os.mkdir(f"{TRACEFS}/{instance}")
try:
    write(f"{instance}/events/wireguard/enable", "1")
    number = len(os.listdir(f"{TRACEFS}/events/wireguard")) - 2
    check(number == 4, f"{number} tracepoints")

    def seen(pattern):
        def look():
            with open(f"{TRACEFS}/{instance}/trace") as file:
                return re.search(pattern, file.read())
        return check(await_(look), f"trace: {pattern}")

    link.send(used)
    seen(r"wg_drop: dev=wg0 peer=[1-9]\d* path=rx cause=replay packets=1")
    link.send(b"\4\0\0\0" + bytes(60))
    seen(r"wg_drop: dev=wg0 peer=0 path=rx cause=no_key packets=1")
    link.send(spoil(session.seal(datagram(b"a"))))
    seen(r"wg_drop: dev=wg0 peer=[1-9]\d* path=rx cause=bad_tag packets=1")
    write_mode("inline")
    write_mode("threaded")
    set_flags("inline", "on")
    seen(r"wg_mode: dev=wg0 from=inline to=threaded")
    seen(r"wg_mode: dev=wg0 from=threaded to=inline")
    # The core says nothing when its own flag is written: the next packet shows it.
    write_mode("threaded")
    run(NS_A, "sh", "-c", "echo 0 >/sys/class/net/wg0/threaded")
    passes(link, session, sock, "data, after the core's flag was written")
    seen(r"wg_mode: dev=wg0 from=threaded to=softirq")
    pace()
    session = initiate(kernel, peer, link)
    need(session is not None, "a handshake, as responder")
    passes(link, session, sock, "its first packet")
    for what in ("initiation_received", "response_sent", "complete"):
        seen(rf"wg_handshake: dev=wg0 peer=[1-9]\d* {what}")
    seen(r"wg_keypair: dev=wg0 peer=[1-9]\d* keypair=[1-9]\d* created")
    kernel.rekey()
    seen(r"wg_keypair: dev=wg0 peer=[1-9]\d* keypair=[1-9]\d* expired")
    out.sendto(b"again", (INNER_B, 7000))
    seen(r"wg_handshake: dev=wg0 peer=[1-9]\d* initiation_sent")
    kernel.remove(peer)
    seen(r"wg_keypair: dev=wg0 peer=[1-9]\d* keypair=[1-9]\d* destroyed")
finally:
    write(f"{instance}/events/wireguard/enable", "0")
    os.rmdir(f"{TRACEFS}/{instance}")
finish()
