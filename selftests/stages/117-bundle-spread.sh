#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: wg-inline bundle spread: tunnels that land on one CPU move to other ports until
#       they are on all; one end, both at once, where ports do not matter, and where
#       some do not answer
# needs: once tool user
# timeout: 180
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

TUNNELS='dc dc-2 dc-3 dc-4'

# cable NS1 IF1 NS2 IF2: as wire(), but with cards that look at bytes only.
cable() {
	bg_ns "$1" python3 "$WGI_LIB/../tools/cable.py" "$@" >"$SCRATCH/cable"
	await 20 "a cable" grep -qsx ready "$SCRATCH/cable"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

# steer NS IF MASK: by their flows to these CPUs; 0 for none
steer() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	ip netns exec "$1" sh -c 'echo $1 >/sys/class/net/$2/queues/rx-0/rps_cpus' \
		sh "$3" "$2" || skip "this kernel has no RPS"
}

# local_of NS IF: the address at which that tunnel of the other end is asked
local_of() {
	ip -n "$1" -6 -o addr show dev "$2" scope link | awk '{ sub("/.*", "", $4); print $4 }'
}

received_by_cpu() {
	in_ns "$1" ethtool -S "$2" |
		sed -n 's/^ *inline_cpu\([0-9]*\)_rx_packets: /\1 /p'
}

# lands NS OTHER IF: the CPU on which answers are received, seen without wg-inline
lands() {
	local before
	before=$(received_by_cpu "$1" "$3")
	in_ns "$1" ping -q -n -c 10 -i 0.02 -W 3 -I "$3" "$(local_of "$2" "$3")" \
		>/dev/null || fail "$3 does not answer"
	{
		echo "$before"
		received_by_cpu "$1" "$3"
	} | awk '$1 in was && $2 - was[$1] > most { most = $2 - was[$1]; cpu = $1 }
		{ was[$1] = $2 }
		END { print cpu }'
}

# all_land NS OTHER: of each tunnel, in a line each
all_land() {
	local device
	for device in $TUNNELS; do
		lands "$1" "$2" "$device"
	done
}

# is_spread WHAT NS OTHER: no CPU has more than its share
is_spread() {
	local most where
	where=$(all_land "$2" "$3")
	most=$(sort <<<"$where" | uniq -c | awk '$1 > most { most = $1 } END { print most }')
	[ "$most" -le $(((4 + CPUS - 1) / CPUS)) ] ||
		fail "$1: tunnels land on CPUs ${where//$'\n'/ }"
}

ports() {
	local device
	for device in $TUNNELS; do
		in_ns "$1" wg show "$device" listen-port
	done | xargs
}

# gather: all tunnels of $left on the CPU of the first
gather() {
	local cpu device port=6500
	cpu=$(lands "$left" "$right" dc)
	for device in $TUNNELS; do
		while [ "$(lands "$left" "$right" "$device")" != "$cpu" ]; do
			wg_set "$left" "$device" listen-port $((port++))
		done
	done
	expect "CPUs at first" 1 "$(all_land "$left" "$right" | sort -u | wc -l)"
}

spread() {
	tool "${!1}" bundle spread "$SCRATCH/$1/dc.conf"
}

need python3 ethtool
need_ipv6
[ -c /dev/net/tun ] || modprobe -q tun || skip "this kernel has no taps"
CPUS=$(nproc)
[ "$CPUS" -le 4 ] || CPUS=4
[ "$CPUS" -ge 2 ] || skip "one CPU"
MASK=$(printf %x $(((1 << CPUS) - 1)))
sites cable
steer "$left" w1 0
steer "$right" w2 0
introduce 4 4
trace "$left" >"$SCRATCH/before-left"
trace "$right" >"$SCRATCH/before-right"
tool_refused "a bundle that is down" "dc is not up" "$left" bundle spread \
	"$SCRATCH/left/dc.conf"
