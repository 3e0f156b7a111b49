#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# guest.sh WORD SECONDS: two gateways in network namespaces, four tunnels between
# them, TCP through all four for SECONDS. The module is loaded already; WORD is
# the mode for its devices, "-" for stock's. Prints "STEP text" while it works
# and at the end one line
#
#   RESULT <Gbit/s> <share of time each CPU was busy, in percent …>
#
#    gw1  10.9.N.1 wgN ═╗                    ╔═ wgN 10.9.N.2  gw2
#         192.0.2.1 w1 ─╨─ UDP, four flows ──╨─ w2 192.0.2.2

set -euo pipefail
export LC_ALL=C

MODE=$1
SECS=$2
TUNNELS=4
ONE=wgi-demo-1-$$
TWO=wgi-demo-2-$$
KEYS=$(mktemp -d /dev/shm/wgi-demo.XXXXXX)

clean_up()
{
	local ns pid

	for ns in "$ONE" "$TWO"; do
		[ -e "/run/netns/$ns" ] || continue
		for pid in $(ip netns pids "$ns"); do kill -KILL "$pid"; done
		ip netns del "$ns"
	done
	rm -rf "$KEYS"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# until_true SECONDS COMMAND…
until_true()
{
	local limit=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$limit" ] || return 1
		sleep 0.1
	done
}

# end NAMESPACE DEVICE NUMBER OWN-KEY OTHER-KEY OWN-PORT OTHER-PORT OTHER-END
end()
{
	local ns=$1 dev=$2 number=$3 side=$4 other=$5

	ip -n "$ns" link add "$dev" type wireguard
	# shellcheck disable=SC2016 # expanded by the inner shell
	[ "$MODE" = - ] || ip netns exec "$ns" sh -c \
		'echo "$1" >"/sys/class/net/$2/wireguard/mode"' sh "$MODE" "$dev"
	ip netns exec "$ns" wg set "$dev" private-key "$KEYS/$number.$side" \
		listen-port $((51000 + side * 1000 + number)) \
		peer "$(wg pubkey <"$KEYS/$number.$other")" allowed-ips 0.0.0.0/0 \
		endpoint "192.0.2.$other:$((51000 + other * 1000 + number))"
	ip -n "$ns" addr add "10.9.$number.$side/24" dev "$dev"
	ip -n "$ns" link set "$dev" up
}

answers() { ip netns exec "$ONE" ping -q -c 1 -W 2 "10.9.$1.2" >/dev/null; }
listens() { [ -n "$(ip netns exec "$TWO" ss -Hltn "sport = :$1")" ]; }

raise()
{
	local ns n side

	umask 077
	for ns in "$ONE" "$TWO"; do
		ip netns add "$ns"
		ip -n "$ns" link set lo up
	done
	ip -n "$ONE" link add w1 type veth peer name w2 netns "$TWO"
	ip -n "$ONE" addr add 192.0.2.1/24 dev w1
	ip -n "$TWO" addr add 192.0.2.2/24 dev w2
	ip -n "$ONE" link set w1 up
	ip -n "$TWO" link set w2 up
	for ((n = 1; n <= TUNNELS; n++)); do
		for side in 1 2; do wg genkey >"$KEYS/$n.$side"; done
		end "$ONE" "wg$n" "$n" 1 2
		end "$TWO" "wg$n" "$n" 2 1
		until_true 20 answers "$n" || { echo "tunnel $n is dead"; exit 1; }
	done
}

# cpu_times: busy and total clock ticks of every CPU, one a line.
cpu_times()
{
	awk '/^cpu[0-9]/ {
		total = 0
		for (i = 2; i <= 9; i++) total += $i
		printf "%.0f %.0f\n", total - $5 - $6, total
	}' /proc/stat
}

# bytes_through: what the devices of the receiving gateway have delivered.
bytes_through()
{
	# shellcheck disable=SC2016 # awk's, not the shell's
	ip netns exec "$TWO" awk '/^ *wg[0-9]/ { sub(/.*:/, ""); sum += $1 }
		END { printf "%.0f\n", sum }' /proc/net/dev
}

now() { cut -d' ' -f1 /proc/uptime; }

# gbit BYTES FROM TO: as a rate.
gbit() { awk -v b="$1" -v a="$2" -v z="$3" 'BEGIN { printf "%.3f", b * 8 / (z - a) / 1e9 }'; }

measure()
{
	local n before after t0 t1 b0 b1
	local -a clients=()

	for ((n = 1; n <= TUNNELS; n++)); do
		nice -n 5 ip netns exec "$TWO" iperf3 -s -1 -p $((5200 + n)) \
			>/dev/null &
		until_true 20 listens $((5200 + n)) || { echo "no server"; exit 1; }
	done
	for ((n = 1; n <= TUNNELS; n++)); do
		nice -n 5 ip netns exec "$ONE" iperf3 -l 128K -t 3600 \
			-c "10.9.$n.2" -p $((5200 + n)) >"$KEYS/out.$n" 2>&1 &
		clients+=($!)
	done
	# Past slow start: counted from the first megabyte in each tunnel.
	b0=$(bytes_through)
	until_true 30 flowing "$((b0 + TUNNELS * 1000000))" ||
		{ cat "$KEYS"/out.*; exit 1; }
	b0=$(bytes_through) t0=$(now) t1=$t0 before=$(cpu_times)
	# By the clock: on a full and emulated machine a second's sleep may take two.
	while awk -v a="$t0" -v z="$t1" -v s="$SECS" 'BEGIN { exit z - a >= s }'; do
		sleep 1
		b1=$(bytes_through) t1=$(now)
		echo "STEP $(awk -v a="$t0" -v z="$t1" 'BEGIN { printf "%2.0f", z - a }')" \
			"of $SECS s: $(gbit $((b1 - b0)) "$t0" "$t1") Gbit/s"
	done
	after=$(cpu_times)
	kill "${clients[@]}"
	paste -d' ' <(echo "$before") <(echo "$after") |
		awk -v rate="$(gbit $((b1 - b0)) "$t0" "$t1")" '
			{ busy = busy sprintf(" %.0f", ($3 - $1) * 100 / ($4 - $2)) }
			END { print "RESULT " rate busy }'
}

flowing() { [ "$(bytes_through)" -ge "$1" ]; }

renice -n -10 -p $$ >/dev/null
echo "STEP raising two gateways and $TUNNELS tunnels"
raise
echo "STEP traffic"
measure
