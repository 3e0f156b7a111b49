#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the persistent keepalive starts when the interface comes up, not before,
#       and when a private key is set on one that is up; it goes on every second
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# silent WHAT: nothing in a time in which a keepalive would have been sent
silent() {
	sleep 1.5
	expect "$1: bytes sent" 0 "$(sent "$left" wg1 "${PUB[2]}")"
	expect "$1: handshakes" 0 \
		"$(wg_field "$right" wg2 latest-handshakes "${PUB[1]}")"
}

received_more() {
	[ "$(received "$right" wg2 "${PUB[1]}")" -gt "$1" ]
}

renew_left() {
	ip -n "$left" link del wg1
	wg_set "$right" wg2 peer "${PUB[1]}" remove
	wg_set "$right" wg2 peer "${PUB[1]}" allowed-ips 10.70.0.1/32
	add_wg "$left" wg1
	addr "$left" wg1 10.70.0.1/24
}

wire_pair

renew_left
wg_set "$left" wg1 KEY:1 listen-port 5101 peer "${PUB[2]}" \
	endpoint 192.0.2.2:5102 allowed-ips 10.70.0.2/32 persistent-keepalive 1
silent "interface down"
ip -n "$left" link set wg1 up
await 3 "a handshake when up" handshaken "$right" wg2 "${PUB[1]}"
for _ in 1 2; do
	now=$(received "$right" wg2 "${PUB[1]}")
	await 3 "one more keepalive" received_more "$now"
done

# However often a controller says the same thing again.
again_and_more() {
	wg_set "$left" wg1 peer "${PUB[2]}" persistent-keepalive 1
	received_more "$1"
}
now=$(received "$right" wg2 "${PUB[1]}")
await 3 "a keepalive while it is configured again and again" again_and_more "$now"

# Keepalives are not answered: left has had its handshake response, no more.
expect "left received" 92 "$(received "$left" wg1 "${PUB[2]}")"
wg_set "$left" wg1 peer "${PUB[2]}" persistent-keepalive off
now=$(received "$right" wg2 "${PUB[1]}")
sleep 1.5
expect "bytes after switching it off" "$now" \
	"$(received "$right" wg2 "${PUB[1]}")"

renew_left
wg_set "$left" wg1 listen-port 5101 peer "${PUB[2]}" \
	endpoint 192.0.2.2:5102 allowed-ips 10.70.0.2/32 persistent-keepalive 1
ip -n "$left" link set wg1 up
silent "no private key"
wg_set "$left" wg1 KEY:1
await 3 "a handshake once there is a key" handshaken "$right" wg2 "${PUB[1]}"
