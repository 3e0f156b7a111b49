#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: namespaces whose devices hold routes, or that hold each other's devices,
#       go away when deleted, also while a dump holds what has routes of them
# needs: core ipv6
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# gone WHAT CABLE...: a namespace that is freed takes its end of a cable along
gone() {
	local cable
	for cable in "${@:2}"; do
		await 20 "$1" no_such_link "$cable"
	done
}

# tether NS: a cable from here into it; $CABLE
tether() {
	CABLE=wgi$RANDOM
	ip link add "$CABLE" type veth peer name tether netns "$1"
}

need_ipv6

# Sockets and cached routes in $under, devices elsewhere: all at once, and each
# of the three first.
for order in "under left right" "left under right" "right left under"; do
	loop_pair
	flood "$left" 10.70.0.2 20
	wg_set "$left" wg1 peer "${PUB[2]}" endpoint "[::1]:5102"
	flood "$left" fd70::2 20
	cables=()
	for name in $order; do
		tether "${!name}"
		cables+=("$CABLE")
	done
	for name in $order; do
		remove_ns "${!name}"
	done
	gone "namespaces deleted in the order $order" "${cables[@]}"
done

# While $under goes, the devices that live on must stay usable objects.
loop_pair
ping_ok "before" "$left" 10.70.0.2
tether "$under"
remove_ns "$under"
gone "the namespace of the sockets" "$CABLE"
ping_dead "without sockets" "$left" 10.70.0.2
ip -n "$left" link set wg1 down
refused "to come up without a namespace for sockets" \
	ip -n "$left" link set wg1 up
in_ns "$left" wg show wg1 >/dev/null
ip -n "$left" link del wg1
remove_ns "$left"
remove_ns "$right"

# One namespace after the other is freed; of the last there may be something left.
flush_deleted() {
	for _ in 1 2 3; do
		setup_ns spare
		# shellcheck disable=SC2154 # set just now
		tether "$spare"
		remove_ns "$spare"
		gone "a namespace of no use" "$CABLE"
	done
}

# A dump that nobody goes on with keeps a device that is deleted, and what it has of
# the other namespace; and the same for a peer that is removed. Where it takes ten
# seconds to free a namespace, the kernel would complain that the device stays.
outlived() {
	local what=$1 deleting='' input

	loop_pair
	# With so many allowed IPs it is this peer that the dump stops at.
	wg_set "$left" wg1 peer "${PUB[2]}" endpoint "[::1]:5102" \
		allowed-ips "fd70::2/128$(printf ',10.80.0.%d/32' {0..250})"
	flood "$left" fd70::2 20
	coproc HOLD { exec nsenter --net="/run/netns/$left" \
		python3 "$WGI_LIB/../netlink/holddump.py" wg1; }
	read -r -t 60 _ <&"${HOLD[0]}" || fail "$what: no dump"
	if [ "$what" = device ]; then
		ip -n "$left" link del wg1 &
		deleting=$!
		await 5 "$what deleted" no_such_link_in "$left" wg1
	else
		wg_set "$left" wg1 peer "${PUB[2]}" remove
	fi
	tether "$under"
	remove_ns "$under"
	gone "the namespace of the routes of a $what in a dump" "$CABLE"
	flush_deleted
	input=${HOLD[1]}
	exec {input}>&-
	wait ${deleting:+"$deleting"} "$HOLD_PID" || fail "$what: dump or deletion"
	remove_ns "$left"
	remove_ns "$right"
}
no_such_link_in() {
	! ip -n "$1" link show "$2" >/dev/null 2>&1
}
[ "${WGI_EMULATED:-0}" = 1 ] || outlived device
outlived peer

# Devices in each other's creating namespace.
setup_ns here there
add_wg "$here" wg1
add_wg "$there" wg2
ip -n "$here" link set wg1 netns "$there"
ip -n "$there" link set wg2 netns "$here"
wire "$here" w1 "$there" w2
addr "$here" w1 192.0.2.1/24
addr "$there" w2 192.0.2.2/24
wg_set "$there" wg1 KEY:1 listen-port 5101 peer "${PUB[2]}" \
	endpoint 192.0.2.2:5102 allowed-ips 10.70.0.2/32
wg_set "$here" wg2 KEY:2 listen-port 5102 peer "${PUB[1]}" \
	allowed-ips 10.70.0.1/32
inner_up "$there" wg1 1
inner_up "$here" wg2 2
ping_ok "crosswise" "$there" 10.70.0.2
tether "$here"
first=$CABLE
tether "$there"
remove_ns "$here"
remove_ns "$there"
gone "namespaces that hold each other's device" "$first" "$CABLE"
