#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: left answers from the address that was contacted, also where that is
#       not the one, or not on the interface, that its routes would choose
# needs: core ipv6
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# contacted ENDPOINT: left's whole side of the talk comes from there
contacted() {
	wg_set "$right" wg2 peer "${PUB[1]}" remove
	wg_set "$right" wg2 peer "${PUB[1]}" endpoint "$1" \
		allowed-ips 10.70.0.1/32
	ping_ok "right contacts $1" "$right" 10.70.0.1
	flood "$left" 10.70.0.2 10
	expect_endpoint "left answers from $1" "$right" wg2 "${PUB[1]}" "$1"
}

need_ipv6
wire_pair
# left knows right only by its peer's packets.
wg_set "$left" wg1 peer "${PUB[2]}" remove
wg_set "$left" wg1 peer "${PUB[2]}" allowed-ips 10.70.0.2/32

addr "$left" w1 192.0.2.11/24 192.0.2.12/24 2001:db8::11/64 2001:db8::12/64
contacted 192.0.2.12:5101
contacted 192.0.2.1:5101
contacted 192.0.2.11:5101
contacted "[2001:db8::11]:5101"
contacted "[2001:db8::1]:5101"
contacted "[2001:db8::12]:5101"

# A second cable, and addresses of left on it and on no cable at all; what goes
# back to right leaves by the first one, as its routes say.
wire "$left" x1 "$right" x2
ip -n "$left" link add d0 type dummy
ip -n "$left" link set d0 up
addr "$left" x1 198.51.100.1/24 2001:db8:1::1/64
addr "$left" d0 203.0.113.1/32 2001:db8:2::1/128
sysctl_ns "$left" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.w1.rp_filter=0 \
	net.ipv4.conf.x1.rp_filter=0
sysctl_ns "$right" net.ipv4.conf.all.rp_filter=0 \
	net.ipv4.conf.w2.rp_filter=0 net.ipv4.conf.x2.rp_filter=0
ip -n "$right" route add 203.0.113.1/32 via 192.0.2.1
ip -n "$right" route add 198.51.100.0/24 via 192.0.2.1
ip -n "$right" -6 route add 2001:db8:1::/64 via 2001:db8::1
ip -n "$right" -6 route add 2001:db8:2::1/128 via 2001:db8::1
contacted 198.51.100.1:5101
contacted 203.0.113.1:5101
contacted "[2001:db8:1::1]:5101"
contacted "[2001:db8:2::1]:5101"
