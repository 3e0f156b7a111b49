#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the mode in sysfs and as module parameter: readable, unknown words are
#       refused, the same word may be written again, it is there with the uevent
# needs: core once
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

PARAMETER=/sys/module/wireguard/parameters/mode

mode() {
	ip netns exec "$host" cat "/sys/class/net/$1/wireguard/mode"
}

write() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	ip netns exec "$host" bash -c \
		'printf "%b" "$2" >"/sys/class/net/$1/wireguard/mode"' sh "$1" "$2"
}

# Words that are no mode.
refuse_words() {
	local word
	for word in bogus Inline INLINE "inlin" "inlinee" "inline inline" \
		"inline,threaded" 0 1 "\n" " inline"; do
		refused "the mode '$word'" write wg0 "$word"
		expect_match "the mode '$word'" "Invalid argument" "$REFUSAL"
		expect "mode after '$word'" inline "$(mode wg0)"
	done
}

heard_all() {
	[ "$(wc -l <"$SCRATCH/events")" -ge 21 ]
}

setup_ns host
ip -n "$host" link add wg0 type wireguard
has_mode "$host" wg0 || skip "stock wireguard has no mode"

expect "parameter" "${WGI_PARAMETER:-inline}" "$(<$PARAMETER)"
expect "mode of a new device" "$(<$PARAMETER)" "$(mode wg0)"
if [ -w "$PARAMETER" ] && [ "$(stat -c %a "$PARAMETER")" != 444 ]; then
	before=$(<$PARAMETER)
	refused "an unknown word as parameter" bash -c "echo bogus >$PARAMETER"
	expect "parameter after it was refused" "$before" "$(<$PARAMETER)"
fi

# Down, without peers; again; with and without the newline.
write wg0 inline
write wg0 inline
write wg0 'inline\n'
expect "mode" inline "$(mode wg0)"
refuse_words

# Up, and with a peer, under traffic.
ip -n "$host" link del wg0
loop_pair
host=$left
ping_ok "session" "$left" 10.70.0.2
background_ping "$left" 10.70.0.2
ping_ok "with traffic" "$right" 10.70.0.1
for _ in {1..20}; do
	write wg1 inline
	write wg1 'inline\n'
done
expect "mode" inline "$(mode wg1)"
flood "$right" 10.70.0.1 50

# Whoever hears of a new device finds the file.
need python3
bg_ns "$right" unshare -m sh -c 'mount -t sysfs sysfs /sys && exec "$@"' sh \
	python3 "$WGI_LIB/net.py" uevents 20 >"$SCRATCH/events"
await 20 "the listener for uevents" grep -qs ready "$SCRATCH/events"
for n in {1..20}; do
	ip -n "$right" link add "wgu$n" type wireguard
done
busywait 20 heard_all || fail "expected 20 events, saw: $(<"$SCRATCH/events")"
expect "devices announced with their mode" 20 \
	"$(grep -c present "$SCRATCH/events")"

# A device that goes while its file is open.
# shellcheck disable=SC2016
ip netns exec "$left" bash -c '
	exec 3<>/sys/class/net/wg1/wireguard/mode
	ip link del wg1
	! read -r word <&3 && ! echo inline >&3' 2>/dev/null ||
	fail "expected a file of a device that is gone to be no longer of use"
