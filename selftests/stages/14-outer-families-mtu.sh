#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: outer IPv4 and IPv6, each with the default MTU and with a jumbo MTU
# needs: core ipv6
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

need iperf3
need_ipv6

# both_mtu MTU: then the largest packet fits and is neither split nor refused
both_mtu() {
	ip -n "$left" link set wg1 mtu "$1"
	ip -n "$right" link set wg2 mtu "$1"
	ping_ok "full size, MTU $1" "$left" 10.70.0.2 -M "do" -s $(($1 - 28))
	ping_ok "full size, MTU $1" "$right" fd70::1 -M "do" -s $(($1 - 48))
	ping_dead "more than MTU $1" "$left" 10.70.0.2 -M "do" -s $(($1 - 27))
	expect_match "more than MTU $1" "[Mm]essage too long" "$PING_SAID"
	tcp_short "$left" "$right" 10.70.0.2
	tcp_short "$right" "$left" fd70::1
}

# go_by OUTER: a packet that is under way by the last one, or sent before the other
# end is told, takes an end back.
go_by() {
	wg_set "$left" wg1 peer "${PUB[2]}" endpoint "$1:5102"
	wg_set "$right" wg2 peer "${PUB[1]}" endpoint "$1:5101"
	ping_once "$left" 10.70.0.2 && ping_once "$right" 10.70.0.1 &&
		endpoint_is "$left" wg1 "${PUB[2]}" "$1:5102" &&
		endpoint_is "$right" wg2 "${PUB[1]}" "$1:5101"
}

loop_pair
default=$(in_ns "$left" cat /proc/sys/net/ipv6/conf/wg1/mtu)
expect "default MTU" 1420 "$default"
for outer in 127.0.0.1 "[::1]"; do
	await $((10 * ${WGI_FACTOR:-1})) "outer $outer" go_by "$outer"
	both_mtu "$default"
	both_mtu $((34816 - 1500 + default))
	expect_endpoint "outer $outer" "$right" wg2 "${PUB[1]}" "$outer:5101"
done
