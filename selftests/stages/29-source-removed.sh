#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the remembered local address is given up when the host loses it, v4, v6
# needs: core ipv6
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# loses CONTACTED/PREFIX REMAINING: right talks to left at one address, which
# left then loses
loses() {
	local contacted=${1%/*} remaining=$2 shape="%s:%s"
	[[ $contacted != *:* ]] || shape="[%s]:%s"
	# shellcheck disable=SC2059
	printf -v from "$shape" "$contacted" 5101
	# shellcheck disable=SC2059
	printf -v to "$shape" "$remaining" 5101
	wg_set "$right" wg2 peer "${PUB[1]}" endpoint "$from"
	ping_ok "right to $from" "$right" 10.70.0.1
	ping_ok "left answers" "$left" 10.70.0.2
	expect_endpoint "left sticks to it" "$right" wg2 "${PUB[1]}" "$from"
	ip -n "$left" addr del "$1" dev w1
	ping_ok "left without $contacted" "$left" 10.70.0.2
	expect_endpoint "left has $contacted no more" \
		"$right" wg2 "${PUB[1]}" "$to"
}

need_ipv6
wire_pair
# Not preferred for anything by itself: a secondary one, a deprecated one.
addr "$left" w1 192.0.2.11/24
ip -n "$left" addr add 2001:db8::11/64 dev w1 nodad preferred_lft 0
loses 192.0.2.11/24 192.0.2.1
loses 2001:db8::11/64 2001:db8::1
