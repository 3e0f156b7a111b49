#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the core's "threaded" may be written at all times: up, down, with peers,
#       under traffic, and without any peer; packets go on
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# threaded NS IF VALUE
threaded() {
	local said
	# shellcheck disable=SC2016 # expanded by the inner shell
	said=$(ip netns exec "$1" bash -c \
		'echo $2 >/sys/class/net/$1/threaded' sh "$2" "$3" 2>&1) ||
		fail "threaded=$3 on $2, $4: expected to be accepted, saw: $said"
	expect "threaded of $2, $4" "$3" \
		"$(ip netns exec "$1" cat "/sys/class/net/$2/threaded")"
}

loop_pair
initial=$(ip netns exec "$left" cat /sys/class/net/wg1/threaded)
ping_ok "session" "$left" 10.70.0.2
background_ping "$left" 10.70.0.2
for value in 1 0 1 1 0 0; do
	threaded "$left" wg1 $value "with a peer"
	threaded "$right" wg2 $value "with a peer"
	flood "$right" 10.70.0.1 50
done

# Peers that come and go in between, and a device that is down.
threaded "$left" wg1 1 "before new peers"
wg_set "$left" wg1 peer "${PUB[3]}" peer "${PUB[4]}"
threaded "$left" wg1 0 "with more peers"
wg_set "$left" wg1 peer "${PUB[3]}" remove
threaded "$left" wg1 1 "with fewer peers"
ip -n "$left" link set wg1 down
threaded "$left" wg1 0 "down"
threaded "$left" wg1 1 "down"
ip -n "$left" link set wg1 up
ping_ok "up again" "$left" 10.70.0.2
stop "$PINGER"
threaded "$left" wg1 "$initial" "as at first"
ping_ok "as at first" "$left" 10.70.0.2

has_mode "$left" wg1 ||
	skip "stock refuses it without peers; all the rest passed"
add_wg "$left" wg5
for value in 1 0; do
	threaded "$left" wg5 $value "without peers"
done
threaded "$left" wg5 1 "without peers"
wg_set "$left" wg5 peer "${PUB[3]}"
threaded "$left" wg5 0 "with the first peer"
wg_set "$left" wg5 peer "${PUB[3]}" remove
threaded "$left" wg5 1 "without the last peer"
ip -n "$left" link del wg5
