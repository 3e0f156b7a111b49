#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: a bundle one end of which is behind NAT: the other end learns the ports of
#       all tunnels, and learns them anew when the NAT has forgotten; connections
#       under SNAT survive the tunnel that they went by; where rp_filter drops what
#       comes by a tunnel that is left out here, doctor says what to do, and it helps
# needs: once tool user nat
# timeout: 120
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

FACTOR=${WGI_FACTOR:-1}

#  $source s1 ═ b1 $left w1 ═══════ n1 $nat n2 ═════════ w2 $right
#  10.61.0.2       192.0.2.1   192.0.2.254  198.51.100.254   198.51.100.2
behind_nat() {
	setup_ns source left nat right
	wire "$left" b1 "$source" s1
	wire "$left" w1 "$nat" n1
	wire "$nat" n2 "$right" w2
	addr "$left" b1 10.61.0.1/24
	addr "$source" s1 10.61.0.2/24
	addr "$left" w1 192.0.2.1/24
	addr "$nat" n1 192.0.2.254/24
	addr "$nat" n2 198.51.100.254/24
	addr "$right" w2 198.51.100.2/24
	ip -n "$left" route add default via 192.0.2.254
	ip -n "$source" route add default via 10.61.0.1
	sysctl_ns "$nat" net.ipv4.ip_forward=1
	sysctl_ns "$left" net.ipv4.ip_forward=1
	mkdir -p "$SCRATCH/left" "$SCRATCH/right"
	site 1 2 198.51.100.2 >"$SCRATCH/left/dc.conf"
	echo "PersistentKeepalive = 1" >>"$SCRATCH/left/dc.conf"
	site 2 1 192.0.2.1 | grep -v Endpoint >"$SCRATCH/right/dc.conf"
}

# translate FIRST: outer ports are those from there on; what was known is forgotten
translate() {
	in_ns "$nat" nft flush ruleset
	filter "$nat" <<-EOR
		table ip wgi_nat {
			chain post {
				type nat hook postrouting priority 100;
				oifname "n2" udp sport 0-65535 masquerade to :$1-$(($1 + 99))
			}
		}
	EOR
	in_ns "$nat" conntrack -F 2>/dev/null
}

# learnt FIRST: does the far end send all four tunnels to ports from there on?
learnt() {
	[ "$(in_ns "$right" wg show all endpoints |
		grep -c "198.51.100.254:$(($1 / 100))..\$")" = 4 ]
}

watch() {
	bg_ns "${!1}" "$TOOL" bundle watch "$SCRATCH/$1/dc.conf" \
		>"$SCRATCH/$1.log" 2>&1
	await $((10 * FACTOR)) "words of $1" grep -q "tunnels answer" \
		"$SCRATCH/$1.log"
}

members_are() {
	[ "$(members "$1" 0)" = "$2" ]
}

# has SIDE SECONDS MEMBERS
has() {
	busywait $(($2 * FACTOR)) members_are "${!1}" "$3" ||
		fail "$1: $(members "${!1}" 0): $(cat "$SCRATCH"/*.log)"
}

# cut: what the second tunnel sends from $left is lost
cut() {
	filter "$left" <<-'EOR'
		table ip wgi_cut {
			chain out {
				type filter hook output priority 0;
				udp sport 5101 drop
			}
		}
	EOR
}

mend() {
	in_ns "$left" nft delete table ip wgi_cut
}

# flows FROM TO ADDRESS: do all of many get through?
flows() {
	local log=$SCRATCH/flows
	bg_ns "$2" timeout 30 iperf3 -s -1 -p 5201 >"$log" 2>&1
	await 20 "iperf3 -s listens" listening "$2" 5201
	in_ns "$1" timeout 20 iperf3 -p 5201 -c "$3" -P 24 -n 500K \
		>"$SCRATCH/said" 2>&1
}

# all_move LINE: has each of 12 connections got on after that line of iperf3's?
all_move() {
	[ "$(tail -n "+$1" "$SCRATCH/load" | sed 's/^\[ */[/' | awk '
		$1 ~ /^\[[0-9]+\]$/ && $4 > 0 { moved[$1] = 1 }
		END { for (flow in moved) count++; print count + 0 }')" = 12 ]
}

need python3 nft conntrack iperf3
behind_nat
introduce 4 4
translate 40000
up right
up left 2>"$SCRATCH/error"
if grep -q "cannot tell forwarded TCP" "$SCRATCH/error"; then
	skip "this kernel has no nftables"
fi
await $((10 * FACTOR)) "four tunnels' ports" learnt 40000
watch right
watch left
has right 5 "dc dc-2 dc-3 dc-4"
has left 5 "dc dc-2 dc-3 dc-4"
tcp_short "$right" "$left" 10.50.0.1 -P 32
tcp_short "$left" "$right" 10.50.0.2 -P 32

translate 41000
await $((10 * FACTOR)) "four tunnels' new ports" learnt 41000
has right 10 "dc dc-2 dc-3 dc-4"
has left 10 "dc dc-2 dc-3 dc-4"
tcp_short "$right" "$left" 10.50.0.1 -P 32

# SNAT to one address, and a tunnel that dies.
filter "$left" <<-'EOR'
	table ip wgi_snat {
		chain post {
			type nat hook postrouting priority 100;
			oifgroup 5100 ip saddr 10.61.0.0/24 snat to 10.50.0.1
		}
	}
EOR
bg_ns "$right" iperf3 -s -p 5301 >/dev/null
await 20 "iperf3 -s listens" listening "$right" 5301
bg_ns "$source" iperf3 -p 5301 -c 10.50.0.2 -t 600 -P 12 -b 200K -l 1K -i 1 \
	--forceflush >"$SCRATCH/load"
load=$BG
await $((20 * FACTOR)) "load" all_move 1
cut
has left 5 "dc dc-3 dc-4"
has right 5 "dc dc-3 dc-4"
await $((20 * FACTOR)) "connections under SNAT with a tunnel less" all_move \
	$(($(wc -l <"$SCRATCH/load") + 1))
mend
has left 10 "dc dc-2 dc-3 dc-4"
has right 10 "dc dc-2 dc-3 dc-4"
kill -0 "$load" || fail "iperf3 has given up"
stop "$load"
in_ns "$left" nft delete table ip wgi_snat

# The far end is not watched, and goes on to send by a tunnel that is left out here.
down right
up right
await $((10 * FACTOR)) "four tunnels' ports" learnt 41000
cut
has left 5 "dc dc-3 dc-4"
flows "$left" "$right" 10.50.0.2 || fail "$(<"$SCRATCH/said")"
for device in all dc dc-2 dc-3 dc-4; do
	sysctl_ns "$left" "net.ipv4.conf.$device.rp_filter=1"
done
if flows "$left" "$right" 10.50.0.2; then
	fail "rp_filter 1 makes no difference: nothing is shown"
fi
status=0
tool "$left" doctor --json >"$SCRATCH/doctor" || status=$?
expect "status of doctor" 3 "$status"
python3 -c '
import json, sys
for finding in json.load(sys.stdin)["findings"]:
	if finding["check"] == "rp-filter":
		print(finding["command"])' <"$SCRATCH/doctor" >"$SCRATCH/commands"
cat "$SCRATCH/commands"
[ -s "$SCRATCH/commands" ] || fail "doctor: $(<"$SCRATCH/doctor")"
in_ns "$left" sh -e "$SCRATCH/commands"
flows "$left" "$right" 10.50.0.2 || fail "after doctor: $(<"$SCRATCH/said")"
