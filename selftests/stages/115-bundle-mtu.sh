#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the MTU of a bundle is what gets to the other end in one piece, whether
#       routers on the way send ICMP or not, over IPv4 and IPv6; and so found by up
#       and by watch
# needs: once tool user
# timeout: 180
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

FACTOR=${WGI_FACTOR:-1}

# far_sites: as sites, with two routers between them, whose cable takes less.
#
#    $left  w1 192.0.2.1 ═══ r1 $under m1 ═══ m2 $other r2 ═══ w2 198.51.100.2 $right
#           2001:db8:1::1            MTU 1400                     2001:db8:2::2
far_sites() {
	setup_ns left under other right
	wire "$left" w1 "$under" r1
	wire "$under" m1 "$other" m2
	wire "$other" r2 "$right" w2
	narrow 1400
	addr "$left" w1 192.0.2.1/24 2001:db8:1::1/64
	addr "$under" r1 192.0.2.9/24 2001:db8:1::9/64
	addr "$under" m1 203.0.113.1/24 2001:db8:3::1/64
	addr "$other" m2 203.0.113.2/24 2001:db8:3::2/64
	addr "$other" r2 198.51.100.9/24 2001:db8:2::9/64
	addr "$right" w2 198.51.100.2/24 2001:db8:2::2/64
	to "$left" 192.0.2.9 2001:db8:1::9
	to "$under" 203.0.113.2 2001:db8:3::2
	to "$other" 203.0.113.1 2001:db8:3::1
	to "$right" 198.51.100.9 2001:db8:2::9
	mkdir -p "$SCRATCH/left" "$SCRATCH/right"
}

to() {
	sysctl_ns "$1" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n "$1" route add default via "$2"
	ip -n "$1" -6 route add default via "$3"
}

narrow() {
	ip -n "$under" link set m1 mtu "$1"
	ip -n "$other" link set m2 mtu "$1"
}

# between HOST-LEFT HOST-RIGHT
between() {
	site 1 2 "$2" >"$SCRATCH/left/dc.conf"
	site 2 1 "$1" >"$SCRATCH/right/dc.conf"
	introduce 2 2
}

# silence, speech: routers say nothing at all themselves, but forward; or they do
silence() {
	rules add
}

speech() {
	rules del
}

rules() {
	local ns
	for ns in "$under" "$other"; do
		ip -n "$ns" rule "$1" pref 1 iif lo blackhole
		ip -n "$ns" -6 rule "$1" pref 1 iif lo blackhole
	done
}

mtus() {
	ip -n "$1" -o link show type wireguard |
		sed -E 's/.* mtu ([0-9]+) .*/\1/' | xargs
}

mtus_are() {
	[ "$(mtus "$1")" = "$2" ]
}

# pieces: that the routers have made so far, of either family
pieces() {
	cut_by "$under"
	cut_by "$other"
}

cut_by() {
	in_ns "$1" awk '$1 == "Ip6FragCreates" { sum += $2 }
		$1 == "Ip:" && !column {
			for (column = NF; $column != "FragCreates"; column--);
			next
		}
		$1 == "Ip:" { sum += $column }
		END { print sum }' /proc/net/snmp /proc/net/snmp6
}

# finds WHAT MTU: the one end when it comes up, the other as it is watched
finds() {
	local before
	up right >"$SCRATCH/said"
	expect "$1: of an end that is alone" "1420 1420" "$(mtus "$right")"
	up left >"$SCRATCH/said"
	busywait 1 mtus_are "$left" "$2 $2" || {
		# Where all is slow, the first answer may have come too late.
		[ "$FACTOR" -gt 1 ] || fail "$1: $(mtus "$left"): $(<"$SCRATCH/said")"
		watch_for_mtu left "$2"
	}
	watch_for_mtu right "$2"
	before=$(pieces)
	flood "$left" 10.50.0.2 20
	tcp_short "$left" "$right" 10.50.0.2 -P 4
	tcp_short "$right" "$left" fd50::1 -P 4
	expect "$1: packets cut by routers" "$before" "$(pieces)"
	down left
	down right
}

# watch_for_mtu SIDE MTU
watch_for_mtu() {
	bg_ns "${!1}" "$TOOL" bundle watch "$SCRATCH/$1/dc.conf" \
		>"$SCRATCH/$1.log" 2>&1
	await $((30 * FACTOR)) "MTU of $1" mtus_are "${!1}" "$2 $2"
	await 5 "words" grep -q "^dc: the MTU is $2, as larger" "$SCRATCH/$1.log"
	stop "$BG"
}

need python3
need_ipv6
far_sites
between 192.0.2.1 198.51.100.2
silence
finds "IPv4 without ICMP" 1328
between '[2001:db8:1::1]' '[2001:db8:2::2]'
finds "IPv6 without ICMP" 1312
speech
finds "IPv6 with ICMP" 1312
between 192.0.2.1 198.51.100.2
finds "IPv4 with ICMP" 1328

# As it should be: nothing is found, and nothing said.
narrow 1500
up right
expect "words" "" "$(up left)"
expect "with room enough" "1420 1420" "$(mtus "$left")"
down left

# What the file says is not measured.
narrow 1400
sed -i '2i MTU = 1400' "$SCRATCH/left/dc.conf"
expect "words" "" "$(up left)"
expect "MTU of the file" "1400 1400" "$(mtus "$left")"
