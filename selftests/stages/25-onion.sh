#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: a peer can be reached through another peer of the same device; a peer
#       whose endpoint lies behind itself is not reached, and no harm is done
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

wire_pair

# A second device on the right, which left reaches inside the first tunnel.
add_wg "$right" wg3
wg_set "$right" wg3 KEY:3 listen-port 5103 peer "${PUB[1]}" \
	allowed-ips 10.70.3.1/32
addr "$right" wg3 10.70.3.3/24
ip -n "$right" link set wg3 up
addr "$left" wg1 10.70.3.1/24
wg_set "$left" wg1 peer "${PUB[3]}" allowed-ips 10.70.3.3/32 \
	endpoint 10.70.0.2:5103
ping_ok "first layer" "$left" 10.70.0.2
before=$(sent "$left" wg1 "${PUB[2]}")
ping_ok "second layer" "$left" 10.70.3.3
[ "$(sent "$left" wg1 "${PUB[2]}")" -ge $((before + 148 + 60)) ] ||
	fail "expected the second layer's packets to go through the first peer"
expect_endpoint "right, second layer" "$right" wg3 "${PUB[1]}" 10.70.0.1:5101
flood "$left" 10.70.3.3 50

# Now behind itself: its data, then its handshakes too.
wg_set "$left" wg1 peer "${PUB[3]}" endpoint 10.70.3.3:5103
ping_dead "behind itself, with a session" "$left" 10.70.3.3
wg_set "$left" wg1 peer "${PUB[3]}" remove
wg_set "$left" wg1 peer "${PUB[3]}" allowed-ips 10.70.3.3/32 \
	endpoint 10.70.3.3:5103
ping_dead "behind itself, without a session" "$left" 10.70.3.3

# Two peers behind each other.
wg_set "$left" wg1 peer "${PUB[4]}" allowed-ips 10.70.3.4/32 \
	endpoint 10.70.3.3:5104 peer "${PUB[3]}" endpoint 10.70.3.4:5103
ping_dead "behind each other" "$left" 10.70.3.4
wg_set "$left" wg1 peer "${PUB[4]}" remove

ping_ok "the first layer, unharmed" "$left" 10.70.0.2
wg_set "$left" wg1 peer "${PUB[3]}" remove
wg_set "$left" wg1 peer "${PUB[3]}" allowed-ips 10.70.3.3/32 \
	endpoint 10.70.0.2:5103
ping_ok "the second layer, restored" "$left" 10.70.3.3 -W 8
