#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: TCP sees what waits in a queue below the tunnel (TCP small queues), also where
#       software cuts large packets; UDP that is sent in large ones stays so
# needs: core modes
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

need iperf3
need ethtool
need python3

# Bytes. Who does not see them sends as much as the windows let him.
WAITING_MAX=300000

waiting() {
	tc -n "$left" -s -j qdisc show dev w1 | grep -o '"backlog":[0-9]*' |
		cut -d: -f2
}

wire_pair
ping_ok "session" "$left" 10.70.0.2

# Who can bear it has large packets.
if has_mode "$left" wg1; then
	watch_outer "$left" w1 "$SCRATCH/seen"
	in_ns "$left" python3 - <<-END || fail "no UDP GSO"
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.setsockopt(socket.SOL_UDP, 103, 1000)  # UDP_SEGMENT
		s.sendto(bytes(20000), ("10.70.0.2", 9))
	END
	unwatch
	awk '$1 == "out" && $7 > 3000 { large = 1 } END { exit !large }' \
		"$SCRATCH/seen" || fail "no large packets for UDP"
fi

in_ns "$left" ethtool -K w1 tx-udp-segmentation off >/dev/null ||
	skip "w1 cannot be without UDP segmentation"
# Cuts up what is larger than its burst, before it queues.
tc -n "$left" qdisc add dev w1 root tbf rate 10mbit burst 8000 limit 20000000 ||
	skip "no tbf in this kernel"

# Reno does not mind that everything takes longer and longer.
run_iperf "$left" "$right" 10.70.0.2 -t 4 -C reno &
defer stop "$!"
most=0
while kill -0 "$!" 2>/dev/null; do
	now=$(waiting)
	[ "${now:-0}" -le "$most" ] || most=$now
	sleep 0.02
done
wait "$!" || fail "no TCP"
echo "# at most $most bytes waited"
if [ "$most" -le 20000 ]; then
	[ "$WGI_EMULATED" = 1 ] && skip "too slow to fill a queue here"
	fail "bytes that waited in the queue: expected more than 20000, saw $most"
fi
[ "$most" -le "$WAITING_MAX" ] ||
	fail "bytes that waited in the queue: expected at most $WAITING_MAX, saw $most"