up right
up left
if ! has_mode "$left" dc; then
	tool_refused "stock" "stock WireGuard does not say where packets land" \
		"$left" bundle spread "$SCRATCH/left/dc.conf"
	skip "the rest: this module has no counters"
fi

# Ports do not matter: that is found out, and nothing stays changed.
tool_refused "no steering" 'all tunnels of dc land on CPU [0-9]+ whatever.*"wg-inline doctor"' \
	"$left" bundle spread "$SCRATCH/left/dc.conf"
expect "ports" "5100 5101 5102 5103" "$(ports "$left")"
ping_ok "no steering" "$left" 10.50.0.2

# They do: from one CPU to all; but the first port to try is somebody else's.
bg_ns "$left" python3 -c 'import signal, socket
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.bind(("", 5200))
signal.pause()'
port_taken() {
	[ -n "$(in_ns "$left" ss -Haun 'sport = :5200')" ]
}
await 20 "somebody else" port_taken
steer "$left" w1 "$MASK"
gather
theirs=$(ports "$right")
said=$(spread left)
expect_match "what is said" \
	"^dc: 4 tunnels land on $CPUS of [0-9]+ CPUs: dc \(port [0-9]+\) on [0-9]+," \
	"$said"
is_spread "one end" "$left" "$right"
expect "ports of the other end" "$theirs" "$(ports "$right")"
flood "$left" 10.50.0.2 50
tcp_short "$left" "$right" 10.50.0.2 -P 8
tcp_short "$right" "$left" fd50::1 -P 8

# Again: nothing changes.
ours=$(ports "$left")
spread left
expect "ports" "$ours" "$(ports "$left")"

# Asked to end half-way, or so: what is left works.
steer "$left" w1 0
bg_ns "$left" "$TOOL" bundle spread "$SCRATCH/left/dc.conf" >/dev/null
ports_moved() {
	[ "$(ports "$left")" != "$ours" ]
}
busywait 20 ports_moved || fail "no port has been tried"
kill -TERM "$BG"
status=0
wait "$BG" || status=$?
expect "status after SIGTERM" 143 "$status"
all_land "$left" "$right" >/dev/null
down left
no_trace "down" "$left" "$SCRATCH/before-left"

# Both ends at once, though either's ports matter to both.
up left
steer "$left" w1 "$MASK"
steer "$right" w2 "$MASK"
gather
spread right >"$SCRATCH/spread-right" &
other=$!
spread left >"$SCRATCH/spread-left"
wait "$other" || fail "spread of right: status $?"
is_spread "both ends, left" "$left" "$right"
is_spread "both ends, right" "$right" "$left"

# At once with up; an end with fewer tunnels.
down left
down right
no_trace "down" "$left" "$SCRATCH/before-left"
no_trace "down" "$right" "$SCRATCH/before-right"
up right -n 3
said=$(up left --spread 2>"$SCRATCH/error")
expect_match "up --spread" "^dc: 3 tunnels land on $((CPUS < 3 ? CPUS : 3)) of" "$said"
expect "the other one" "wg-inline: dc-4 does not answer, and is left on port 5103" \
	"$(<"$SCRATCH/error")"
down right
tool_refused "nobody" "only 0 of the 4 tunnels of dc answer" "$left" bundle \
	spread "$SCRATCH/left/dc.conf"
tool "$left" set dc-2 mode threaded
tool_refused "threaded" "cannot spread dc-2 in mode threaded" "$left" bundle spread \
	"$SCRATCH/left/dc.conf"
down left
no_trace "down" "$left" "$SCRATCH/before-left"

# Any port will do.
sed -i '/ListenPort/d' "$SCRATCH/left/dc.conf"
up right
up left --spread >"$SCRATCH/said"
expect_match "any port" "^dc: 4 tunnels land on $CPUS of" "$(<"$SCRATCH/said")"
is_spread "any port" "$left" "$right"
down left
no_trace "down" "$left" "$SCRATCH/before-left"
