#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: outer packets that GRO puts together: intact, watched, each with its mark
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

need iperf3 ethtool
wire_pair
# On the wire every packet is alone, and the receiving ends do GRO, as with NICs.
for end in "$left w1" "$right w2"; do
	# shellcheck disable=SC2086 # two words
	set -- $end
	in_ns "$1" ethtool -K "$2" tso off gso off tx-udp-segmentation off \
		gro on >/dev/null
done

# udp_counted NS: what the UDP layer was handed, an aggregate counts as one
udp_counted() {
	in_ns "$1" awk '$1 == "Udp:" && $2 ~ /^[0-9]/ { print $2 }' \
		/proc/net/snmp
}

# on_wire NS IF: packets that came in one by one
on_wire() {
	ip netns exec "$1" cat "/sys/class/net/$2/statistics/rx_packets"
}

ping_ok "before" "$left" 10.70.0.2
udp=$(udp_counted "$right") wire=$(on_wire "$right" w2)
tcp "$left" "$right" 10.70.0.2
udp=$(($(udp_counted "$right") - udp)) wire=$(($(on_wire "$right" w2) - wire))
echo "# $wire packets on the wire, $udp at the socket"
if has_mode "$right" wg2; then
	[ "$udp" -lt $((wire / 2)) ] ||
		fail "expected aggregates, but of $wire packets $udp came"
fi
wg_set "$left" wg1 peer "${PUB[2]}" endpoint '[2001:db8::2]:5102'
tcp "$left" "$right" fd70::2

# Somebody who looks on has clones of all of it.
watch_outer "$right" w2 "$SCRATCH/seen"
tcp "$left" "$right" 10.70.0.2
unwatch
wg_set "$left" wg1 peer "${PUB[2]}" endpoint 192.0.2.2:5102
flood "$left" 10.70.0.2 50

# Packets of one burst that differ in ECN and DSCP: each keeps its own.
if in_ns "$left" tc qdisc add dev w1 root netem delay 1ms slot 20ms 2>/dev/null
then
	in_ns "$right" python3 "$WGI_LIB/../progs/tosburst.py" receive \
		10.70.0.2 >"$SCRATCH/tos" &
	receiver=$!
	await 20 "the receiver" grep -q ready "$SCRATCH/tos"
	in_ns "$left" python3 "$WGI_LIB/../progs/tosburst.py" send 10.70.0.2
	wait $receiver || fail "bursts: $(<"$SCRATCH/tos")"
	tail -1 "$SCRATCH/tos"
	in_ns "$left" tc qdisc del dev w1 root
else
	echo "# no netem in this kernel: bursts of mixed marks not tried"
fi
