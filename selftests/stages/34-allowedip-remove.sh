#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: WGALLOWEDIP_F_REMOVE_ME takes single allowed IPs from a peer
# needs: core once
# By netlink directly: the tools know how only since 1.0.20250521.
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

allowedip() {
	in_ns "$host" python3 "$WGI_LIB/net.py" allowedip wg0 "$@"
}

remove() {
	allowedip "$1" 1 "${@:2}"
}

count() {
	wg_field "$host" wg0 allowed-ips "$1" | tr ' ' '\n' | grep -c /
}

need python3
setup_ns host
add_wg "$host" wg0

v4=$(printf '10.77.%d.0/24,' {0..196})
v6=$(printf 'fd77:%x::/64,' {0..196})
wg_set "$host" wg0 peer "${PUB[1]}" allowed-ips "$v4${v6%,}" \
	peer "${PUB[2]}" allowed-ips 10.78.0.0/16,fd78::/64
expect "allowed IPs before" 394 "$(count "${PUB[1]}")"

remove "${PUB[1]}" 10.77.0.0/24
if [ "$(count "${PUB[1]}")" = 394 ] && ! has_mode "$host" wg0; then
	skip "stock $(uname -r) cannot remove single allowed IPs"
fi
expect "after removing one" 393 "$(count "${PUB[1]}")"
remove "${PUB[1]}" 10.77.7.0/24 fd77:0::/64 10.77.196.0/24 fd77:9::/64 \
	fd77:c4::/64
expect "after removing six" 388 "$(count "${PUB[1]}")"
seen=$(wg_field "$host" wg0 allowed-ips "${PUB[1]}")
for gone in 10.77.0.0/24 10.77.7.0/24 10.77.196.0/24 fd77::/64 fd77:9::/64 \
	fd77:c4::/64; do
	[[ " $seen " != *" $gone "* ]] || fail "expected $gone to be gone"
done

# What is not there, with just that length and of just that peer, stays.
remove "${PUB[1]}" 10.77.1.0/25 10.77.0.0/16 10.77.1.1/32 fd77:1::/65 \
	10.78.0.0/16 fd78::/64 10.77.7.0/24
expect "after removing what it has not" 388 "$(count "${PUB[1]}")"
expect "the other peer's" 2 "$(count "${PUB[2]}")"

# Bits of the host do not matter, as they do not when one is added.
remove "${PUB[1]}" 10.77.8.99/24 fd77:8::99/64
expect "after removing two by host addresses" 386 "$(count "${PUB[1]}")"

refused "a prefix too long" remove "${PUB[1]}" 10.77.1.0/33
refused "a prefix too long, v6" remove "${PUB[1]}" fd77:1::/129
refused "a flag that does not exist" allowedip "${PUB[1]}" 2 10.99.0.0/16
expect "after refusals" 386 "$(count "${PUB[1]}")"

# The others, and those that were removed, can be had again.
allowedip "${PUB[2]}" 0 10.77.0.0/24 10.77.1.0/24
expect "after two went to the other peer" "385 4" \
	"$(count "${PUB[1]}") $(count "${PUB[2]}")"
