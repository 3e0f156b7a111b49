#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: interoperates with wireguard-go: both roles, PSK, new keys, roaming, v6
# needs: core interop
# timeout: 120
. "$(dirname "$0")/../lib/attack.sh"

GO=go${NS_SUFFIX:0:6}
attack_setup
go_up "$NS_B" "$GO"
new_keys a b a2
(umask 077 && wg genpsk >"$STAGE_TMP/psk")
A="ip netns exec $NS_A wg set wg0" B="ip netns exec $NS_B wg set $GO"

# Down and up again: all keys are lost, and so are IPv6 addresses.
restart()
{
	ip -n "$1" link set "$2" down
	ip -n "$1" link set "$2" up
	ip -n "$1" addr add "$3/64" dev "$2" nodad
}

all_ways()
{
	await 30 "$1: ping" reach "$2" "$3"
	python3 "$PROGS/tcpcheck.py" 200000 \
		"$NS_B" "$NS_A" 10.66.0.1 "$NS_B" "$NS_A" fd66::1 \
		"$NS_A" "$NS_B" 10.66.0.2 "$NS_A" "$NS_B" fd66::2 ||
		die "FAILED: $1"
}

$A private-key "$(key a)" listen-port 51820 peer "$(pub b)" \
	allowed-ips 10.66.0.2/32,fd66::2/128 || exit 1
$B private-key "$(key b)" listen-port 51821 peer "$(pub a)" \
	allowed-ips 10.66.0.1/32,fd66::1/128 endpoint 10.77.1.1:51820 || exit 1
ip -n "$NS_A" addr add 10.66.0.1/24 dev wg0
ip -n "$NS_A" addr add fd66::1/64 dev wg0 nodad
ip -n "$NS_B" addr add 10.66.0.2/24 dev "$GO"
ip -n "$NS_B" addr add fd66::2/64 dev "$GO" nodad
ip -n "$NS_A" link set wg0 up
ip -n "$NS_B" link set "$GO" up mtu 1420

all_ways "wireguard-go initiates" "$NS_B" 10.66.0.1
[ "$(handshake_of "$NS_A" wg0)" -gt 0 ] || die "FAILED: no date of a handshake"

# This side has lost its keys and has to initiate.
restart "$NS_A" wg0 fd66::1
all_ways "the kernel initiates" "$NS_A" 10.66.0.2

$A peer "$(pub b)" preshared-key "$STAGE_TMP/psk" endpoint 10.77.1.2:51821
$B peer "$(pub a)" preshared-key "$STAGE_TMP/psk"
restart "$NS_A" wg0 fd66::1
all_ways "a pre-shared key, the kernel initiates" "$NS_A" 10.66.0.2
restart "$NS_B" "$GO" fd66::2
all_ways "a pre-shared key, wireguard-go initiates" "$NS_B" 10.66.0.1

# A key on one side only: no traffic, and none of the old session's either.
$B peer "$(pub a)" preshared-key /dev/null
restart "$NS_A" wg0 fd66::1
if ip netns exec "$NS_A" ping -n -q -c3 -i0.3 -W1 10.66.0.2 >/dev/null; then
	die "FAILED: traffic with different pre-shared keys"
fi
echo "# ok: nothing passes with different pre-shared keys"
$A peer "$(pub b)" preshared-key /dev/null

# A new private key for the kernel; over IPv6 now.
$A private-key "$(key a2)" peer "$(pub b)" endpoint '[fd77:1::2]:51821'
$B peer "$(pub a)" remove peer "$(pub a2)" \
	allowed-ips 10.66.0.1/32,fd66::1/128
restart "$NS_A" wg0 fd66::1
all_ways "a new private key, over IPv6" "$NS_A" 10.66.0.2

# wireguard-go moves; the kernel follows its first packet.
$B listen-port 51900
await 30 "traffic from a new port" reach "$NS_B" 10.66.0.1
ip netns exec "$NS_A" wg show wg0 endpoints | grep -q ':51900$' ||
	die "FAILED: the endpoint has not followed"
$B peer "$(pub a2)" endpoint 10.77.1.1:51820
await 30 "traffic from another family" reach "$NS_B" 10.66.0.1
ip netns exec "$NS_A" wg show wg0 endpoints | grep -q '10.77.1.2:51900$' ||
	die "FAILED: the endpoint has not followed across families"
await 30 "and back" reach "$NS_A" 10.66.0.2
kill "$GO_PID"
