#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: plaintexts are padded to 16 bytes, but never beyond the MTU of the route
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

need python3

# sizes LIMIT INNER-SIZE...: all of them in one run of the sniffer
sizes() {
	local mtu=$1 size wanted=() seen
	shift
	watch_outer "$left" w1 "$SCRATCH/seen"
	for size; do
		ping_ok "packet of $size bytes, MTU $mtu" "$left" 10.70.0.2 \
			-M "do" -s $((size - 28))
		size=$(((size + 15) / 16 * 16))
		wanted+=($((size < mtu ? size + 32 : mtu + 32)))
	done
	unwatch
	# Without the keepalives (32) of a machine that needs ten seconds for this.
	seen=$(awk '$1 == "out" && $8 == 4 && $7 != 32 { print $7 }' \
		"$SCRATCH/seen" | tr '\n' ' ')
	expect "sizes on the wire with MTU $mtu" "${wanted[*]} " "$seen"
}

wire_pair
ping_ok "session" "$left" 10.70.0.2
ip -n "$left" link set wg1 mtu 1300
ip -n "$right" link set wg2 mtu 1300
sizes 1300 28 32 33 47 48 49 1279 1281 1296 1297 1299 1300

# The route's MTU is the one that counts, where it is smaller.
ip -n "$left" route change 10.70.0.0/24 dev wg1 mtu 1299
sizes 1299 1264 1280 1281 1284 1296 1297 1298 1299

# No MTU at all must not be divided by; IP does not work over it, so it is
# enough to survive and to work again.
ip -n "$left" link set wg1 mtu 0
ping_dead "without an MTU" "$left" 10.70.0.2
ip -n "$left" link set wg1 mtu 1420
ip -n "$left" addr flush dev wg1
addr "$left" wg1 10.70.0.1/24
ping_ok "with an MTU again" "$left" 10.70.0.2
