# SPDX-License-Identifier: GPL-2.0
"""Be a user of what the kernel switches on by static keys, until killed; see
hold_static_keys in guest.sh.

  netstamp_needed_key          a socket that wants time stamps, as ping's
  udp_encap_needed_key (v6)    a UDP socket with encapsulation, as a tunnel's
  nf_hooks_needed              a chain at each hook of IPv4 and IPv6

rps_needed is not held here: that takes a mount of sysfs."""
import signal
import socket
import subprocess

SO_TIMESTAMP, UDP_ENCAP, L2TP_IN_UDP = 29, 100, 3
CHAINS = """table inet hold {
	chain pre { type filter hook prerouting priority 0; }
	chain in { type filter hook input priority 0; }
	chain forward { type filter hook forward priority 0; }
	chain out { type filter hook output priority 0; }
	chain post { type filter hook postrouting priority 0; }
}"""

held = []
for family in (socket.AF_INET, socket.AF_INET6):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)
    sock.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, L2TP_IN_UDP)
    held.append(sock)
subprocess.run(["nft", "-f", "-"], input=CHAINS, text=True, check=True)
print("held", flush=True)
signal.pause()
