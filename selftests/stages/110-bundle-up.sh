#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: wg-inline bundle up and down: tunnels, routes of both families, flows on
#       all of them; the same again changes nothing; down leaves no trace
# needs: once tool
# timeout: 120
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

# spread RIGHT-ADDRESS LEFT-ADDRESS: many flows use all tunnels, both ways
spread() {
	local device ns
	local -A before
	for ns in "$left" "$right"; do
		for device in dc dc-2 dc-3 dc-4; do
			before[$ns$device]=$(packets_of "$ns" "$device")
		done
	done
	tcp_short "$left" "$right" "$1" -P 64
	tcp_short "$right" "$left" "$2" -P 64
	for ns in "$left" "$right"; do
		for device in dc dc-2 dc-3 dc-4; do
			[ $(($(packets_of "$ns" $device) - before[$ns$device])) \
				-gt 20 ] || fail "$device of $ns: few of $1's packets"
		done
	done
}

need python3
need_ipv6
sites
introduce 4 4
ip -n "$left" link add other type dummy
trace "$left" >"$SCRATCH/before-left"
trace "$right" >"$SCRATCH/before-right"

[ "$(tool "$left" bundle show)" = "" ] || fail "a bundle before there is one"
up right
up left -n 4
for device in dc dc-2 dc-3 dc-4; do
	await 5 "a handshake of $device without any traffic" handshaken "$left" \
		$device "$(in_ns "$left" wg show $device peers)"
done
expect "members" "dc dc-2 dc-3 dc-4" \
	"$(ip -n "$left" -o link show type wireguard | sed -E 's/^[0-9]+: ([^:]*):.*/\1/' | xargs)"
expect "bundle in JSON" "dc [1, 2, 3, 4] 4" "$(json "$left" "i['dc']['bundle']['name'],
	[x['bundle']['tunnel'] for x in i.values()],
	i['dc-4']['bundle']['tunnels'], sep=' '" | tr -d "'")"
expect "members in one group" 4 \
	"$(ip -n "$left" -o link show group 5100 | wc -l)"
for n in 1 2 3 4; do
	device=dc-$n
	[ $n != 1 ] || device=dc
	line=$("$TOOL" bundle keygen "$SCRATCH/left/dc.conf" -n 4 | sed -n ${n}p)
	expect "key of tunnel $n" "$(cut -f3 <<<"$line")" \
		"$(in_ns "$left" wg show "$device" public-key)"
	expect "port of tunnel $n" "$((5099 + n))" \
		"$(in_ns "$left" wg show "$device" listen-port)"
	expect "endpoint at tunnel $n" "192.0.2.2:$((5199 + n))" \
		"$(in_ns "$left" wg show "$device" endpoints | cut -f2)"
	expect "MTU of tunnel $n" 1420 "$(json "$left" "i['$device']['mtu']")"
done
ping_ok "IPv4" "$left" 10.50.0.2
ping_ok "IPv6" "$left" fd50::2
spread 10.50.0.2 10.50.0.1
spread fd50::2 fd50::1
said=$(tool "$left" bundle show dc)
expect "members shown with live keys" 4 "$(grep -c ' live 1 ' <<<"$said")"
tool_refused "an unknown bundle" "there is no bundle dc9" "$left" bundle show dc9

# Again: nothing changes.
trace "$left" >"$SCRATCH/up"
expect "up again" "dc is up already" "$(up left -n 4)"
no_trace "up again" "$left" "$SCRATCH/up"

# A member goes, on both sides: its flows go by another one.
ip -n "$left" link set dc-2 down
ip -n "$right" link set dc-2 down
tcp_short "$left" "$right" 10.50.0.2 -P 16
tcp_short "$right" "$left" fd50::1 -P 16

down left
down right
no_trace "down" "$left" "$SCRATCH/before-left"
no_trace "down" "$right" "$SCRATCH/before-right"
expect "down again" "dc is down already" "$(down left)"
no_trace "down again" "$left" "$SCRATCH/before-left"

# Less than could be, and less than was asked for.
up right -n 2
up left -n 2
expect "two of four" 2 "$(ip -n "$left" -o link show type wireguard | wc -l)"
flood "$left" 10.50.0.2 20
down left
grep -v wg-inline "$SCRATCH/left/dc.conf" >"$SCRATCH/dc.conf"
tool "$left" bundle up "$SCRATCH/dc.conf" -n 4 2>"$SCRATCH/error"
expect_match "an end that knows nothing of bundles" "the other end has 1 tunnel," \
	"$(<"$SCRATCH/error")"
tool "$left" bundle down "$SCRATCH/dc.conf"
no_trace "down" "$left" "$SCRATCH/before-left"
