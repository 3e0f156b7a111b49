#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: an inner source that belongs to another peer is dropped, even where that
#       peer only has the more specific prefix; its outer source still counts
# needs: core ipv6
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# dropped ADDRESS FROM-PORT: a ping from there is not delivered, though the
# packet is authentic and so tells where left is now
dropped() {
	local before
	before=$(echo_requests "$right" "$1")
	wg_set "$left" wg1 listen-port "$2"
	ping_dead "$1 belongs to another peer" "$left" "$1"
	expect "requests delivered" "$before" "$(echo_requests "$right" "$1")"
	expect_endpoint "after a dropped packet" "$right" wg2 "${PUB[1]}" \
		"127.0.0.1:$2"
}

need_ipv6
loop_pair
wg_set "$right" wg2 peer "${PUB[1]}" allowed-ips 10.70.0.0/24,fd70::/64
ping_ok "before" "$left" 10.70.0.2
ping_ok "before" "$left" fd70::2

wg_set "$right" wg2 peer "${PUB[3]}" allowed-ips 10.70.0.1/32,fd70::1/128
dropped 10.70.0.2 5111
dropped fd70::2 5112

# Another source of the same peer is not affected.
addr "$left" wg1 10.70.0.9/24
ping_ok "from a source that is its own" "$left" 10.70.0.2 -I 10.70.0.9

# A source that belongs to nobody is nobody's.
wg_set "$right" wg2 peer "${PUB[1]}" allowed-ips 10.70.0.9/32
wg_set "$right" wg2 peer "${PUB[3]}" remove
dropped 10.70.0.2 5113

wg_set "$right" wg2 peer "${PUB[1]}" allowed-ips 10.70.0.0/24,fd70::/64
ping_ok "with the prefix back" "$left" 10.70.0.2
ping_ok "with the prefix back" "$left" fd70::2
