#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: a bundle that is interrupted on its way up leaves nothing, nor does its
#       hook stay; one that was killed, or has lost an interface, is mended by the
#       next up, and by the service, as watching fails then; two at once take turns
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

# Two at once: they take turns, so each has a table of its own.
second=$SCRATCH/second.conf
sed -e 's/^ListenPort.*/ListenPort = 5900/' -e 's/10\.50\./10.51./g' \
	-e 's/fd50:/fd51:/g' "$SCRATCH/left/dc.conf" >"$second"
sed "2i PreUp = touch $pid; sleep 2" "$SCRATCH/left/dc.conf" >"$slow"
rm -f "$pid"
bg_ns "$left" "$TOOL" bundle up "$slow"
await 20 "a hook" test -e "$pid"
tool "$left" bundle up "$second" 2>"$SCRATCH/error"
wait "$BG" || fail "the first of two at once: status $?"
expect_match "the second of two at once" "another wg-inline .*: waiting for it" \
	"$(<"$SCRATCH/error")"
expect "tables" "51820 51821" "$(for device in dc second; do
	printf '%d\n' "$(in_ns "$left" wg show $device fwmark)"
done | xargs)"

# Who goes meanwhile hands over what is to be restored.
sed -i "2i PreDown = touch $pid; sleep 2" "$second"
rm -f "$pid"
bg_ns "$left" "$TOOL" bundle down "$second"
await 20 "a hook" test -e "$pid"
down left 2>/dev/null
wait "$BG" || fail "down, two at once: status $?"
no_trace "two at once" "$left" "$SCRATCH/before"

# A hook need not wait for who waits for it.
sed -i '/PreDown/d' "$second"
sed "2i PostUp = '$TOOL' bundle up '$second'" "$SCRATCH/left/dc.conf" >"$slow"
tool "$left" bundle up "$slow"
ping_ok "one by the hook of the other" "$left" 10.50.0.2 -I 10.50.0.1
tool "$left" bundle down "$second"
down left
no_trace "one by the hook of the other" "$left" "$SCRATCH/before"

# Nor does what the one hands over get lost when a hook of the other takes it down.
tool "$left" bundle up "$second"
sed "2i PreUp = '$TOOL' bundle down '$second'" "$SCRATCH/left/dc.conf" >"$slow"
tool "$left" bundle up "$slow"
down left
no_trace "one for the other, by a hook" "$left" "$SCRATCH/before"

# Nor is somebody waited for who could do nothing, and does not even listen.
bg_ns "$left" setpriv --reuid 12345 --clear-groups python3 -c '
import socket, time
s = socket.socket(socket.AF_UNIX)
s.bind("\0wg-inline bundle")
time.sleep(600)'
await 10 "an address" in_ns "$left" grep -q "@wg-inline bundle" /proc/net/unix
up left
down left
stop "$BG"
no_trace "an address of somebody else" "$left" "$SCRATCH/before"
