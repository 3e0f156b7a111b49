#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: a better route by another interface takes over, in v4 and in v6, and in
#       v4 its source address from the remembered one
# needs: core ipv6
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# crossing: packets that left has sent on the second cable
crossing() {
	# shellcheck disable=SC2016 # awk
	in_ns "$left" awk '$1 == "x1:" { print $11 }' /proc/net/dev
}

# moves_over TARGET PREFIX OLD-SOURCE NEW-SOURCE VIA: another path to the
# target. The old source stays valid for v6, where either may be used.
moves_over() {
	local before
	wg_set "$left" wg1 peer "${PUB[2]}" endpoint "$1"
	ping_ok "to $1 by the first cable" "$left" 10.70.0.2
	ping_ok "right answers" "$right" 10.70.0.1
	expect_endpoint "the first cable" "$right" wg2 "${PUB[1]}" "$3"
	ip -n "$left" route add "$2" via "$5"
	ping_ok "the cable carries" "$left" "$5"
	before=$(crossing)
	flood "$left" 10.70.0.2 20
	[ $(($(crossing) - before)) -ge 20 ] ||
		fail "expected 20 packets on the second cable," \
			"saw $(($(crossing) - before))"
	expect_match "source on the second cable" "^($4)$" \
		"$(wg_field "$right" wg2 endpoints "${PUB[1]}")"

	# and back, when that route goes
	ip -n "$left" route del "$2" via "$5"
	ping_ok "to $1 by the first cable again" "$left" 10.70.0.2
	expect_endpoint "the first cable" "$right" wg2 "${PUB[1]}" "$3"
}

need_ipv6
wire_pair
wire "$left" x1 "$right" x2
addr "$left" x1 198.51.100.1/24 2001:db8:1::1/64
addr "$right" x2 198.51.100.2/24 2001:db8:1::2/64
ip -n "$right" link add d0 type dummy
ip -n "$right" link set d0 up
addr "$right" d0 203.0.113.2/32 2001:db8:2::2/128
sysctl_ns "$left" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.w1.rp_filter=0 \
	net.ipv4.conf.x1.rp_filter=0
sysctl_ns "$right" net.ipv4.conf.all.rp_filter=0 \
	net.ipv4.conf.w2.rp_filter=0 net.ipv4.conf.x2.rp_filter=0
ip -n "$left" route add default via 192.0.2.2
ip -n "$left" -6 route add default via 2001:db8::2

moves_over 203.0.113.2:5102 203.0.113.2/32 \
	192.0.2.1:5101 '198\.51\.100\.1:5101' 198.51.100.2
moves_over "[2001:db8:2::2]:5102" 2001:db8:2::2/128 \
	"[2001:db8::1]:5101" '\[2001:db8:(1:)?:1\]:5101' 2001:db8:1::2
