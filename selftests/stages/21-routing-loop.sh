#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: a tunnel whose own outer packets are routed into it again, across two
#       namespaces, neither runs away nor hurts the machine
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# The outer packets leave in $under; there the endpoint is behind $left, which
# forwards them into the tunnel that they came from.
loop_pair
wire "$under" u1 "$left" l1
addr "$under" u1 192.0.2.1/24
addr "$left" l1 192.0.2.2/24
sysctl_ns "$left" net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
	net.ipv4.conf.l1.rp_filter=0
setup_ns away
add_wg "$under" by1
add_wg "$under" by2
ip -n "$under" link set by2 netns "$away"
wg_set "$under" by1 KEY:3 listen-port 5301 peer "${PUB[4]}" \
	endpoint 127.0.0.1:5302 allowed-ips 10.72.0.2/32
wg_set "$away" by2 KEY:4 listen-port 5302 peer "${PUB[3]}" \
	endpoint 127.0.0.1:5301 allowed-ips 10.72.0.1/32
addr "$under" by1 10.72.0.1/24
addr "$away" by2 10.72.0.2/24
ip -n "$under" link set by1 up
ip -n "$away" link set by2 up
ping_ok "a session to loop with" "$left" 10.70.0.2
ping_ok "a bystander's session" "$under" 10.72.0.2

ip -n "$under" route add 198.51.100.0/24 via 192.0.2.2
ip -n "$left" route add 198.51.100.0/24 dev wg1
wg_set "$left" wg1 peer "${PUB[2]}" endpoint 198.51.100.1:5102 \
	allowed-ips 10.70.0.2/32,198.51.100.0/24
before=$(sent "$left" wg1 "${PUB[2]}")
ping_dead "through the loop" "$left" 10.70.0.2
# What is waited for is time itself: so much in a second.
sleep 1
after=$(sent "$left" wg1 "${PUB[2]}")
[ "$after" -gt "$before" ] || fail "expected the loop to carry something"
# Each turn adds headers, until nothing fits any more.
carried=$((after - before))
echo "# the loop carried $carried bytes"
[ $carried -lt 70000 ] || fail "expected less than 70000 bytes in the loop"

# While it turns, others go on, and it ends when the route does.
flood "$under" 10.72.0.2 50
ip -n "$left" route del 198.51.100.0/24 dev wg1
wg_set "$left" wg1 peer "${PUB[2]}" endpoint 127.0.0.1:5102
ping_ok "after the loop" "$left" 10.70.0.2
before=$(sent "$left" wg1 "${PUB[2]}")
sleep 0.5
after=$(sent "$left" wg1 "${PUB[2]}")
[ $((after - before)) -le 200 ] ||
	fail "expected silence, but $((after - before)) bytes left in 0.5 s"
