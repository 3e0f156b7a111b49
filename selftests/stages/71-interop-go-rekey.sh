#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: keys are renewed after two minutes with wireguard-go, both roles
# needs: slow interop waits once
# timeout: 240
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
new_keys a b c d
# Two tunnels: in the first wireguard-go is the initiator, in the second the
# kernel is.  Only the initiator renews keys by age.
GO1=g1${NS_SUFFIX:0:6} GO2=g2${NS_SUFFIX:0:6}
wg_add "$NS_A" wg1
go_up "$NS_B" "$GO1"
pid=$GO_PID
go_up "$NS_B" "$GO2"
ip netns exec "$NS_A" wg set wg0 private-key "$(key a)" listen-port 51820 \
	peer "$(pub b)" allowed-ips 10.66.1.2/32
ip netns exec "$NS_B" wg set "$GO1" private-key "$(key b)" listen-port 51821 \
	peer "$(pub a)" allowed-ips 10.66.1.1/32 endpoint 10.77.1.1:51820
ip netns exec "$NS_A" wg set wg1 private-key "$(key c)" listen-port 51830 \
	peer "$(pub d)" allowed-ips 10.66.2.2/32 endpoint 10.77.1.2:51831
ip netns exec "$NS_B" wg set "$GO2" private-key "$(key d)" listen-port 51831 \
	peer "$(pub c)" allowed-ips 10.66.2.1/32
for end in "$NS_A wg0 10.66.1.1" "$NS_B $GO1 10.66.1.2" \
	   "$NS_A wg1 10.66.2.1" "$NS_B $GO2 10.66.2.2"; do
	set -- $end
	ip -n "$1" addr add "$3/24" dev "$2"
	ip -n "$1" link set "$2" up
done
await 30 "wireguard-go initiates" reach "$NS_B" 10.66.1.1
await 30 "the kernel initiates" reach "$NS_A" 10.66.2.2
first1=$(handshake_of "$NS_A" wg0) first2=$(handshake_of "$NS_A" wg1)
ip netns exec "$NS_B" ping -n -i0.1 10.66.1.1 >"$STAGE_TMP/ping1" &
ping1=$!
ip netns exec "$NS_A" ping -n -i0.1 10.66.2.2 >"$STAGE_TMP/ping2" &
ping2=$!

renewed()
{
	[ "$(handshake_of "$NS_A" "$1")" -gt "$2" ]
}
await 145 "wireguard-go has renewed its keys" renewed wg0 "$first1"
await 25 "the kernel has renewed its keys" renewed wg1 "$first2"
for gap in $(($(handshake_of "$NS_A" wg0) - first1)) \
	   $(($(handshake_of "$NS_A" wg1) - first2)); do
	[ $gap -ge 119 ] || die "FAILED: renewed after $gap s already"
	echo "# ok: renewed after $gap s"
done
await 5 "and traffic goes on" reach "$NS_A" 10.66.2.2
kill -INT $ping1 $ping2
wait $ping1 $ping2
for n in 1 2; do
	said=$(answered "$STAGE_TMP/ping$n") || die "FAILED: ping $n: $said"
	echo "# ok: ping $n: $said"
done
kill "$pid" "$GO_PID"
