#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: keys read back as set, zero removes them, the device's own key is no
#       peer; a device that does not exist cannot be shown
# needs: core once
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

show() {
	in_ns "$host" wg show wg0 "$@"
}

peer_count() {
	show peers | wc -l
}

setup_ns host
add_wg "$host" wg0
refused "a device that does not exist" in_ns "$host" wg show wg7
ip -n "$host" link add d0 type dummy
refused "a device of another kind" in_ns "$host" wg show d0

expect "private key at first" "(none)" "$(show private-key)"
expect "public key at first" "(none)" "$(show public-key)"
wg_set "$host" wg0 KEY:1
expect "private key" "${PRIV[1]}" "$(show private-key)"
expect "public key" "${PUB[1]}" "$(show public-key)"

wg_set "$host" wg0 peer "${PUB[2]}" PSK:1 peer "${PUB[3]}" PSK:2 \
	peer "${PUB[4]}"
expect "first PSK" "${PSK[1]}" "$(wg_field "$host" wg0 preshared-keys "${PUB[2]}")"
expect "second PSK" "${PSK[2]}" "$(wg_field "$host" wg0 preshared-keys "${PUB[3]}")"
expect "no PSK" "(none)" "$(wg_field "$host" wg0 preshared-keys "${PUB[4]}")"
wg_set "$host" wg0 peer "${PUB[2]}" PSK:0
expect "PSK removed" "(none)" "$(wg_field "$host" wg0 preshared-keys "${PUB[2]}")"
expect "the other PSK" "${PSK[2]}" \
	"$(wg_field "$host" wg0 preshared-keys "${PUB[3]}")"

# Its own key: the peer goes when the key comes, and is not taken later.
expect "peers" 3 "$(peer_count)"
wg_set "$host" wg0 KEY:3
expect "peers, one of them the device itself" 2 "$(peer_count)"
wg_set "$host" wg0 peer "${PUB[3]}" allowed-ips 10.0.0.0/8
expect "peers, the device itself added" 2 "$(peer_count)"
wg_set "$host" wg0 KEY:1 peer "${PUB[3]}" allowed-ips 10.0.0.0/8
expect "peers, with another key again" 3 "$(peer_count)"

in_ns "$host" wg set wg0 private-key /dev/null
expect "private key removed" "(none)" "$(show private-key)"
expect "public key removed" "(none)" "$(show public-key)"
expect "peers without a key" 3 "$(peer_count)"

# Curve25519 clears and sets some bits of a private key; that shows:
# ff ff … ff becomes f8 ff … 7f.
printf '//////////////////////////////////////////8=' >"$SCRATCH/ones"
in_ns "$host" wg set wg0 private-key "$SCRATCH/ones"
expect "a clamped key" "+P///////////////////////////////////////38=" \
	"$(show private-key)"
