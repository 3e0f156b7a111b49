#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: packets that a mark routes anew on output, inner or outer, get through
# needs: nat
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

wire_pair
ping_ok "before" "$left" 10.70.0.2

# Every packet is marked and, as its mark changed, looked up again.
filter "$left" <<EOR
table inet wgi_mark {
	chain out {
		type route hook output priority -150;
		meta mark set 0x17
	}
}
EOR
ping_ok "marked" "$left" 10.70.0.2
ping_ok "marked and bound" "$left" 10.70.0.2 -I wg1
ping_ok "marked, v6" "$left" fd70::2 -I wg1

# The mark takes the inner packet into the tunnel, against the main table.
wg_set "$left" wg1 peer "${PUB[2]}" allowed-ips 10.70.0.2/32,10.73.0.0/24
addr "$right" wg2 10.73.0.2/24
ip -n "$left" route add 10.73.0.0/24 dev w1
ip -n "$left" route add 10.73.0.0/24 dev wg1 src 10.70.0.1 table 77
ip -n "$left" rule add fwmark 0x17 table 77
ping_ok "routed by its mark" "$left" 10.73.0.2 -I 10.70.0.1
flood "$left" 10.70.0.2 50
