#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the mode changes only for who has CAP_NET_ADMIN in the user namespace of
#       the device; a refused write changes nothing
# needs: core once
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

FILE=/sys/class/net/wg0/wireguard/mode

need setpriv unshare
setup_ns host
add_wg "$host" wg0
has_mode "$host" wg0 || skip "stock wireguard has no mode"
before=$(ip netns exec "$host" cat $FILE)

# Root, and owner of the file, but without the capability: the answer is the
# same for a good word and a bad one.
for word in inline bogus; do
	refused "'$word' without CAP_NET_ADMIN" ip netns exec "$host" \
		setpriv --bounding-set=-net_admin --inh-caps=-net_admin \
		bash -c "echo $word >$FILE"
	expect_match "'$word' without CAP_NET_ADMIN" "not permitted" "$REFUSAL"
	expect "mode afterwards" "$before" "$(ip netns exec "$host" cat $FILE)"
done
ip netns exec "$host" setpriv --bounding-set=-all,+net_admin \
	--inh-caps=-all,+net_admin bash -c "echo $before >$FILE" ||
	fail "expected CAP_NET_ADMIN alone to be enough"

# All capabilities, but in a user namespace to which the device is foreign.
unshare -U -r true 2>/dev/null || skip "no user namespaces; the rest passed"
refused "from a user namespace below" ip netns exec "$host" \
	unshare -U -r bash -c "echo $before >$FILE"
expect_match "from a user namespace below" "not permitted" "$REFUSAL"

# And one to which it belongs.
unshare -U -r -n -m bash -ec "
	mount -t sysfs sysfs /sys
	ip link add wg0 type wireguard
	echo $before >$FILE
	[ \$(cat $FILE) = $before ]
	! echo bogus >$FILE" 2>"$SCRATCH/said" ||
	fail "expected root of a namespace to be able to: $(<"$SCRATCH/said")"
