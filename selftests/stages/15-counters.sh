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

# On the wire an 84-byte packet is padded to 96 and has 32 bytes around it; the
# initiation has 148 bytes, the response 92. The packet that waited for the
# handshake confirms the key; an empty one (32) may have been sent for that.
data=$((10 * (96 + 32)))
tx=$(sent "$left" wg1 "${PUB[2]}")
rx=$(received "$left" wg1 "${PUB[2]}")
expect_match "left sent" "^($((148 + data))|$((148 + data + 32)))$" "$tx"
expect "left received" $((92 + data)) "$rx"
expect "right received" "$tx" "$(received "$right" wg2 "${PUB[1]}")"
expect "right sent" "$rx" "$(sent "$right" wg2 "${PUB[1]}")"

expect "left's interface, tx" "$tx" "$(link_bytes "$left" wg1 tx)"
expect "left's interface, rx" "$rx" "$(link_bytes "$left" wg1 rx)"
expect "right's interface, tx" "$rx" "$(link_bytes "$right" wg2 tx)"
expect "right's interface, rx" "$tx" "$(link_bytes "$right" wg2 rx)"
