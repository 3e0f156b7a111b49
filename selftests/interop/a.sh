#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Against another WireGuard in a second guest: both roles, v4 and v6 outside
# and inside, roaming, keepalives, pre-shared and new private keys, TCP both
# ways, and the natural renewal of keys.
#
# Runs in guest a, with the module under test. It makes all keys, gives b its
# own over the control connection and directs b throughout.
#
# Env: WGI_PEER_HOST  where a shell of guest b listens, port 7000
#      WGI_WIRE, WGI_WIRE_B  the Ethernet devices that join the two (link0)
#      WGI_MODE       the mode under test
#      WGI_REKEY=1    wait for the natural renewal, twice two minutes
#      WGI_BULK       bytes of TCP in each direction
set -u
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
AGENT=$HERE/progs/agent.py
. "$HERE/lib/attack.sh"
: "${WGI_WIRE:=link0}" "${WGI_WIRE_B:=link0}"
[ -n "${WGI_PEER_HOST:-}" ] || skip "there is no second guest"
THERE='export WGI_AGENT=${WGI_AGENT:-/wgi/selftests/progs/agent.py};'

b() { python3 "$AGENT" call "$WGI_PEER_HOST" "$THERE $1"; }
ours() { cat "/sys/module/wireguard/version"; }

give_up()
{
	ip link del wg0 2>/dev/null
	b "ip link del wg0" 2>/dev/null
	stage_cleanup
}

passed() { echo "# ok: $*"; }

ping_a() { ping -n -q -c1 -W1 "$1"; }
ping_b() { b "ping -n -q -c1 -W1 $1"; }

# TCP through the tunnel both ways over both inner families.
bulk()
{
	local size=${WGI_BULK:-2000000} pid

	for ends in "10.66.0.1 10.66.0.2" "fd66::1 fd66::2"; do
		set -- $ends
		python3 "$AGENT" sink "$1" $size &
		pid=$!
		b "python3 \$WGI_AGENT send $1 $size" || die "FAILED: b sends"
		wait $pid || die "FAILED: bytes from b to $1"
		b "(python3 \$WGI_AGENT sink $2 $size; echo \$? >/run/sunk) \
			>/dev/null 2>&1 &" || die "FAILED: b listens"
		python3 "$AGENT" send "$2" $size || die "FAILED: a sends"
		await 60 "b has taken all" b "grep -qx 0 /run/sunk"
		b "rm /run/sunk"
		passed "TCP both ways, $size bytes, $1 and $2"
	done
}

# forget SIDE: that side loses its keys, and so has to initiate.
forget()
{
	local cmd="ip link set wg0 down && ip link set wg0 up && \
		ip addr replace"

	case $1 in
	a) eval "$cmd fd66::1/64 dev wg0 nodad" ;;
	b) b "$cmd fd66::2/64 dev wg0 nodad" ;;
	esac || die "FAILED: restarting the device of $1"
}

counter() { wg show wg0 latest-handshakes | cut -f2; }

set -o pipefail
b "ip link del wg0 2>/dev/null
	[ -d /sys/module/wireguard ] || modprobe wireguard; \
	cat /sys/module/wireguard/version" >"$STAGE_TMP/version" ||
	die "guest b has no wireguard: $(cat "$STAGE_TMP/version")"
trap give_up EXIT
echo "# a: module $(ours), Linux $(uname -r);" \
	"b: module $(cat "$STAGE_TMP/version"), $(b "uname -r")"
# wire_up DEVICE IPV4 IPV6: a command that raises this end of the wire.
wire_up()
{
	echo "ip link set $1 up && ip addr replace $2/24 dev $1 &&" \
		"ip addr replace $3/64 dev $1 nodad"
}
eval "$(wire_up "$WGI_WIRE" 10.77.0.1 fd77::1)" || die "no wire at a"
b "$(wire_up "$WGI_WIRE_B" 10.77.0.2 fd77::2)" || die "no wire at b"
new_keys a b a2
(umask 077 && wg genpsk >"$STAGE_TMP/psk")

ip link add wg0 type wireguard || die "cannot create wg0"
mode=/sys/class/net/wg0/wireguard/mode
if [ -n "$WGI_MODE" ] && [ -e $mode ]; then
	echo "$WGI_MODE" >$mode || die "mode $WGI_MODE refused"
fi
wg set wg0 private-key "$(key a)" listen-port 51820 peer "$(pub b)" \
	allowed-ips 10.66.0.2/32,fd66::2/128 || die "cannot configure wg0"
