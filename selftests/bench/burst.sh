# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Inside the lab: what the receiving end of TUNNELS tunnels does with a burst, and nothing else. The sender encrypts
# beforehand, one tunnel after the other; the wire holds everything, then lets go of all tunnels at once, each at RATE /
# TUNNELS packets a second. CPU 0 is the wire. Each tunnel has a receive queue of its own, on the other CPUs in turn: the
# best that a NIC can do.
#
#    gw1 x1 ── x2 wire c1 … c8 ── d1 … d8 gw2 ── s1 … s8
#                 CPU 0           CPU 1, 2, …
#
# What arrives is kept until the end, so that nothing is allocated or freed meanwhile: memory that another CPU had allocated
# beforehand goes back under locks of all CPUs, which is another story than this one's.
#
#   TUNNELS (8)  PKT inner packet size (1400)  SECS of the burst (1)  RATE packets a second, all tunnels together (300000)
#   HOLD seconds for the sender to be done (TUNNELS × (SECS + 1))
#   MODULE, MODE, THREADED, PARAMS  as for load.sh; the sender has the module's defaults
TUNNELS=${TUNNELS:-8} PKT=${PKT:-1400} SECS=${SECS:-1} RATE=${RATE:-300000} THREADED=${THREADED:-} MODE=${MODE:-}
. "$(dirname "$0")/load.sh"
cpus=$(nproc); [ "$cpus" -gt 1 ] || { echo "at least two CPUs are needed"; exit 1; }
per=$((RATE / TUNNELS)) count=$((RATE * SECS / TUNNELS))
in_ns() { nsenter --net="/run/netns/$1" "${@:2}"; }
for n in gw1 wire gw2; do ip netns add $n; ip -n $n link set lo up
    in_ns $n sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0; done
steer() { ip netns exec "$1" sh -c "echo $(printf %x $((1 << $3))) >/sys/class/net/$2/queues/rx-0/rps_cpus"; }
cable() { # ns1 if1 address1 ns2 if2 address2
    ip -n "$1" link add "$2" type veth peer name "$5" netns "$4"
    ip -n "$1" addr add "$3/24" dev "$2"; ip -n "$4" addr add "$6/24" dev "$5"
    ip -n "$1" link set "$2" up; ip -n "$4" link set "$5" up
}
cable gw1 x1 10.100.0.1 wire x2 10.100.0.254; steer wire x2 0
ip -n gw1 route add 10.101.0.0/16 via 10.100.0.254
# Every packet is alone on the wire.
ip netns exec gw1 ethtool -K x1 tso off gso off tx-udp-segmentation off
for i in $(seq 1 "$TUNNELS"); do
    cable wire c$i 10.101.$i.254 gw2 d$i 10.101.$i.2; steer gw2 d$i $((1 + (i - 1) % (cpus - 1)))
    # Answers leave where questions came in, or the endpoint would move.
    ip -n gw2 route add 10.100.0.0/24 via 10.101.$i.254 table $((100 + i))
    ip -n gw2 rule add from 10.101.$i.2 table $((100 + i))
    (umask 077; wg genkey >/run/k1; wg genkey >/run/k2)
    ip -n gw1 link add wg$i type wireguard; ip -n gw2 link add wg$i type wireguard
    in_ns gw1 wg set wg$i private-key /run/k1 listen-port $((51000 + i)) peer "$(wg pubkey </run/k2)" \
        endpoint 10.101.$i.2:$((52000 + i)) allowed-ips 0.0.0.0/0
    in_ns gw2 wg set wg$i private-key /run/k2 listen-port $((52000 + i)) peer "$(wg pubkey </run/k1)" allowed-ips 0.0.0.0/0
    ip -n gw1 addr add 10.9.$i.1/24 dev wg$i; ip -n gw2 addr add 10.9.$i.2/24 dev wg$i
    ip -n gw1 link set wg$i up; ip -n gw2 link set wg$i up; set_word gw2 wg$i || exit 1
    ip -n gw1 route add 10.2.$i.0/24 dev wg$i
    ip -n gw2 link add s$i type dummy; ip -n gw2 link set s$i up; ip -n gw2 route add 10.2.$i.0/24 dev s$i
    tc -n gw2 qdisc add dev s$i root netem delay 200s limit $((2 * count))
    in_ns gw1 ping -q -c 1 -W 3 10.9.$i.2 >/dev/null || { echo "tunnel $i does not pass traffic"; exit 1; }
done
# What waits for the wire must not be lost, and is not what this is about.
sysctl -qw net.core.netdev_max_backlog=100000
# load TUNNEL: count packets, as even as 32 at a time can be. Its socket has it wait where the tunnel does. Stock gets 32 in one
# (UDP_SEGMENT): it makes 32 of them that each lie in one piece, and takes minutes for single ones; this module would make
# one of them that lies in pages.
[ -n "${MODULE:-}" ] && at_once=1 || at_once=32
load() {
    in_ns gw1 python3 - "10.2.$1.1" "$count" "$per" $((PKT - 28)) $at_once <<'P'
import socket, sys, time
address, count, rate, size, at_once = sys.argv[1], *map(int, sys.argv[2:])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_UDP, 103, size)  # UDP_SEGMENT
s.connect((address, 9))
what, begun, sent = bytes(size * at_once), time.monotonic(), 0
while sent < count:
    time.sleep(max(0, begun + sent / rate - time.monotonic()))
    for _ in range(32 // at_once):
        s.send(what)
    sent += 32
P
}
ms() { local u; read -r u _ </proc/uptime; echo $((10#${u/./} * 10)); }
# Loading a tunnel takes SECS and a little, more on a busy machine.
go=$(($(ms) + ${HOLD:-$((TUNNELS * (SECS + 1)))} * 1000))
for i in $(seq 1 "$TUNNELS"); do
    tc -n wire qdisc replace dev c$i root netem delay $((go - $(ms)))ms limit $((2 * count))
    load $i
done
# queued NAMESPACE: packets that wait in its queues
queued() { tc -n "$1" -s qdisc show | awk '/backlog/ { p = $3; sub(/p$/, "", p); sum += p } END { print sum + 0 }'; }
# Until the last packets are through the sender's queues.
was=-1; until is=$(queued wire); [ "$is" = "$was" ]; do was=$is; sleep 0.1; done
echo "held $is"
[ "$is" -ge $((count * TUNNELS)) ] || { echo "the sender lost some of $((count * TUNNELS)) packets"; exit 1; }
[ "$(ms)" -lt $((go - 100)) ] || { echo "the sender took until the wire let go"; exit 1; }
sysctl -qw net.core.netdev_max_backlog=1000
left=$((go - $(ms))); [ "$left" -le 0 ] || sleep "$(printf %d.%03d $((left / 1000)) $((left % 1000)))"
echo "MARK start"; sleep "$SECS"; echo "MARK end"
was=-1; until is=$(queued gw2); [ "$is" = "$was" ]; do was=$is; sleep 0.2; done
awk -v n=$is -v p="$PKT" -v s="$SECS" 'BEGIN { printf "sunk %d\npps %.0f\ngbps %.3f\n", n, n / s, n * p * 8 / s / 1e9 }'
