#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: a tunnel through source NAT; the persistent keepalive holds the mapping
# needs: nat
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# $left 192.0.2.1 ── n1 $nat n2 ── 198.51.100.2 $right
setup_ns left nat right
wire "$left" w1 "$nat" n1
wire "$nat" n2 "$right" w2
addr "$left" w1 192.0.2.1/24
addr "$nat" n1 192.0.2.254/24
addr "$nat" n2 198.51.100.254/24
addr "$right" w2 198.51.100.2/24
ip -n "$left" route add default via 192.0.2.254
sysctl_ns "$nat" net.ipv4.ip_forward=1
masquerade "$nat" n2

# The router forgets a mapping that was not used for two seconds.
sysctl_ns "$nat" net.netfilter.nf_conntrack_udp_timeout=2 \
	net.netfilter.nf_conntrack_udp_timeout_stream=2

add_wg "$left" wg1
add_wg "$right" wg2
wg_set "$left" wg1 KEY:1 listen-port 5101 peer "${PUB[2]}" \
	endpoint 198.51.100.2:5102 allowed-ips 10.70.0.2/32
wg_set "$right" wg2 KEY:2 listen-port 5102 peer "${PUB[1]}" \
	allowed-ips 10.70.0.1/32
inner_up "$left" wg1 1
inner_up "$right" wg2 2

ping_ok "through NAT" "$left" 10.70.0.2
expect_match "right sees the router" "^198\.51\.100\.254:" \
	"$(wg_field "$right" wg2 endpoints "${PUB[1]}")"
flood "$left" 10.70.0.2 50
tcp_short "$left" "$right" 10.70.0.2

# First that silence loses the mapping (else the test would show nothing): the
# time of the mapping has to pass. Right's own answers would renew it.
sleep 3.5
ping_dead "after the mapping expired" "$right" 10.70.0.1

ping_ok "through NAT, again" "$left" 10.70.0.2
wg_set "$left" wg1 peer "${PUB[2]}" persistent-keepalive 1
sleep 4
ping_ok "with a keepalive each second" "$right" 10.70.0.1
