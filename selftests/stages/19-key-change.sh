#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: a new private key counts at once, with a new handshake; so does a PSK
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# left_is NEW OLD [PSK]: left takes key NEW; right knows it under that key
# only, with that preshared key
left_is() {
	wg_set "$right" wg2 peer "${PUB[$2]}" remove \
		peer "${PUB[$1]}" PSK:"${3:-0}" allowed-ips 10.70.0.1/32
	wg_set "$left" wg1 KEY:"$1"
}

loop_pair
ping_ok "first key" "$left" 10.70.0.2

# The old session must not go on: right does not know left's new key yet.
wg_set "$left" wg1 KEY:3
ping_dead "with a key unknown to the other side" "$left" 10.70.0.2

# Nor do the limits on initiations delay what comes after a key change.
left_is 4 1
ping_ok "second key, at once" "$left" 10.70.0.2 -W 2
handshaken "$right" wg2 "${PUB[4]}" || fail "expected a handshake with key 4"

# A preshared key on one side only: no session.
left_is 5 4 1
ping_dead "a PSK on one side" "$left" 10.70.0.2
expect "right's sessions with key 5" 0 \
	"$(wg_field "$right" wg2 latest-handshakes "${PUB[5]}")"

left_is 6 5 1
wg_set "$left" wg1 peer "${PUB[2]}" PSK:1
ping_ok "the same PSK on both sides" "$left" 10.70.0.2
handshaken "$right" wg2 "${PUB[6]}" || fail "expected a handshake with key 6"

left_is 1 6 2
ping_dead "two different PSKs" "$left" 10.70.0.2
