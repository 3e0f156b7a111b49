#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: nothing without a valid mac1 is answered, whatever its type and length
# needs: core ipv6 once
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# junk ADDRESS PORT SECONDS
junk() {
	in_ns "$left" python3 "$WGI_LIB/net.py" junk "$@" "${PUB[2]}"
}

need python3
need_ipv6
wire_pair
ping_ok "session" "$left" 10.70.0.2
before=$(wg_field "$right" wg2 transfer "${PUB[1]}")
for address in 192.0.2.2 2001:db8::2; do
	expect_match "junk to $address" "^sent [1-9][0-9]+ answers 0$" \
		"$(junk $address 5102 1)"
done
expect "bytes counted for the peer" "$before" \
	"$(wg_field "$right" wg2 transfer "${PUB[1]}")"
expect_endpoint "the endpoint" "$right" wg2 "${PUB[1]}" 192.0.2.1:5101
ping_ok "the session afterwards" "$left" 10.70.0.2

# A port without a tunnel is not silent: the test can hear.
seen=$(junk 192.0.2.2 5199 0.5 2>&1) || :
expect_match "junk to a closed port" "answers [1-9]|refused" "$seen"