b "umask 077; echo '$(cat "$(key b)")' >/run/b.key
	echo '$(cat "$STAGE_TMP/psk")' >/run/psk
	ip link add wg0 type wireguard &&
	wg set wg0 private-key /run/b.key listen-port 51821 peer '$(pub a)' \
		allowed-ips 10.66.0.1/32,fd66::1/128 \
		endpoint 10.77.0.1:51820 &&
	ip addr add 10.66.0.2/24 dev wg0 &&
	ip addr add fd66::2/64 dev wg0 nodad && ip link set wg0 up" ||
	die "cannot configure b"
ip addr add 10.66.0.1/24 dev wg0
ip addr add fd66::1/64 dev wg0 nodad
ip link set wg0 up

await 30 "b initiates over IPv4" ping_b 10.66.0.1
bulk
forget a
await 30 "a initiates over IPv4" ping_a 10.66.0.2
bulk
[ "$(wg show wg0 endpoints | cut -f2)" = 10.77.0.2:51821 ] ||
	die "FAILED: the endpoint is $(wg show wg0 endpoints)"

b "wg set wg0 peer '$(pub a)' endpoint '[fd77::1]:51820'"
forget b
await 30 "b initiates over IPv6" ping_b 10.66.0.1
# A packet of before may still have been on its way, so another one may be needed.
followed() {
	[ "$(wg show wg0 endpoints | cut -f2)" = '[fd77::2]:51821' ] ||
		{ ping_b 10.66.0.1; return 1; }
}
await 30 "a follows across families" followed
bulk
forget a
await 30 "a initiates over IPv6" ping_a 10.66.0.2

b "wg set wg0 listen-port 51900"
await 30 "b has moved to another port" ping_b 10.66.0.1
[ "$(wg show wg0 endpoints | cut -f2)" = '[fd77::2]:51900' ] ||
	die "FAILED: a has not followed to the port"
wg set wg0 listen-port 51830
await 30 "a has moved to another port" ping_a 10.66.0.2
b "wg show wg0 endpoints | grep -q ':51830$'" ||
	die "FAILED: b has not followed to the port"

wg set wg0 peer "$(pub b)" preshared-key "$STAGE_TMP/psk"
b "wg set wg0 peer '$(pub a)' preshared-key /run/psk"
forget a
await 30 "a initiates with a pre-shared key" ping_a 10.66.0.2
forget b
await 30 "b initiates with a pre-shared key" ping_b 10.66.0.1
bulk
b "wg set wg0 peer '$(pub a)' preshared-key /dev/null"
forget a
if ping -n -q -c3 -i0.3 -W1 10.66.0.2 >/dev/null; then
	die "FAILED: traffic with different pre-shared keys"
fi
passed "nothing passes with different pre-shared keys"
wg set wg0 peer "$(pub b)" preshared-key /dev/null

wg set wg0 private-key "$(key a2)"
b "wg set wg0 peer '$(pub a)' remove peer '$(pub a2)' \
	allowed-ips 10.66.0.1/32,fd66::1/128"
forget a
await 30 "a initiates with a new private key" ping_a 10.66.0.2

received() { wg show wg0 transfer | cut -f2; }
more() { [ "$(received)" -ge $((before + 64)) ]; }
before=$(received)
b "wg set wg0 peer '$(pub a2)' persistent-keepalive 1"
await 20 "keepalives come from b" more
b "wg set wg0 peer '$(pub a2)' persistent-keepalive off"
before=$(b "wg show wg0 transfer | cut -f2")
wg set wg0 peer "$(pub b)" persistent-keepalive 1
await 20 "keepalives reach b" b \
	"[ \$(wg show wg0 transfer | cut -f2) -ge $((before + 64)) ]"
wg set wg0 peer "$(pub b)" persistent-keepalive off

if [ "${WGI_REKEY:-0}" = 1 ]; then
	for side in a b; do
		forget $side
		case $side in
		a) await 30 "a has new keys" ping_a 10.66.0.2 ;;
		b) await 30 "b has new keys" ping_b 10.66.0.1 ;;
		esac
		first=$(counter)
		renewed() { [ "$(counter)" -gt "$first" ]; }
		ping -n -i0.2 10.66.0.2 >"$STAGE_TMP/ping" &
		pid=$!
		await 150 "the keys that $side asked for are renewed" renewed
		await 5 "and traffic goes on" ping_a 10.66.0.2
		kill -INT $pid
		wait $pid
		said=$(answered "$STAGE_TMP/ping") || die "FAILED: $said"
		passed "$said"
		[ $(($(counter) - first)) -ge 119 ] ||
			die "FAILED: renewed after $(($(counter) - first)) s"
	done
	bulk
fi
exit 0
