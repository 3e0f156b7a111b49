#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: wg-inline metrics is valid OpenMetrics and valid for the textfile
#       collector, its figures are those of the kernel, the alert rules use
#       series that exist; wg-inline top shows rates
# needs: once tool user
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

need python3
CHECK=$WGI_LIB/../tools/openmetrics.py

# value SERIES: of the metrics in $SCRATCH/metrics
value() {
	series=wireguard_inline_$1 \
		awk '$1 == ENVIRON["series"] { print $2 }' "$SCRATCH/metrics"
}

metrics() {
	tool "$left" metrics >"$SCRATCH/metrics"
	python3 "$CHECK" <"$SCRATCH/metrics"
}

setup_ns left
metrics
wire_pair
metrics
expect "peers" 1 "$(value 'peers{interface="wg1"}')"
expect "live peers" 0 "$(value 'live_peers{interface="wg1"}')"
expect "the latest handshake" 0 \
	"$(value 'latest_handshake_timestamp_seconds{interface="wg1"}')"
flood "$left" 10.70.0.2 50
metrics
expect "live peers" 1 "$(value 'live_peers{interface="wg1"}')"
expect "the latest handshake" \
	"$(in_ns "$left" wg show wg1 latest-handshakes | cut -f2)" \
	"$(value 'latest_handshake_timestamp_seconds{interface="wg1"}')"
read -r received <<<"$(ip -n "$left" -s -j link show wg1 | python3 -c "
import json, sys
print(json.load(sys.stdin)[0]['stats64']['rx']['bytes'])")"
expect "bytes received" "$received" \
	"$(value 'receive_bytes_total{interface="wg1"}')"
mode=''
! has_mode "$left" wg1 || mode=$(ip netns exec "$left" \
	cat /sys/class/net/wg1/wireguard/mode)
expect "mode" 1 "$(value "mode_info{interface=\"wg1\",mode=\"$mode\"}")"

# A name that a label has to escape.
add_wg "$left" 'w"\x'
metrics
expect "interface with a strange name" 0 "$(value 'peers{interface="w\"\\x"}')"

# Names need not be text, which all output is.
add_wg "$left" $'w\xff\xc3\xa9'
metrics
iconv -f UTF-8 -t UTF-8 "$SCRATCH/metrics" >/dev/null || fail "no UTF-8"
expect "interface whose name is no text" 0 "$(value 'peers{interface="w\\xffé"}')"
expect "the same as JSON" 'w\xffé' \
	"$(json "$left" "next(name for name in i if name.endswith('é'))")"

# The rules speak of what there is.
for rules in "$WGI_LIB"/../{,../documentation/}wireguard-inline.rules.yml; do
	[ ! -e "$rules" ] || break
done
names=$(grep -oE 'wireguard_inline_[a-z_]+' "$rules" | sort -u)
[ -n "$names" ] || fail "there are no alert rules"
for name in $names; do
	grep -q "^# TYPE ${name%_total} " "$SCRATCH/metrics" ||
		fail "the alert rules want $name, which does not exist"
done

# top: two frames, and packets move.
bg_ns "$left" ping -q -f -n 10.70.0.2 >/dev/null 2>&1
said=$(tool "$left" top wg1 -n 2 -d 0.5)
expect "frames" 2 "$(grep -c '^wg-inline top' <<<"$said")"
rate=$(awk '$1 == "wg1" { rate = $7 } END { print rate }' <<<"$said")
expect_match "thousands of packets a second, by top" '[1-9]' "$rate"
# on_screen ROWS: a frame on a terminal of so many
on_screen() {
	in_ns "$left" python3 -c '
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if not pid:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", int(sys.argv[1]), 80, 0, 0))
    os.execv(sys.argv[2], ["wg-inline", "top", "-n", "1", "-d", "0.5"])
try:
    while data := os.read(fd, 4096):
        os.write(1, data)
except OSError:
    pass' "$1" "$TOOL"
}
for n in 1 2 3 4 5 6 7 8; do
	ip -n "$left" link add "more$n" type wireguard
done
# The cursor stays in the last line.
for rows in 10 11 14; do
	expect "lines of a screen of $rows" $((rows - 1)) \
		"$(on_screen $rows | wc -l)"
done
expect_match "what has no room" "and [0-9]+ more interfaces" "$(on_screen 10)"
expect "a screen with room" "" "$(on_screen 60 | grep '^and ' || :)"
expect "CPUs seen by top" yes "$(grep -q '^cpu 0 .*%' <<<"$said" && echo yes)"
tool_refused "top, never" "-d takes seconds" "$left" top -n 0
tool_refused "top, less than never" "-d takes seconds" "$left" top -n -5
tool_refused "top, no interval" "-d takes seconds" "$left" top -d x
tool_refused "top, an infinite interval" "-d takes seconds" "$left" top -d inf
tool_refused "top of an unknown interface" "no interface" "$left" top wg9
tool_refused "metrics with arguments" "usage: wg-inline metrics" "$left" metrics x
