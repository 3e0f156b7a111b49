#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the counters of wg and of the interface are exact to the byte
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# link_bytes NS IF rx|tx
link_bytes() {
	# shellcheck disable=SC2016 # awk
	in_ns "$1" awk -v dev="$2:" -v column="$3" '$1 == dev {
		print column == "rx" ? $2 : $10 }' /proc/net/dev
}

loop_pair
expect "handshake time before traffic" 0 \
	"$(wg_field "$left" wg1 latest-handshakes "${PUB[2]}")"
expect "transfer before traffic" "0 0" \
	"$(wg_field "$left" wg1 transfer "${PUB[2]}")"

in_ns "$left" ping -q -n -c 10 -f -W 2 10.70.0.2 >/dev/null

handshaken "$left" wg1 "${PUB[2]}" || fail "left: no time of a handshake"
handshaken "$right" wg2 "${PUB[1]}" || fail "right: no time of a handshake"

# counters: of both ends and all layers, left to right first
counters() {
	echo "$(sent "$left" wg1 "${PUB[2]}")" "$(link_bytes "$left" wg1 tx)" \
		"$(link_bytes "$right" wg2 rx)" \
		"$(received "$right" wg2 "${PUB[1]}")" \
		"$(received "$left" wg1 "${PUB[2]}")" "$(link_bytes "$left" wg1 rx)" \
		"$(link_bytes "$right" wg2 tx)" "$(sent "$right" wg2 "${PUB[1]}")"
}

# The same twice: nothing was sent while they were read.
settled() {
	seen=$(counters)
	[ "$seen" = "$(counters)" ]
}
await 30 "counters that rest" settled
read -r -a seen <<<"$seen"

# On the wire an 84-byte packet is padded to 96 and has 32 bytes around it; the
# initiation has 148 bytes, the response 92. The packet that waited for the
# handshake confirms the key; an empty one (32) may have been sent for that, and
# on a machine that takes ten seconds to get here as a keepalive.
data=$((10 * (96 + 32)))
empty_only() {
	[ $((seen[$1] - $2)) -ge 0 ] && [ $((seen[$1] - $2)) -le 96 ] &&
		[ $(((seen[$1] - $2) % 32)) = 0 ]
}
empty_only 0 $((148 + data)) ||
	fail "left sent: expected $((148 + data)), or 32 more, saw ${seen[0]}"
empty_only 4 $((92 + data)) ||
	fail "left received: expected $((92 + data)), or 32 more, saw ${seen[4]}"
for i in 1 2 3; do
	expect "left to right, counter $i" "${seen[0]}" "${seen[i]}"
	expect "right to left, counter $i" "${seen[4]}" "${seen[4 + i]}"
done
