#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: outer packets that GRO puts together, and a rule sends to another host
# needs: core nat
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

need iperf3 ethtool
wire_pair
setup_ns far
# On the wire every packet is alone, and the receiving ends do GRO, as with NICs.
for end in "$left w1" "$right w2"; do
	# shellcheck disable=SC2086 # two words
	set -- $end
	in_ns "$1" ethtool -K "$2" tso off gso off tx-udp-segmentation off \
		gro on >/dev/null
done

rx_packets() {
	ip netns exec "$1" cat "/sys/class/net/$2/statistics/rx_packets"
}

more_than() {
	[ "$(rx_packets "$far" f1)" -gt "$1" ]
}

# A rule sends the aggregates on to another host: they have to come apart there.
wire "$right" r1 "$far" f1
addr "$right" r1 198.51.100.1/24
addr "$far" f1 198.51.100.2/24
ip -n "$far" route add default via 198.51.100.1
sysctl_ns "$right" net.ipv4.ip_forward=1
filter "$right" <<-EOR
	table ip wgi_dnat {
		chain pre {
			type nat hook prerouting priority -100;
			iifname "w2" udp dport 5102 dnat to 198.51.100.2:5102
		}
	}
EOR
add_wg "$far" wg3
wg_set "$far" wg3 KEY:2 listen-port 5102 peer "${PUB[1]}" \
	allowed-ips 10.70.0.1/32
inner_up "$far" wg3 2
ip -n "$left" link set wg1 down
ip -n "$left" link set wg1 up
ping_ok "at the other host" "$left" 10.70.0.2
tcp "$left" "$far" 10.70.0.2

# The same, cut up on the way out.
in_ns "$right" ethtool -K r1 tso off gso off tx-udp-segmentation off >/dev/null
tcp "$left" "$far" 10.70.0.2

# Datagrams that lie about their length come as aggregates, or do not, but come
# apart again without harm, here and there.
lies() {
	in_ns "$left" python3 "$WGI_LIB/../progs/lyinglen.py" 192.0.2.1 \
		192.0.2.2 5102
}
arrived=$(rx_packets "$far" f1)
if in_ns "$left" tc qdisc add dev w1 root netem delay 1ms slot 20ms 2>/dev/null
then
	lies
	in_ns "$left" tc qdisc del dev w1 root
else
	echo "# no netem in this kernel: not in bursts"
	lies
fi
await 20 "datagrams at the other host" more_than "$arrived"
ping_ok "afterwards" "$left" 10.70.0.2
