#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the ICMP error about a packet under NAT goes to its original source
# needs: nat ipv6
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

need_ipv6
wire_pair
setup_ns host
wire "$host" h1 "$left" h2
addr "$host" h1 10.80.0.2/24 fd80::2/64
addr "$left" h2 10.80.0.1/24 fd80::1/64
ip -n "$host" route add default via 10.80.0.1
ip -n "$host" -6 route add default via fd80::1
sysctl_ns "$left" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
	net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
masquerade "$left" wg1

ping_ok "under NAT" "$host" 10.70.0.2
ping_ok "under NAT, v6" "$host" fd70::2
# When the device refuses it, the packet already carries the tunnel's address.
ping_dead "nobody's address" "$host" 10.70.0.77
expect_match "the ICMP error" \
	"From 10\.80\.0\.1 icmp_seq=1 Destination Host Unreachable" "$PING_SAID"
ping_dead "nobody's address, v6" "$host" fd70::77
expect_match "the ICMPv6 error" \
	"From fd80::1 icmp_seq=1 Destination unreachable: Address unreachable" \
	"$PING_SAID"
