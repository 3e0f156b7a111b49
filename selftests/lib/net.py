#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the stages need beyond the usual tools.

  sniff IF FILE          a line for each UDP packet on IF, until SIGTERM:
                         in|out SOURCE SPORT DEST DPORT TOS LENGTH TYPE
                         (LENGTH: of the UDP payload; TYPE: its first byte)
  inner IF FILE          a line for each ICMP packet on IF, until SIGTERM:
                         in|out SOURCE DEST TOS LENGTH
  relay LISTEN TARGET FILE   carry UDP datagrams both ways, those to TARGET
                         with the TOS byte that FILE says at that moment; both
                         are ADDRESS@PORT
  allowedip IF PUBLIC FLAGS PREFIX...  one netlink request that sets these
                         allowed IPs with these flags (1: remove)
  junk ADDRESS PORT SECONDS PUBLIC     send datagrams without a valid mac1,
                         report how many and what was answered
  collect SECONDS PORT...    count the datagrams that arrive at local ports
  progress SECONDS       sleep a millisecond, again and again; report by how
                         many the worst was late, and how many there were
  uevents COUNT          for each network device announced: is its mode there?
"""
import base64
import hashlib
import os
import random
import select
import signal
import socket
import struct
import sys
import time

PACKET_OUTGOING = 4
IP_TOS_NAME = {socket.AF_INET: (socket.IPPROTO_IP, socket.IP_TOS),
               socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)}


def packets(interface, path, describe):
    """Write what describe() says about each packet; it says None to skip."""
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    everything = socket.htons(3)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, everything)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind((interface, 3))
    loopback = interface == "lo"
    with open(path, "w", buffering=1) as out:
        out.write("# ready\n")
        while True:
            ready, _, _ = select.select([sock], [], [],
                                        0 if stopped else 0.1)
            if not ready:
                if stopped:
                    return
                continue
            try:
                packet, origin = sock.recvfrom(1 << 17)
            except OSError as error:   # the device went down, or away
                out.write(f"# {error}\n")
                continue
            outgoing = origin[2] == PACKET_OUTGOING
            if loopback and outgoing:
                continue
            line = describe(packet)
            if line:
                out.write(("out " if outgoing else "in ") + line + "\n")


def ip_fields(packet):
    """Source, destination, TOS byte, protocol and payload of an IP packet."""
    if not packet:
        return None
    if packet[0] >> 4 == 4 and len(packet) >= 20:
        header = (packet[0] & 15) * 4
        return (socket.inet_ntop(socket.AF_INET, packet[12:16]),
                socket.inet_ntop(socket.AF_INET, packet[16:20]),
                packet[1], packet[9], packet[header:])
    if packet[0] >> 4 == 6 and len(packet) >= 40:
        return (socket.inet_ntop(socket.AF_INET6, packet[8:24]),
                socket.inet_ntop(socket.AF_INET6, packet[24:40]),
                (packet[0] & 15) << 4 | packet[1] >> 4, packet[6], packet[40:])
    return None


def outer(packet):
    fields = ip_fields(packet)
    if not fields or fields[3] != socket.IPPROTO_UDP or len(fields[4]) < 8:
        return None
    source, target, tos, _, datagram = fields
    sport, dport, length = struct.unpack(">HHH", datagram[:6])
    kind = datagram[8] if len(datagram) > 8 else "-"
    return f"{source} {sport} {target} {dport} {tos} {length - 8} {kind}"


def inner(packet):
    fields = ip_fields(packet)
    if not fields or fields[3] not in (1, 58):
        return None
    return f"{fields[0]} {fields[1]} {fields[2]} {len(packet)}"


def place(text):
    """ADDRESS@PORT, in both families"""
    address, port = text.rsplit("@", 1)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, (address, int(port))


def relay(listen, target, path):
    family, local = place(listen)
    front = socket.socket(family, socket.SOCK_DGRAM)
    front.bind(local)
    family, remote = place(target)
    back = socket.socket(family, socket.SOCK_DGRAM)
    back.connect(remote)
    print("ready", flush=True)
    client = None
    while True:
        for sock in select.select([front, back], [], [])[0]:
            if sock is front:
                with open(path) as file:
                    back.setsockopt(*IP_TOS_NAME[family], int(file.read()))
                data, client = front.recvfrom(1 << 16)
                back.send(data)
            elif client:
                front.sendto(back.recv(1 << 16), client)


def attribute(kind, data, nested=False):
    length = 4 + len(data)
    return (struct.pack("=HH", length, kind | (0x8000 if nested else 0)) +
            data + bytes(-length % 4))


def request(sock, family, command, version, attributes):
    """One generic netlink request; the payload answered, or OSError."""
    body = struct.pack("=BBxx", command, version) + attributes
    sock.send(struct.pack("=IHHII", 16 + len(body), family, 5, 1, 0) + body)
    answer = b""
    while True:
        data = sock.recv(1 << 16)
        length, kind = struct.unpack("=IH", data[:6])
        if kind == 2:                  # NLMSG_ERROR, or an acknowledgement
            error = struct.unpack("=i", data[16:20])[0]
            if error:
                raise OSError(-error, os.strerror(-error))
            return answer
        answer += data[20:length]


def wireguard_family(sock):
    answer = request(sock, 16, 3, 1, attribute(2, b"wireguard\0"))
    while answer:
        length, kind = struct.unpack("=HH", answer[:4])
        if kind == 1:                  # CTRL_ATTR_FAMILY_ID
            return struct.unpack("=H", answer[4:6])[0]
        answer = answer[(length + 3) & ~3:]
    raise SystemExit("no family id")


def allowedip(interface, public, flags, prefixes):
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
    sock.bind((0, 0))
    family = wireguard_family(sock)
    entries = b""
    for prefix in prefixes:
        address, bits = prefix.split("/")
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        entry = (attribute(1, struct.pack("=H", kind)) +
                 attribute(2, socket.inet_pton(kind, address)) +
                 attribute(3, struct.pack("=B", int(bits))) +
                 attribute(4, struct.pack("=I", int(flags))))
        entries += attribute(0, entry, True)
    peer = (attribute(1, base64.b64decode(public)) +
            attribute(9, entries, True))
    request(sock, family, 1, 1,
            attribute(2, interface.encode() + b"\0") +
            attribute(8, attribute(0, peer, True), True))


def junk(address, port, seconds, public):
    """Nothing of this may be answered: no mac1 among it is right."""
    family, remote = place(f"{address}@{port}")
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.connect(remote)
    chance = random.Random(1)
    label = hashlib.blake2s(b"mac1----" + base64.b64decode(public)).digest()
    sent = 0

    def send(data):
        nonlocal sent
        sock.send(data)
        sent += 1

    sizes = {1: 148, 2: 92, 3: 64, 4: 32}
    for kind, size in sizes.items():
        for length in (0, 1, 3, 4, 15, 16, 31, 32, size - 1, size, size + 1,
                       1400):
            for word in (kind, kind | 0x100, kind << 24):
                send((struct.pack("<I", word) +
                      chance.randbytes(max(length, 4) - 4))[:length])
    for kind in (1, 2):
        body = struct.pack("<I", kind) + chance.randbytes(sizes[kind] - 36)
        good = hashlib.blake2s(body, key=label, digest_size=16).digest()
        # a mac1 with one bit wrong, in each of its bytes; one for another
        # length; and none
        for i in range(16):
            mac = bytearray(good)
            mac[i] ^= 1 << chance.randrange(8)
            send(body + mac + bytes(16))
        send(body + good + bytes(17))
        send(body + bytes(16) + good)
        send(body + bytes(32))
    answers = []
    limit = time.monotonic() + float(seconds)
    while time.monotonic() < limit:
        ready = select.select([sock], [], [], limit - time.monotonic())[0]
        if ready:
            try:
                answers.append(sock.recv(1 << 16).hex())
            except OSError as error:
                answers.append(str(error))
    print(f"sent {sent} answers {len(answers)}", *answers)


def collect(seconds, ports):
    socks = {}
    for port in ports:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sock.bind(("::", int(port)))
        socks[sock] = 0
    print("ready", flush=True)
    limit = time.monotonic() + float(seconds)
    while time.monotonic() < limit:
        left = max(limit - time.monotonic(), 0)
        for sock in select.select(list(socks), [], [], left)[0]:
            sock.recv(1 << 16)
            socks[sock] += 1
    print(*(f"{port}={count}" for port, count in zip(ports, socks.values())))


def progress(seconds):
    start = now = time.monotonic()
    worst = rounds = 0
    while now - start < float(seconds):
        before = now
        time.sleep(0.001)
        now = time.monotonic()
        worst = max(worst, now - before - 0.001)
        rounds += 1
    print(f"{worst * 1000:.0f} {rounds}")


def uevents(count):
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15)
    sock.bind((0, 1))
    print("ready", flush=True)
    while count:
        event = sock.recv(1 << 14).split(b"\0")
        if not event[0].startswith(b"add@") or b"SUBSYSTEM=net" not in event:
            continue
        path = "/sys" + event[0][4:].decode() + "/wireguard/mode"
        print("present" if os.path.exists(path) else "absent", flush=True)
        count -= 1


def main(verb="", *words):
    if verb == "sniff":
        packets(*words, outer)
    elif verb == "inner":
        packets(*words, inner)
    elif verb == "relay":
        relay(*words)
    elif verb == "allowedip":
        try:
            allowedip(*words[:3], words[3:])
        except OSError as error:
            sys.exit(f"{error.strerror}")
    elif verb == "junk":
        junk(*words)
    elif verb == "collect":
        collect(words[0], words[1:])
    elif verb == "progress":
        progress(words[0])
    elif verb == "uevents":
        uevents(int(words[0]))
    else:
        sys.exit(__doc__)


main(*sys.argv[1:])
