#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: a bundle that is interrupted on its way up leaves nothing, nor does its
#       hook stay; one that was killed, or has lost an interface, is mended by the
#       next up, and by the service, as watching fails then
# needs: once tool user
# timeout: 120
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

FACTOR=${WGI_FACTOR:-1}
slow=$SCRATCH/slow/dc.conf
pid=$SCRATCH/pid

# begin KIND: a bundle on its way up, in its hook, of which the shell has a child
begin() {
	rm -f "$pid"
	sed "2i $1 = sleep 600 & echo \$! >$pid; wait" "$SCRATCH/left/dc.conf" >"$slow"
	bg_ns "$left" "$TOOL" bundle up "$slow" 2>"$SCRATCH/error"
	await 20 "a hook" test -s "$pid"
}

is_gone() {
	! kill -0 "$(<"$pid")" 2>/dev/null
}

# whole WHAT: all four are there, and work
whole() {
	expect "$1: tunnels" "dc dc-2 dc-3 dc-4" "$(json "$left" '*sorted(i)')"
	ping_ok "$1" "$left" 10.50.0.2
	expect "$1: up again" "dc is up already" "$(up left)"
}

need_ipv6
sites
introduce 4 4
mkdir "$SCRATCH/slow"
sed -i 's,^AllowedIPs.*,AllowedIPs = 0.0.0.0/0\, ::/0,' "$SCRATCH/left/dc.conf"
up right
trace "$left" >"$SCRATCH/before"

for kind in PreUp PostUp; do
	for signal in TERM HUP; do
		begin $kind
		kill -$signal "$BG"
		status=0
		wait "$BG" || status=$?
		expect "$kind, SIG$signal: exit status" 1 "$status"
		expect_match "$kind, SIG$signal" "$kind was interrupted by SIG$signal" \
			"$(<"$SCRATCH/error")"
		no_trace "$kind, SIG$signal" "$left" "$SCRATCH/before"
		await 5 "the end of the hook" is_gone
	done
done

# Without a hook, at some time.
for n in 0.01 0.03 0.1 0.3 1; do
	bg_ns "$left" "$TOOL" bundle up "$SCRATCH/left/dc.conf" 2>"$SCRATCH/error"
	sleep $n
	kill -TERM "$BG" 2>/dev/null || :
	wait "$BG" || no_trace "interrupted after $n s" "$left" "$SCRATCH/before"
	down left >/dev/null
done
no_trace "down" "$left" "$SCRATCH/before"

# Killed: the next one mends it, and so would down.
begin PostUp
kill -KILL "$BG"
wait "$BG" || :
kill "$(<"$pid")"
up left 2>"$SCRATCH/error"
expect_match "killed" "dc is neither up nor down, .*taken down first" "$(<"$SCRATCH/error")"
whole "killed"
down left
no_trace "down" "$left" "$SCRATCH/before"
begin PostUp
kill -KILL "$BG"
wait "$BG" || :
kill "$(<"$pid")"
down left
no_trace "down of what was killed" "$left" "$SCRATCH/before"

# An interface is removed, be it the first.
up left
for device in dc-3 dc; do
	bg_ns "$left" "$TOOL" bundle watch "$SCRATCH/left/dc.conf" \
		>"$SCRATCH/log" 2>&1
	await $((10 * FACTOR)) "the first words" grep -q "4 of 4 tunnels" "$SCRATCH/log"
	ip -n "$left" link del $device
	status=0
	wait "$BG" || status=$?
	expect "watch without $device: exit status" 1 "$status"
	expect_match "watch" "$device has gone, but not all of dc: \"bundle up\" mends" \
		"$(tail -n 1 "$SCRATCH/log")"
	up left 2>"$SCRATCH/error"
	expect_match "without $device" "dc has 3 of its 4 tunnels left" \
		"$(<"$SCRATCH/error")"
	whole "without $device"
done
ip -n "$left" link del dc
down left
no_trace "down without dc" "$left" "$SCRATCH/before"
