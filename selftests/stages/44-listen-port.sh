#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the listen port changes under traffic, is chosen when zero, and is not
#       changed where it is taken
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

port() {
	in_ns "$1" wg show "$2" listen-port
}

need iperf3
wire_pair
ping_ok "session" "$left" 10.70.0.2
bg_ns "$right" iperf3 -s -1 -p 5201 >"$SCRATCH/server" 2>&1
await 20 "iperf3 -s listens" listening "$right" 5201
bg_ns "$left" iperf3 -c 10.70.0.2 -p 5201 -t 3 >"$SCRATCH/client" 2>&1
client=$BG
while kill -0 "$client" 2>/dev/null; do
	for p in 5111 5112 5101; do
		wg_set "$left" wg1 listen-port $p
		expect "left's port" $p "$(port "$left" wg1)"
	done
	# who changes both at once is lost
	ping_ok "left tells its port" "$left" 10.70.0.2
	for p in 5122 5102; do
		wg_set "$right" wg2 listen-port $p
		expect "right's port" $p "$(port "$right" wg2)"
		ping_ok "right tells its port" "$right" 10.70.0.1
	done
done
wait "$client" || fail "iperf3: $(<"$SCRATCH/client")"
ping_ok "afterwards" "$left" 10.70.0.2
expect_endpoint "right knows left's last port" "$right" wg2 "${PUB[1]}" \
	192.0.2.1:5101

# Taken: by another device, which keeps it.
add_wg "$left" wg5
wg_set "$left" wg5 KEY:3 listen-port 5101
refused "to come up with a port that is taken" ip -n "$left" link set wg5 up
wg_set "$left" wg5 listen-port 5105
ip -n "$left" link set wg5 up
refused "a port that is taken" wg_set "$left" wg5 listen-port 5101
expect "the port of who was refused" 5105 "$(port "$left" wg5)"
[ -n "$(in_ns "$left" ss -Hluan "sport = :5105")" ] ||
	fail "expected a refusal to leave the socket where it is"
ping_ok "the other device is unharmed" "$left" 10.70.0.2
expect "its port" 5101 "$(port "$left" wg1)"
wg_set "$left" wg5 listen-port 5106
expect "a port after the refusal" 5106 "$(port "$left" wg5)"

# Zero: any port, once the device is up.
wg_set "$left" wg5 listen-port 0
[ "$(port "$left" wg5)" -gt 0 ] || fail "expected a port to be chosen"
