#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the endpoint follows the other side: port, address, and address family
# needs: core ipv6
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# seen_at ENDPOINT: one packet later, that is where right looks for left
seen_at() {
	ping_ok "from $1" "$left" 10.70.0.2
	expect_endpoint "after a packet from $1" "$right" wg2 "${PUB[1]}" "$1"
	ping_ok "to $1" "$right" 10.70.0.1
}

need_ipv6
wire_pair
seen_at 192.0.2.1:5101

wg_set "$left" wg1 listen-port 5111
seen_at 192.0.2.1:5111

ip -n "$left" addr del 192.0.2.1/24 dev w1
addr "$left" w1 192.0.2.101/24
seen_at 192.0.2.101:5111

wg_set "$left" wg1 peer "${PUB[2]}" endpoint "[2001:db8::2]:5102"
seen_at "[2001:db8::1]:5111"
addr "$left" w1 2001:db8::201/64
ip -n "$left" addr del 2001:db8::1/64 dev w1
seen_at "[2001:db8::201]:5111"
wg_set "$left" wg1 listen-port 5101
seen_at "[2001:db8::201]:5101"

wg_set "$left" wg1 peer "${PUB[2]}" endpoint 192.0.2.2:5102
seen_at 192.0.2.101:5101
