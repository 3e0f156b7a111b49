#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: configurations and dumps that need many netlink messages are exact, also
#       while peers come and go
# needs: core once
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# peers FIRST COUNT IPS: configuration; any 32 bytes do as a public key
peers() {
	awk -v first="$1" -v count="$2" -v ips="$3" 'BEGIN {
		for (n = first; n < first + count; n++) {
			printf "[Peer]\nPublicKey = k%041dA=\n", n
			for (i = 0; i < ips; i++)
				printf "AllowedIPs = 10.%d.%d.%d/32\n",
					n % 256, i / 256, i % 256
		}
	}'
}

# set_to CONFIGURATION-COMMAND...
set_to() {
	"$@" >"$SCRATCH/conf"
	in_ns "$host" wg setconf wg0 "$SCRATCH/conf"
}

# counts WHAT PEERS IPS: what a dump says, and nothing of it twice
counts() {
	in_ns "$host" wg show wg0 allowed-ips >"$SCRATCH/dump"
	expect "$1: peers" "$2" "$(wc -l <"$SCRATCH/dump")"
	expect "$1: peers, different ones" "$2" \
		"$(cut -f1 "$SCRATCH/dump" | sort -u | wc -l)"
	expect "$1: allowed IPs" "$3" "$(ips | wc -l)"
	expect "$1: allowed IPs, different ones" "$3" "$(ips | sort -u | wc -l)"
}

ips() {
	cut -f2- "$SCRATCH/dump" | tr -s ' \t' '\n' | sed '/\//!d'
}

# A peer that owns a whole lot, some of it v6.
one_peer() {
	awk 'BEGIN {
		printf "[Peer]\nPublicKey = k%041dA=\n", 1
		for (a = 0; a < 255; a++)
			for (b = 0; b < 256; b++)
				printf "AllowedIPs=10.%d.%d.0/29,fd00::%x/128\n",
					a, b, a * 256 + b
	}'
}

empty_then_one() {
	peers 1 29 0
	peers 30 1 0
}

empty_then_full() {
	peers 1 1 0
	peers 2 1 197
}

setup_ns host
add_wg "$host" wg0

set_to one_peer
counts "one large peer" 1 $((255 * 256 * 2))
set_to peers 1 40 53
counts "forty peers" 40 $((40 * 53))
set_to empty_then_one
counts "thirty empty peers" 30 0
set_to empty_then_full
counts "an empty peer before a large one" 2 197
expect "the empty one has none" "(none)" \
	"$(awk '/^k0*1A=/ { print $2 }' "$SCRATCH/dump")"

# Peers 1 to 60 stay, peers 101 to 140 come and go meanwhile.
set_to peers 1 60 20
peers 101 40 20 >"$SCRATCH/guests"
awk '/PublicKey/ { print "peer\n" $3 "\nremove" }' "$SCRATCH/guests" \
	>"$SCRATCH/farewell"
mapfile -t farewell <"$SCRATCH/farewell"
come_and_go() {
	while :; do
		in_ns "$host" wg addconf wg0 "$SCRATCH/guests" || return 1
		in_ns "$host" wg set wg0 "${farewell[@]}" || return 1
		echo >>"$SCRATCH/rounds"
	done
}
come_and_go &
changer=$!
defer stop "$changer"
changed() {
	[ -s "$SCRATCH/rounds" ]
}
await 20 "peers come and go" changed
for _ in {1..15}; do
	in_ns "$host" wg show wg0 allowed-ips >"$SCRATCH/dump"
	awk '{ n = substr($1, 2, 41) + 0 }
		n < 100 && (seen[n]++ || NF != 21) { bad = bad " " n }
		n < 100 { residents++ }
		END { if (residents != 60 || bad)
			print residents " residents; twice or cut short:" bad }' \
		"$SCRATCH/dump" >"$SCRATCH/verdict"
	[ ! -s "$SCRATCH/verdict" ] ||
		fail "a dump during changes: expected 60 peers with 20 allowed" \
			"IPs each, saw $(<"$SCRATCH/verdict")"
done
kill -0 "$changer" || fail "peers were to come and go, but that failed"
