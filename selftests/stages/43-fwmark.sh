#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: outer packets carry the fwmark, at once when it changes; inner marks do
#       not leak to the outer packets
# needs: core ipv6
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

need_ipv6
wire_pair
for family in -4 -6; do
	ip -n "$left" $family rule add fwmark 0x5 unreachable priority 10
	ip -n "$left" $family rule add fwmark 0x6 lookup 66 priority 11
done
expect "fwmark at first" off "$(in_ns "$left" wg show wg1 fwmark)"
for outer in 192.0.2.2 "[2001:db8::2]"; do
	wg_set "$left" wg1 peer "${PUB[2]}" endpoint "$outer:5102"
	ping_ok "no mark" "$left" 10.70.0.2
	wg_set "$left" wg1 fwmark 0x5
	expect "fwmark" 0x5 "$(in_ns "$left" wg show wg1 fwmark)"
	ping_dead "a mark that makes it unreachable" "$left" 10.70.0.2
	wg_set "$left" wg1 fwmark 0x6
	ping_ok "a mark that changes nothing" "$left" 10.70.0.2
	wg_set "$left" wg1 fwmark 0x5
	ping_dead "unreachable again" "$left" 10.70.0.2
	wg_set "$left" wg1 fwmark 0
	expect "fwmark" off "$(in_ns "$left" wg show wg1 fwmark)"
	ping_ok "no mark again" "$left" 10.70.0.2
done

# An inner packet with that mark: only its own routing minds, so make that well.
ip -n "$left" rule add fwmark 0x5 to 10.70.0.0/24 lookup main priority 5
ping_ok "an inner packet with the mark" "$left" 10.70.0.2 -m 5
wg_set "$left" wg1 fwmark 0xffffffff
expect "the largest fwmark" 0xffffffff "$(in_ns "$left" wg show wg1 fwmark)"
