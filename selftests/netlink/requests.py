#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Requests of every kind, wrong ones above all: what is answered, what changes.

usage: requests.py [--log FILE] [--stock | --ours]

Runs in network namespaces of its own, on the WireGuard module that is loaded.
Each case has the errno that Linux 7.3 gives. With the kernel's own module
(--stock, and the default where version 1.0.0 is loaded) only these are checked,
so that the cases are known to be right; with ours also that a rejected request
has changed nothing, has said why, and has had its keys wiped.

  --log FILE  also write "case errno" lines to FILE, to be compared between two
              modules or kernels by diff

Prints KTAP. Exit code 0: passed; 1: failed; 2: usage; 4: could not run.
"""
import argparse
import os
import socket
import struct
import subprocess
import sys

from cases import *  # pylint: disable=wildcard-import,unused-wildcard-import
from wgnl import *  # pylint: disable=wildcard-import,unused-wildcard-import


class Suite:
    """What the cases need."""

    def __init__(self, stock, log):
        self.stock, self.log = stock, log
        self.ktap, self.nl = Ktap(), Netlink()
        self.loud = Netlink(capped=False)

    def record(self, name, answer):
        if self.log:
            print(name, answer.name, file=self.log)

    def raw(self):
        return self.nl.dump_raw("wg0")[2]

    def reject(self, name, wanted, attrs):
        """A request that must be refused as a whole, and say why."""
        self.nl.must_set(*BASE)
        before = self.raw()
        answer = self.nl.ask(CMD_SET, attrs)
        self.record(name, answer)
        after = self.raw()
        why = [f"errno {answer.name}, not {wanted}"]
        good = answer.name == wanted
        if not self.stock:
            good = good and before == after and bool(answer.text)
            why += [f"changed: {before != after}", f"said: {answer.text!r}"]
        self.ktap.result(good, f"rejected: {name}", *why)

    def accept(self, name, attrs, change):
        """A request that must be taken, with a given result."""
        self.nl.must_set(*BASE)
        want = change(self.nl.dump("wg0")[1].describe())
        answer = self.nl.ask(CMD_SET, attrs)
        self.record(name, answer)
        got = self.nl.dump("wg0")[1].describe()
        self.ktap.result(answer.errno == 0 and want == got, f"taken: {name}",
                         f"errno {answer.name}: {answer.text}",
                         *(f"missing {line}" for line in want
                           if line not in got),
                         *(f"surplus {line}" for line in got
                           if line not in want),
                         "" if sorted(want) != sorted(got) else "order")

    def expect(self, name, wanted, cmd, attrs, text=False, **options):
        """A request of which only the errno counts, and maybe the text."""
        answer = self.nl.ask(cmd, attrs, **options)
        self.record(name, answer)
        said = self.stock or not text or bool(answer.text)
        self.ktap.result(answer.name == wanted and said, name,
                         f"errno {answer.name}, not {wanted}",
                         f"said: {answer.text!r}")

    # --- groups of cases

    def gets(self):
        """Dumps, and requests for them with junk in."""
        dump = {"flags": NLM_F_DUMP | NLM_F_ACK}
        # Kernels before 7 keep to themselves why a dump did not begin.
        told = int(os.uname().release.split(".")[0]) >= 7
        index = socket.if_nametoindex("wg0")
        self.nl.must_set(*BASE)
        for name, wanted, attrs in (
                ("dump by name", "0", DEV),
                ("dump by index", "0", u32(D_IFINDEX, index)),
                ("dump of nothing", "EBADR", b""),
                ("dump by both", "EBADR", DEV + u32(D_IFINDEX, index)),
                ("dump of an unknown name", "ENODEV", ifname("wg9")),
                ("dump of an unknown index", "ENODEV", u32(D_IFINDEX, 9999)),
                ("dump of lo", "EOPNOTSUPP", ifname("lo")),
                ("dump with a name too long", "EINVAL",
                 attr(D_IFNAME, bytes(range(65, 85)) + b"\0")),
                ("dump with an index of 2 bytes", "EINVAL",
                 attr(D_IFINDEX, b"\1\0")),
                ("dump with a private key", "EINVAL",
                 DEV + attr(D_PRIVATE_KEY, bytes(32))),
                ("dump with peers", "EINVAL", DEV + peers(peer(A))),
                ("dump with an unknown attribute", "EINVAL",
                 DEV + u32(99, 0)),
                ("dump with bytes behind", "EINVAL", DEV + b"\0\0\0"),
                ("dump with a cut attribute", "EINVAL",
                 DEV + attr(D_IFINDEX, bytes(4), length=64))):
            self.expect(name, wanted, CMD_GET, attrs, text=told and
                        wanted != "0", **dump)
        self.expect("get without dump", "EOPNOTSUPP", CMD_GET, DEV)
        self.expect("set with dump", "EOPNOTSUPP", CMD_SET, DEV, **dump)
        self.expect("unknown command", "EOPNOTSUPP", 2, DEV)
        self.expect("unknown command, as dump", "EOPNOTSUPP", 2, DEV, **dump)
        self.expect("reserved bytes in use", "EINVAL", CMD_SET, DEV,
                    reserved=1)
        self.expect("reserved bytes in use, as dump", "EINVAL", CMD_GET, DEV,
                    reserved=0x100, **dump)
        self.expect("another version", "0", CMD_SET, DEV, version=7)
        self.expect("no header of the family", "EINVAL", CMD_SET, DEV, cut=0)
        self.expect("half a header of the family", "EINVAL", CMD_SET, DEV,
                    cut=3)
        self.expect("no attributes at all", "EBADR", CMD_SET, DEV, cut=4)

    def wiping(self):
        """A refused request is sent back: without the keys that were in it."""
        secret, psk = key(31), key(32)
        bad = DEV + attr(D_PRIVATE_KEY, key(33)) + \
            attr(D_PRIVATE_KEY, secret) + peers(
                peer(A, attr(P_PRESHARED_KEY, psk),
                     attr(P_PRESHARED_KEY, psk)),
                peer(B, u32(P_VERSION, 9)), peer(C, attr(P_PRESHARED_KEY, psk)))
        for name, attrs in (("peer", bad),
                            ("device", bad.replace(DEV, ifname("wg9")))):
            self.nl.must_set(*BASE)
            answer = self.loud.ask(CMD_SET, attrs)
            self.record(f"keys, {name}", answer)
            left = [part for part in (secret, psk, key(33))
                    if part in answer.echo]
            whole = A in answer.echo and C in answer.echo
            self.ktap.result(whole and (self.stock or not left),
                             f"keys are wiped, bad {name}",
                             f"whole {whole}, {len(left)} keys left")

    def half_done(self):
        """What fails while it is being done stops there."""
        busy = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        busy.bind(("", 20055))
        self.nl.must_set(*BASE)
        run("ip", "link", "set", "wg0", "up")
        before = self.nl.dump("wg0")[1].describe()
        request = DEV + u32(D_FWMARK, 8) + u16(D_LISTEN_PORT, 20055) + \
            u32(D_FLAGS, D_REPLACE_PEERS) + peers(GOOD)
        answer = self.nl.ask(CMD_SET, request)
        self.record("port in use", answer)
        after = self.nl.dump("wg0")[1].describe()
        want = [line.replace("7 07000000", "7 08000000") for line in before]
        said = self.stock or bool(answer.text)
        self.ktap.result(answer.name == "EADDRINUSE" and after == want and said,
                         "port in use: mark set, nothing else",
                         f"errno {answer.name}: {answer.text}", *after)
        self.ktap.result(self.listens(20001), "the old port is still open")
        busy.close()
        answer = self.nl.set(DEV, u16(D_LISTEN_PORT, 20055))
        self.ktap.result(answer.errno == 0 and self.listens(20055) and
                         not self.listens(20001), "a port that is free")
        answer = self.nl.set(DEV, u16(D_LISTEN_PORT, 0))
        port = struct.unpack(
            "=H", self.nl.dump("wg0")[1].attrs[D_LISTEN_PORT])[0]
        self.ktap.result(answer.errno == 0 and port not in (0, 20055) and
                         self.listens(port), "a port of the kernel's choice",
                         f"port {port}")
        run("ip", "link", "set", "wg0", "down")
        answer = self.nl.set(DEV, u16(D_LISTEN_PORT, 0))
        port = struct.unpack(
            "=H", self.nl.dump("wg0")[1].attrs[D_LISTEN_PORT])[0]
        self.ktap.result(answer.errno == 0 and port == 0,
                         "a device that is down remembers port 0")

    @staticmethod
    def listens(port):
        """Is there a UDP socket on the port, in both families?"""
        for path in ("/proc/net/udp", "/proc/net/udp6"):
            with open(path, encoding="ascii") as file:
                if not any(line.split()[1].endswith(f":{port:04X}")
                           for line in list(file)[1:]):
                    return False
        return True

    def renamed(self):
        """Names and indices are looked up anew each time."""
        self.nl.must_set(*BASE)
        index = socket.if_nametoindex("wg0")
        run("ip", "link", "set", "wg0", "name", "other7")
        self.expect("set by an old name", "ENODEV", CMD_SET, DEV)
        self.expect("set by a new name", "0", CMD_SET, ifname("other7"))
        self.expect("set by index", "0", CMD_SET, u32(D_IFINDEX, index))
        run("ip", "link", "set", "other7", "name", "wg0")

    def in_child(self, name, work, *prepare):
        """Run work() in a process of its own; prepare get its pid.

        work yields once, to have the preparations done, and then returns the
        answer's errno name. None: could not be tried.
        """
        to_parent, to_child = os.pipe(), os.pipe()
        pid = os.fork()
        if not pid:
            text = "crash"
            try:
                os.close(to_parent[0])
                os.close(to_child[1])
                steps = work()
                next(steps)
                os.write(to_parent[1], b"?")
                if os.read(to_child[0], 1):
                    text = next(steps)
            except OSError as problem:
                text = f"skip {problem.strerror}"
            finally:
                os.write(to_parent[1], text.encode())
                os._exit(0)
        os.close(to_parent[1])
        os.close(to_child[0])
        try:
            if os.read(to_parent[0], 1) == b"?":
                for one in prepare:
                    one(pid)
                os.write(to_child[1], b"!")
            text = os.read(to_parent[0], 4096).decode()
        finally:
            os.close(to_parent[0])
            os.close(to_child[1])
            os.waitpid(pid, 0)
        if text.startswith(("skip", "kip")):
            self.ktap.skip(name, text.partition(" ")[2])
            return None
        return text

    def privileges(self):
        """Who may do what."""
        self.nl.must_set(*BASE)
        before = self.raw()

        def nobody():
            """Same namespaces, no capabilities."""
            os.setgid(65534)
            os.setuid(65534)
            nl = Netlink()
            yield
            yield " ".join((nl.set(DEV, u32(D_FWMARK, 3)).name,
                            nl.ask(CMD_GET, DEV, flags=NLM_F_DUMP).name))

        text = self.in_child("an ordinary user", nobody)
        self.ktap.result(text == "EPERM EPERM" and self.raw() == before,
                         "an ordinary user may neither set nor get", text)

        def container():
            """Root of a user namespace, but not where wg1 was created."""
            unshare(CLONE_NEWUSER | CLONE_NEWNET)
            yield
            nl = Netlink()
            name = ifname("wg1")
            good = name + peers(GOOD)
            yield " ".join((
                nl.ask(CMD_SET, good).name,
                nl.ask(CMD_SET, name + u32(D_FWMARK, 3) + peers(
                    peer(A))).name,
                nl.ask(CMD_SET, name + u16(D_LISTEN_PORT, 3) + peers(
                    peer(A, ips=[BAD_IP]))).name,
                str(len(nl.dump("wg1")[1].peers)),
                str(int.from_bytes(nl.dump("wg1")[1].attrs[D_FWMARK],
                                   sys.byteorder)),
                nl.ask(CMD_GET, DEV, flags=NLM_F_DUMP).name))

        def give(pid):
            run("ip", "link", "add", "wg1", "type", "wireguard")
            run("ip", "link", "set", "wg1", "netns", str(pid))

        name = "a container may set peers, not what concerns the sockets"
        text = self.in_child(name, container, give)
        if text is not None:
            self.ktap.result(text == "0 EPERM EPERM 1 0 ENODEV", name, text)

    def gone_namespace(self):
        """The namespace of the sockets is gone: they are nobody's to set."""
        name = "sockets of a namespace that is gone cannot be set"
        holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c",
             "ip link add wg2 type wireguard && echo ready && exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            ready = holder.stdout.readline()
            run("nsenter", f"--net=/proc/{holder.pid}/ns/net", "ip", "link",
                "set", "wg2", "netns", str(os.getpid()))
        finally:
            holder.stdin.close()
            holder.wait()
        wg2 = ifname("wg2")
        # The kernel takes a namespace down in its own time.
        await_true(lambda: self.nl.set(wg2, u32(D_FWMARK, 3)).errno)
        answer = self.nl.set(wg2, u32(D_FWMARK, 3), peers(GOOD))
        self.record(name, answer)
        rest = self.nl.set(wg2, peers(GOOD))
        count = len(self.nl.dump("wg2")[1].peers)
        said = self.stock or bool(answer.text)
        self.ktap.result(ready and answer.name == "EPERM" and said and
                         not rest.errno and count == 1, name,
                         f"{answer.name}: {answer.text}; {rest.name}, "
                         f"{count} peers")
        run("ip", "link", "del", "wg2")


def main():
    """Run all."""
    parser = argparse.ArgumentParser(
        description=__doc__, usage=argparse.SUPPRESS,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=argparse.FileType("w"))
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stock", action="store_true", default=None)
    which.add_argument("--ours", dest="stock", action="store_false")
    options = parser.parse_args()
    enter_namespace()
    stock = is_stock() if options.stock is None else options.stock
    suite = Suite(stock, options.log)
    for name, code, attrs in rejected():
        suite.reject(name, code, attrs)
    for name, attrs, change in accepted():
        suite.accept(name, attrs, change)
    suite.gets()
    suite.wiping()
    suite.half_done()
    suite.renamed()
    suite.privileges()
    suite.gone_namespace()
    suite.ktap.finish()


if __name__ == "__main__":
    main()
