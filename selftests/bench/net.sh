# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced inside the lab: load the module under test and raise two gateways joined by TUNNELS tunnels over one veth wire.
#   MODULE, PARAMS, MODE, THREADED  as for load.sh
#   WIRE     gso: the wire carries super-packets whole, as veth does (default); gro: every packet alone on the wire and the
#            receiver's NAPI running GRO, as with a NIC.  Same wire for stock and ours, always
#   TUNNELS  number of tunnels (1);  RPS  CPU mask that receives on the second gateway (default: CPU 1 when there are two)
TUNNELS=${TUNNELS:-1}
. "$(dirname "${BASH_SOURCE[0]}")/load.sh"
ip netns add gw1; ip netns add gw2
ip -n gw1 link add w1 type veth peer name w2 netns gw2
for x in "gw1 lo" "gw2 lo" "gw1 w1" "gw2 w2"; do set -- $x; ip -n "$1" link set "$2" up; done
if [ "${WIRE:-gso}" = gro ]; then
    for d in "gw1 w1" "gw2 w2"; do set -- $d; ip netns exec $1 ethtool -K $2 tso off gso off tx-udp-segmentation off gro on >/dev/null 2>&1; done
    ip netns exec gw2 ethtool -k w2 | grep -q 'generic-receive-offload: on' || { echo "no GRO on w2"; exit 1; }
fi
ip -n gw1 addr add 192.168.1.1/24 dev w1; ip -n gw2 addr add 192.168.1.2/24 dev w2
for g in gw1 gw2; do ip netns exec $g sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0; done
for i in $(seq 1 "$TUNNELS"); do
    (umask 077; wg genkey >/run/k1; wg genkey >/run/k2); p1=$(wg pubkey </run/k1); p2=$(wg pubkey </run/k2)
    for g in gw1 gw2; do ip -n $g link add wg$i type wireguard; done
    ip netns exec gw1 wg set wg$i private-key /run/k1 listen-port $((51000 + i)) peer "$p2" endpoint 192.168.1.2:$((52000 + i)) allowed-ips 0.0.0.0/0
    ip netns exec gw2 wg set wg$i private-key /run/k2 listen-port $((52000 + i)) peer "$p1" endpoint 192.168.1.1:$((51000 + i)) allowed-ips 0.0.0.0/0
    ip -n gw1 addr add 10.9.$i.1/24 dev wg$i; ip -n gw2 addr add 10.9.$i.2/24 dev wg$i
    ip -n gw1 link set wg$i up; ip -n gw2 link set wg$i up; ip -n gw1 route add 10.2.$i.0/24 dev wg$i
    for g in gw1 gw2; do set_word $g wg$i || exit 1; done
    ip netns exec gw1 ping -c1 -W3 10.9.$i.2 >/dev/null || { echo "tunnel $i does not pass traffic"; exit 1; }
done
[ "$(nproc)" -gt 1 ] && RPS=${RPS:-2}
[ -n "${RPS:-}" ] && ip netns exec gw2 bash -c "echo $RPS >/sys/class/net/w2/queues/rx-0/rps_cpus"
