#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: public keys of low order are accepted, and nothing is ever sent to them
# needs: core ipv6 once
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# All points u of Curve25519 whose product with any clamped key is zero: 0, 1,
# the two of order eight, p - 1, p and p + 1, and the same plus 2^255, a bit that
# is not looked at.
LOW=(0000000000000000000000000000000000000000000000000000000000000000
	0100000000000000000000000000000000000000000000000000000000000000
	e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800
	5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157
	ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
	edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
	eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f)

need python3 perl
need_ipv6
setup_ns host
add_wg "$host" wg0
addr "$host" wg0 10.70.0.1/16
wg_set "$host" wg0 KEY:1 listen-port 5101
ip -n "$host" link set wg0 up

words=()
n=0
for low in "${LOW[@]}"; do
	for high in "" 1; do
		hex=$low
		# bit 255 is the top bit of the last byte
		[ -z "$high" ] || hex=${low:0:62}$(printf %02x $((0x${low:62} | 128)))
		key=$(perl -MMIME::Base64 -e \
			'print encode_base64(pack("H*", shift), "")' "$hex")
		n=$((n + 1))
		# The all-zero key is no key to netlink users; the device takes it.
		words+=(peer "$key" endpoint 127.0.0.1:5102 \
			persistent-keepalive 1 allowed-ips "10.70.1.$n/32")
	done
done
# What it sees in five seconds, of which an emulated machine needs some for this.
bg_ns "$host" python3 "$WGI_LIB/net.py" collect 5 5102 5103 >"$SCRATCH/seen"
collector=$BG
await 20 "the collector" grep -qs ready "$SCRATCH/seen"
in_ns "$host" wg set wg0 "${words[@]}" \
	peer "${PUB[2]}" endpoint 127.0.0.1:5103 persistent-keepalive 1
expect "peers configured" $((n + 1)) "$(in_ns "$host" wg show wg0 peers | wc -l)"
for i in 1 5 $n; do
	ping_dead "a peer of low order" "$host" "10.70.1.$i"
done
wait "$collector"
expect_match "initiations to the peers of low order, and to a proper one" \
	"5102=0 5103=[1-9]" "$(<"$SCRATCH/seen")"
sent=$(in_ns "$host" wg show wg0 transfer | awk -v good="${PUB[2]}" \
	'$1 != good { sum += $2 + $3 } END { print sum + 0 }')
expect "bytes counted for peers of low order" 0 "$sent"
