# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Inside the lab: a packet generator in front of gateway 1, a sink behind gateway 2, UDP of PKT bytes inside, all in softirq.
#   PKT  inner packet size (1400);  SECS  (4);  RATE  packets a second offered, 0 = as fast as it goes (0)
PKT=${PKT:-1400} SECS=${SECS:-4} RATE=${RATE:-0}
. "$(dirname "$0")/net.sh"
ip link add s0 type veth peer name s1 netns gw1; ip link set s0 up; ip -n gw1 link set s1 up
ip addr add 10.1.0.1/24 dev s0; ip -n gw1 addr add 10.1.0.2/24 dev s1
ip -n gw2 link add d0 type dummy; ip -n gw2 link set d0 up; ip -n gw2 route add 10.2.0.0/16 dev d0
mac=$(ip -n gw1 -o link show s1 | grep -o 'link/ether [0-9a-f:]*' | cut -d' ' -f2)
pg() { echo "$2" >/proc/net/pktgen/$1; }
pg kpktgend_0 rem_device_all; pg kpktgend_0 "add_device s0"
for s in "count 0" "clone_skb 0" "pkt_size $((PKT + 14))" "delay 0" "dst_mac $mac" "src_min 10.1.0.1" "dst_min 10.2.1.1" "dst_max 10.2.$TUNNELS.1"; do pg s0 "$s"; done
[ "$TUNNELS" -gt 1 ] && pg s0 "flag IPDST_RND"; [ "$RATE" -gt 0 ] && pg s0 "ratep $RATE"
(echo start >/proc/net/pktgen/pgctrl) & gen=$!
sleep 0.5
sunk() { ip netns exec gw2 cat /proc/net/dev | awk '/d0:/{print $11}'; }
echo "MARK start"; a=$(sunk); t0=$(cut -d' ' -f1 /proc/uptime)
sleep "$SECS"
b=$(sunk); t1=$(cut -d' ' -f1 /proc/uptime); echo "MARK end"
echo stop >/proc/net/pktgen/pgctrl; wait $gen
awk -v n=$((b - a)) -v t0="$t0" -v t1="$t1" -v p="$PKT" 'BEGIN{d = t1 - t0; printf "pps %.0f\ngbps %.3f\ngbit %.3f\n", n/d, n*p*8/d/1e9, n*p*8/1e9}'
