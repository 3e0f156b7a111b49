#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: devices, peers, namespaces, and the module itself may be removed under
#       full traffic
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source=../lib/reload.sh
. "$(dirname "$(readlink -f "$0")")/../lib/reload.sh"

# storm NS ADDRESS: packets as fast as they go, answered or not, in the family
# of the address
storm() {
	bg_ns "$1" ping -q -f -n "$2" >/dev/null 2>&1
	STORM+=("$BG")
}

# Both sides storm once there is a session: initiations that cross are undone.
storms() {
	STORM=()
	ping_ok "a session" "$left" 10.70.0.2
	storm "$left" 10.70.0.2
	storm "$right" fd70::1
	if command -v iperf3 >/dev/null; then
		bg_ns "$right" iperf3 -s -1 -p 5201 >/dev/null 2>&1
		STORM+=("$BG")
		await 20 "iperf3 -s listens" listening "$right" 5201
		bg_ns "$left" iperf3 -p 5201 -c 10.70.0.2 -t 60 >/dev/null 2>&1
		STORM+=("$BG")
	fi
	flowing
}

# flowing: packets arrive at this moment
flowing() {
	local before
	before=$(received "$right" wg2 "${PUB[1]}")
	await 10 "traffic" more_than "$before"
}

more_than() {
	[ "$(received "$right" wg2 "${PUB[1]}")" -gt "$1" ]
}

# through WHAT NS ADDRESS: in a storm one ping may drown
through() {
	await 20 "$1" ping_once "$2" "$3"
}

calm() {
	local pid
	for pid in "${STORM[@]}"; do
		stop "$pid"
	done
}

# A peer on either side, again and again.
wire_pair
storms
for _ in 1 2 3 4 5; do
	wg_set "$left" wg1 peer "${PUB[2]}" remove
	wg_set "$left" wg1 peer "${PUB[2]}" endpoint 192.0.2.2:5102 \
		allowed-ips 10.70.0.2/32,fd70::2/128
	through "the peer is back on the left" "$left" 10.70.0.2
	wg_set "$right" wg2 peer "${PUB[1]}" remove
	wg_set "$right" wg2 peer "${PUB[1]}" endpoint 192.0.2.1:5101 \
		allowed-ips 10.70.0.1/32,fd70::1/128
	through "the peer is back on the right" "$right" 10.70.0.1
done

# A device on either side.
ip -n "$left" link del wg1
add_wg "$left" wg1
wg_set "$left" wg1 KEY:1 listen-port 5101 peer "${PUB[2]}" \
	endpoint 192.0.2.2:5102 allowed-ips 10.70.0.2/32,fd70::2/128
inner_up "$left" wg1 1
through "another device on the left" "$left" 10.70.0.2
ip -n "$right" link del wg2
calm
ip -n "$left" link del wg1
remove_ns "$left"
remove_ns "$right"

# Namespaces, the traffic's processes in them and all.
for gone in left right; do
	wire_pair
	storms
	ip netns del "${!gone}"
	calm
	remove_ns "$left"
	remove_ns "$right"
done
loop_pair
STORM=()
storm "$left" 10.70.0.2
flowing
remove_ns "$under"
calm
remove_ns "$left"
remove_ns "$right"
namespaces_reaped 20 || fail "the namespaces are not gone after 20 s"

may_unload
wire_pair
storms
rmmod wireguard
[ ! -e /sys/module/wireguard ] || fail "the module is still there"
# Not by asking wg, which would make the kernel load what it has on disk.
refused "a device without its module" ip -n "$left" link show wg1
calm
$WGI_RELOAD
remove_ns "$left"
remove_ns "$right"
wire_pair
ping_ok "with the module loaded again" "$left" 10.70.0.2
remove_ns "$left"
remove_ns "$right"

if [ -e /sys/module/wireguard/parameters/mode ]; then
	rmmod wireguard
	# shellcheck disable=SC2086 # a command line
	refused "a module parameter that is no mode" $WGI_RELOAD mode=bogus
	[ ! -e /sys/module/wireguard ] || rmmod wireguard
	# shellcheck disable=SC2086
	$WGI_RELOAD mode=inline
	expect "parameter" inline "$(</sys/module/wireguard/parameters/mode)"
	rmmod wireguard
	$WGI_RELOAD
fi
