#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: a socket bound to the device (SO_BINDTODEVICE) sends through the tunnel
# needs: core ipv6
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

need_ipv6
wire_pair
ping_ok "bound, v4" "$left" 10.70.0.2 -I wg1
ping_ok "bound, v6" "$left" fd70::2 -I wg1

# Where the routes point elsewhere, the binding decides. The outer packets,
# whose socket is bound to nothing, go on as routed.
wg_set "$left" wg1 peer "${PUB[2]}" allowed-ips 10.70.0.2/32,10.73.0.0/24
addr "$right" wg2 10.73.0.2/24
ip -n "$left" link add d0 type dummy
ip -n "$left" link set d0 up
ip -n "$left" route add 10.73.0.0/24 dev d0
ping_dead "routed elsewhere" "$left" 10.73.0.2
ip -n "$left" route add default dev wg1 metric 5
ping_ok "bound against the route" "$left" 10.73.0.2 -I wg1
