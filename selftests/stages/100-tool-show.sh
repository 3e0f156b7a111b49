#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: wg-inline show says what wg, ip and sysfs say, of this namespace, as text
#       and as JSON; what it cannot show, it says in one sentence
# needs: once tool user
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

setup_ns left right other
expect_match "no interface at all" "^module" "$(tool "$left" show)"
expect "interfaces where there are none" 0 "$(json "$left" "len(i)")"

# Two namespaces with the same names and numbers, and different contents.
add_wg "$left" wg1
add_wg "$right" wg1
add_wg "$right" wg2
ip -n "$left" link add tap type dummy
wg_set "$left" wg1 KEY:1 listen-port 5101 fwmark 0x77
wg_set "$left" wg1 peer "${PUB[2]}" endpoint 127.0.0.1:5102 \
	allowed-ips 10.70.0.2/32 peer "${PUB[3]}" peer "${PUB[4]}"
ip -n "$left" link set wg1 mtu 1300 group 7

expect "names" "['wg1']" "$(json "$left" "list(i)")"
expect "names" "['wg1', 'wg2']" "$(json "$right" "list(i)")"
expect "settings" "5101 119 1300 7 False" "$(json "$left" "i['wg1']['listen_port'],
	i['wg1']['fwmark'], i['wg1']['mtu'], i['wg1']['group'],
	i['wg1']['up']" | tr -d '(),')"
expect "peers without a handshake" "3 0 3 None None" "$(json "$left" \
	"*i['wg1']['peers'].values()")"
expect "version of the format" 1 "$(json "$left" "j['version']")"
expect "the kernel" "$(uname -r)" "$(json "$left" "j['module']['release']")"

if has_mode "$left" wg1; then
	expect "mode" "$(ip netns exec "$left" \
		cat /sys/class/net/wg1/wireguard/mode)" \
		"$(json "$left" "i['wg1']['mode']")"
	expect "the module" "ours $(</sys/module/wireguard/version)" \
		"$(json "$left" "j['module']['loaded']['kind'],
		j['module']['loaded']['version']" | tr -d "(),'")"
else
	expect "mode of stock" None "$(json "$left" "i['wg1']['mode']")"
	expect "the module" stock "$(json "$left" "j['module']['loaded']['kind']")"
fi

# A peer with more allowed IPs than one message has room for is one peer.
for n in {0..255}; do
	for m in {1..16}; do
		printf '%s' ",10.$m.$n.0/24"
	done
done >"$SCRATCH/ips"
cat >"$SCRATCH/many" <<-END
	[Peer]
	PublicKey = ${PUB[5]}
	AllowedIPs = 10.99.0.0/16$(<"$SCRATCH/ips")
END
in_ns "$left" wg addconf wg1 "$SCRATCH/many"
expect "peers, one of them with 4097 allowed IPs" 4 \
	"$(json "$left" "i['wg1']['peers']['count']")"

# Traffic is counted, and its handshake seen.
wg_set "$right" wg1 KEY:2 listen-port 5102 peer "${PUB[1]}" \
	endpoint 127.0.0.1:5101 allowed-ips 10.70.0.1/32
ip -n "$left" link set wg1 netns "$other"
ip -n "$right" link set wg1 netns "$other" name wg2
tool_refused "an interface that moved away" "no interface wg1" "$left" show wg1
for n in 1 2; do
	setup_ns here
	ip -n "$other" link set "wg$n" netns "$here"
	inner_up "$here" "wg$n" "$n"
	eval "here$n=$here"
done
# Their sockets are where they were made; a wire between the two places.
wire "$left" w1 "$right" w2
addr "$left" w1 192.0.2.1/24
addr "$right" w2 192.0.2.2/24
wg_set "$here1" wg1 peer "${PUB[2]}" endpoint 192.0.2.2:5102
ping_ok "through the tunnel" "$here1" 10.70.0.2
expect "live peers" 1 "$(json "$here1" "i['wg1']['peers']['live']")"
expect "peers without a handshake" 3 "$(json "$here1" "i['wg1']['peers']['never']")"
age=$(json "$here1" "i['wg1']['peers']['newest_handshake_age']")
expect_match "age of the handshake" '^[0-9]$|^[1-9][0-9]$' "$age"
received=$(ip -n "$here1" -s -j link show wg1 | python3 -c "
import json, sys
s = json.load(sys.stdin)[0]['stats64']['rx']
print(s['packets'], s['bytes'])")
expect "received" "$received" "$(json "$here1" "i['wg1']['rx']['packets'],
	i['wg1']['rx']['bytes']" | tr -d '(),')"
said=$(tool "$here1" show wg1)
expect_match "what a user reads" "interface wg1" "$said"
expect_match "what a user reads" "peers: 4, 1 with live keys" "$said"
expect "without a command" "${said//[0-9]/}" "$(tool "$here1" | tr -d 0-9)"

# What cannot be shown.
tool_refused "unknown" "there is no interface wg9" "$left" show wg9
tool_refused "a dummy" "tap is not a WireGuard interface: .*dummy" "$left" show tap
tool_refused "loopback" "lo is not a WireGuard interface" "$left" show lo
tool_refused "no name" "cannot be the name" "$left" show ""
tool_refused "a long name" "cannot be the name" "$left" show abcdefghijklmnop
tool_refused "a strange name" "there is no interface" "$left" show $'a\e[31m'
! grep -q $'\e' "$SCRATCH/error" || fail "an escape sequence was repeated"
tool_refused "two names" "usage: wg-inline show" "$left" show wg1 wg2
tool_refused "an option" "usage: wg-inline show" "$left" show --jason
tool_refused "a command" "no command shwo" "$left" shwo
status=0
in_ns "$here1" setpriv --bounding-set=-net_admin --inh-caps=-net_admin \
	"$TOOL" show >"$SCRATCH/said" 2>"$SCRATCH/error" || status=$?
one_sentence "without CAP_NET_ADMIN" "no permission" "$status"
status=0
tool "$here1" show 2>"$SCRATCH/error" >/dev/full || status=$?
expect "a full disk" 1 "$status"

expect_match "version" '^wg-inline [0-9]+\.[0-9]+\.[0-9]+$' "$("$TOOL" --version)"
for word in --help -h help; do
	expect_match "$word" "usage: wg-inline" "$("$TOOL" $word)"
done
expect_match "help of a command" "usage: wg-inline bundle " "$("$TOOL" bundle --help)"
