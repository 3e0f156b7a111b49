#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: a device moved to another namespace keeps its sockets where it was made
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

bound() {
	[ -n "$(in_ns "$1" ss -Hluan "sport = :$2")" ]
}

loop_pair

bound "$under" 5101 || fail "expected port 5101 bound in the first namespace"
bound "$left" 5101 && fail "port 5101 is bound where the device is now"
ping_ok "after the move" "$left" 10.70.0.2
ping_ok "after the move" "$right" fd70::1

# A port chosen from afar is bound there too, and the old one is free again.
wg_set "$left" wg1 listen-port 5111
bound "$under" 5111 || fail "expected port 5111 bound in the first namespace"
bound "$under" 5101 && fail "port 5101 is still bound"
ping_ok "with another port" "$left" 10.70.0.2

# Further moves change nothing about it, home and away again.
setup_ns far
for place in "$under" "$far"; do
	ip -n "$left" link set wg1 netns "$place"
	inner_up "$place" wg1 1
	bound "$under" 5111 || fail "expected port 5111 bound after a move"
	ping_ok "after another move" "$place" 10.70.0.2
	left=$place
done
