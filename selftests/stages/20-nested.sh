#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: tunnels in tunnels, 1 to 8 deep, carry ping and TCP, at any MTU
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

DEEPEST=8

# deeper LEVEL: a tunnel whose outer packets take the tunnel one level up
deeper() {
	local n=$1 side other ns
	for side in 1 2; do
		other=$((3 - side))
		ns=$left
		[ $side = 1 ] || ns=$right
		add_wg "$ns" "t$n"
		wg_set "$ns" "t$n" KEY:$side listen-port $((5200 + n)) \
			peer "${PUB[$other]}" allowed-ips "10.71.$n.$other/32" \
			endpoint "10.71.$((n - 1)).$other:$((5200 + n))"
		addr "$ns" "t$n" "10.71.$n.$side/24"
		ip -n "$ns" link set "t$n" mtu $((1500 - n * 60)) up
	done
}

need iperf3
setup_ns left right
wire "$left" w1 "$right" w2
addr "$left" w1 10.71.0.1/24
addr "$right" w2 10.71.0.2/24
for ((level = 1; level <= DEEPEST; level++)); do
	deeper $level
	ping_ok "depth $level" "$left" "10.71.$level.2" -W 5
	ping_ok "depth $level, full size" "$right" "10.71.$level.1" \
		-M "do" -s $((1500 - level * 60 - 28))
	flood "$right" "10.71.$level.1" 20
	direction=()
	((level % 2)) || direction=(-R)
	run_iperf "$left" "$right" "10.71.$level.2" -n 512K "${direction[@]}"
done

# With no room left for the headers, the outer packets travel in fragments.
for ((level = 1; level <= DEEPEST; level++)); do
	ip -n "$left" link set "t$level" mtu 1420
	ip -n "$right" link set "t$level" mtu 1420
done
for level in 2 4 $DEEPEST; do
	ping_ok "depth $level, fragments" "$left" "10.71.$level.2" \
		-M "do" -s 1392
	run_iperf "$right" "$left" "10.71.$level.1" -n 512K
done
