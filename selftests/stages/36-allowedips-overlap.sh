#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: overlapping and repeated allowed IPs, in any order, belong to the last
#       peer that was given them, as whole prefixes
# needs: core ipv6 once
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

V4=(0.0.0.0/0 10.0.0.0/8 10.128.0.0/9 10.0.0.0/9 10.1.0.0/16 10.1.2.0/24
	10.1.2.0/25 10.1.2.128/25 10.1.2.128/32 10.1.2.129/32 128.0.0.0/1
	0.0.0.0/1 255.255.255.255/32 192.168.4.0/24 192.168.0.0/16)
V6=(::/0 8000::/1 fd00::/8 fd00::/64 fd00::/65 fd00::8000:0:0:0/65 fd00::1/128
	fd00::/127 fd00::2/128 2000::/3 2001:db8::/32 2001:db8:0:1::/64
	ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128)

# owners: "prefix public-key" of all that the device says
owners() {
	in_ns "$host" wg show wg0 allowed-ips | awk '{
		for (i = 2; i <= NF; i++)
			if ($i != "(none)")
				print $i, $1
	}' | sort
}

# give PEER PREFIX...: in place of all that the peer had
give() {
	local peer=$1 prefix
	shift
	for prefix in "${!owner[@]}"; do
		[ "${owner[$prefix]}" != "${PUB[$peer]}" ] ||
			unset "owner[$prefix]"
	done
	{
		printf '[Peer]\nPublicKey = %s\n' "${PUB[$peer]}"
		printf 'AllowedIPs = %s\n' "$@"
	} >"$SCRATCH/give"
	in_ns "$host" wg addconf wg0 "$SCRATCH/give"
	for prefix; do
		owner[$prefix]=${PUB[$peer]}
	done
}

check() {
	local prefix
	for prefix in "${!owner[@]}"; do
		echo "$prefix ${owner[$prefix]}"
	done | sort >"$SCRATCH/wanted"
	owners >"$SCRATCH/seen"
	diff "$SCRATCH/wanted" "$SCRATCH/seen" >"$SCRATCH/diff" ||
		fail "$1: owners (< expected, > seen): $(<"$SCRATCH/diff")"
}

need_ipv6
setup_ns host
add_wg "$host" wg0
declare -A owner

all=("${V4[@]}" "${V6[@]}")
give 1 "${all[@]}"
check "in this order"
reversed=()
for prefix in "${all[@]}"; do
	reversed=("$prefix" "${reversed[@]}")
done
give 2 "${reversed[@]}"
check "in the opposite order"
for seed in 1 2 3 4; do
	printf '%s\n' "${all[@]}" | awk -v seed=$seed 'BEGIN { srand(seed) }
		{ print rand(), $0 }' | sort | cut -d' ' -f2 >"$SCRATCH/mixed"
	mapfile -t mixed <"$SCRATCH/mixed"
	give $((seed % 3 + 1)) "${mixed[@]:0:18}"
	give $((seed % 2 + 2)) "${mixed[@]:10:14}"
	check "mixed, $seed"
done

# The same prefix twice, and by any of its addresses.
give 3 10.1.2.0/24 10.1.2.0/24
check "twice"
wg_set "$host" wg0 peer "${PUB[1]}" remove peer "${PUB[2]}" remove \
	peer "${PUB[3]}" remove
owner=()
check "no peers"
wg_set "$host" wg0 peer "${PUB[1]}" allowed-ips 10.9.8.7/8,fd00::1234/16
owner[10.0.0.0/8]=${PUB[1]} owner[fd00::/16]=${PUB[1]}
check "by host addresses"

# To replace a peer's is to take all the others from it.
wg_set "$host" wg0 peer "${PUB[1]}" allowed-ips 10.9.0.0/16
owner=([10.9.0.0/16]=${PUB[1]})
check "replaced"

# A peer that goes takes its own along and no other's.
give 2 10.9.1.0/24 10.9.1.1/32
give 3 10.0.0.0/8 10.9.1.0/25
wg_set "$host" wg0 peer "${PUB[2]}" remove
unset "owner[10.9.1.0/24]" "owner[10.9.1.1/32]"
check "a peer removed"
