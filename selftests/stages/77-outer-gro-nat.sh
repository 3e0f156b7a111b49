#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: outer packets that GRO puts together, and go on to another host, by route or rule
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

statistic() {
	ip netns exec "$1" cat "/sys/class/net/$2/statistics/$3"
}

rx_packets() {
	statistic "$1" "$2" rx_packets
}

more_than() {
	[ "$(rx_packets "$far" f1)" -gt "$1" ]
}

# The other host has the key of this one, which is to keep quiet.
wg_set "$right" wg2 peer "${PUB[1]}" remove
wire "$right" r1 "$far" f1
addr "$right" r1 198.51.100.1/24
addr "$far" f1 198.51.100.2/24
ip -n "$far" route add default via 198.51.100.1
ip -n "$left" route add 198.51.100.0/24 via 192.0.2.2
sysctl_ns "$right" net.ipv4.ip_forward=1
add_wg "$far" wg3
wg_set "$far" wg3 KEY:2 listen-port 5102 peer "${PUB[1]}" \
	allowed-ips 10.70.0.1/32
inner_up "$far" wg3 2
in_ns "$far" ethtool -K f1 gro off >/dev/null

# new_session WHAT ENDPOINT
new_session() {
	ip -n "$left" link set wg1 down
	ip -n "$left" link set wg1 up
	wg_set "$left" wg1 peer "${PUB[2]}" endpoint "$2"
	ping_ok "$1" "$left" 10.70.0.2
}

# passes_through WHAT: what only comes by here, to a port that is ours as well; how
# many packets came $in and went $out
passes_through() {
	new_session "$1" 198.51.100.2:5102
	in=$(rx_packets "$right" w2) out=$(rx_packets "$far" f1)
	tcp "$left" "$far" 10.70.0.2
	in=$(($(rx_packets "$right" w2) - in))
	out=$(($(rx_packets "$far" f1) - out))
	echo "# $1: $in packets in, $out out"
}

passes_through "by way of another"
if has_mode "$right" wg2; then
	[ "$out" -lt $((in / 2)) ] ||
		fail "expected to see aggregates go on whole"
fi

# On the way they are put into something else, which no device does.
if ip -n "$right" route add 198.51.100.2/32 encap seg6 mode encap \
	segs 2001:db8:5::2 dev r1 2>/dev/null
then
	ip -n "$right" link set r1 mtu 9000
	ip -n "$far" link set f1 mtu 9000
	sysctl_ns "$right" net.ipv6.conf.all.forwarding=1
	sysctl_ns "$far" net.ipv6.conf.all.seg6_enabled=1
	sysctl_ns "$far" net.ipv6.conf.f1.seg6_enabled=1
	addr "$right" r1 2001:db8:5::1/64
	addr "$far" f1 2001:db8:5::3/64
	ip -n "$right" route add 2001:db8:5::2 via 2001:db8:5::3 dev r1
	ip -n "$far" route add 2001:db8:5::2 encap seg6local action End.DX4 \
		nh4 198.51.100.2 dev f1
	lost=$(statistic "$right" r1 tx_dropped)
	passes_through "within segment routing"
	lost=$(($(statistic "$right" r1 tx_dropped) - lost))
	[ "$lost" = 0 ] || fail "expected no loss at r1, saw $lost"
	ip -n "$right" route del 198.51.100.2/32
else
	echo "# no segment routing in this kernel"
fi

# A rule sends the aggregates on to another host: they have to come apart there.
filter "$right" <<-EOR
	table ip wgi_dnat {
		chain pre {
			type nat hook prerouting priority -100;
			iifname "w2" udp dport 5102 dnat to 198.51.100.2:5102
		}
	}
EOR
new_session "at the other host" 192.0.2.2:5102
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
