#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: everything routed into the tunnel except what carries its own mark, as
#       wg-quick does it, v4 and v6; no route is left referenced
# needs: core ipv6
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

need iperf3
need_ipv6
wire_pair
ip -n "$right" link add d0 type dummy
ip -n "$right" link set d0 up
addr "$right" d0 203.0.113.5/32 2001:db8:5::5/128
ip -n "$right" route add default dev wg2
ip -n "$right" -6 route add default dev wg2
# The other end is beyond the default route, which the tunnel takes over.
addr "$right" d0 198.51.100.2/32 2001:db8:2::2/128
ip -n "$left" route add default via 192.0.2.2
ip -n "$left" -6 route add default via 2001:db8::2
wg_set "$left" wg1 fwmark 0xca6c \
	peer "${PUB[2]}" allowed-ips 0.0.0.0/0,::/0
for family in -4 -6; do
	everything=0.0.0.0/0
	[ $family = -4 ] || everything=::/0
	ip -n "$left" $family route add $everything dev wg1 table 51820
	ip -n "$left" $family rule add not fwmark 0xca6c table 51820
	ip -n "$left" $family rule add table main suppress_prefixlength 0
done
for outer in 198.51.100.2 "[2001:db8:2::2]"; do
	wg_set "$left" wg1 peer "${PUB[2]}" endpoint "$outer:5102"
	flood "$left" 203.0.113.5
	flood "$left" 2001:db8:5::5
	# Without the mark, its own packets are routed into it.
	wg_set "$left" wg1 fwmark 0
	ping_dead "to $outer without the mark" "$left" 203.0.113.5
	wg_set "$left" wg1 fwmark 0xca6c
	ping_ok "to $outer with the mark again" "$left" 203.0.113.5
done
tcp_short "$left" "$right" 203.0.113.5

# A route that somebody still counts on keeps its device from going away.
remove_ns "$left"
remove_ns "$right"
namespaces_reaped 15 || fail "the namespaces are not gone after 15 s"
