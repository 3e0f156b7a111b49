#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: where no peer or no endpoint is known, the sender is told: locally by an
#       error, over a cable by ICMP and ICMPv6
# needs: core ipv6
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# told WHAT NS ADDRESS REGEX
told() {
	ping_dead "$1" "$2" "$3"
	expect_match "$1" "$4" "$PING_SAID"
}

need_ipv6
wire_pair
sysctl_ns "$left" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
	net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0

told "nobody's address" "$left" 10.70.0.77 "Destination Host Unreachable"
told "nobody's address, v6" "$left" fd70::77 "Address unreachable"

wg_set "$left" wg1 peer "${PUB[3]}" allowed-ips 10.70.0.78/32,fd70::78/128
told "a peer without endpoint" "$left" 10.70.0.78 \
	"Destination Host Unreachable|Destination address required"
told "a peer without endpoint, v6" "$left" fd70::78 \
	"Address unreachable|Destination address required"

# A host behind left, which routes for it. The answer takes the way back to the
# host, and comes from left's address on it.
setup_ns host
wire "$host" h1 "$left" h2
addr "$host" h1 10.80.0.2/24 fd80::2/64
addr "$left" h2 10.80.0.1/24 fd80::1/64
ip -n "$host" route add default via 10.80.0.1
ip -n "$host" -6 route add default via fd80::1
await 5 "the cable carries v6" ping_once "$host" fd80::1
told "forwarded, nobody's" "$host" 10.70.0.77 \
	"From 10\.80\.0\.1 icmp_seq=1 Destination Host Unreachable"
told "forwarded, nobody's, v6" "$host" fd70::77 \
	"From fd80::1 icmp_seq=1 Destination unreachable: Address unreachable"
told "forwarded, no endpoint" "$host" 10.70.0.78 \
	"From 10\.80\.0\.1 icmp_seq=1 Destination Host Unreachable"
ping_ok "the peer that is known" "$left" 10.70.0.2
