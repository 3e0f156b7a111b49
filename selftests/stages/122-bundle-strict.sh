#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: a bundle with a default route whose peer is behind a router, under a strict
#       rp_filter: what comes in passes by its mark, both families; others' marks
#       are left alone
# needs: once tool
# timeout: 120
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

#    $left  w1 192.0.2.1 ═══ g1 192.0.2.9  $gate  g2 198.51.100.9 ═══ w2 $right
cable() {
	setup_ns gate
	wire "$left" w1 "$gate" g1
	wire "$gate" g2 "$right" w2
	addr "$gate" g1 192.0.2.9/24
	addr "$gate" g2 198.51.100.9/24
	addr "$right" w2 198.51.100.2/24
	sysctl_ns "$gate" net.ipv4.ip_forward=1
}

need nft
need_ipv6
sites cable
ip -n "$right" addr del 192.0.2.2/24 dev w2
ip -n "$left" route add default via 192.0.2.9
ip -n "$right" route add default via 198.51.100.9
introduce 2 2
sed -i 's/^Endpoint = 192.0.2.2:/Endpoint = 198.51.100.2:/
	s,^AllowedIPs.*,AllowedIPs = 0.0.0.0/0\, ::/0,' "$SCRATCH/left/dc.conf"
in_ns "$left" nft list ruleset >/dev/null 2>&1 || skip "this kernel has no nftables"
sysctl_ns "$left" net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1 \
	net.ipv4.conf.w1.rp_filter=1
ip -n "$right" addr add 8.8.8.8/32 dev lo
up right
trace "$left" >"$SCRATCH/before"
up left 2>"$SCRATCH/error"
if grep -q "cannot have nftables keep marks" "$SCRATCH/error"; then
	skip "this kernel's nftables know no connections"
fi
for device in dc dc-2; do
	await 20 "a handshake of $device" handshaken "$left" $device \
		"$(in_ns "$left" wg show $device peers)"
done
ping_ok "anywhere" "$left" 8.8.8.8
ping_ok "IPv6" "$left" fd50::2
flood "$left" 8.8.8.8 50
rules=$(in_ns "$left" nft list table inet wg-inline-dc)
expect "rules that give a mark back" 2 \
	"$(grep -c 'ct mark 0x.* meta mark set ct mark' <<<"$rules")"
expect "rules that keep it" 2 "$(grep -c 'ct mark set meta mark' <<<"$rules")"

in_ns "$left" nft delete table inet wg-inline-dc
ping_dead "without the rules" "$left" 8.8.8.8
down left
no_trace "down" "$left" "$SCRATCH/before"

# Only for the family that has a default route.
sed -i 's,0.0.0.0/0\, ::/0,10.50.0.2/32\, ::/0,' "$SCRATCH/left/dc.conf"
up left
rules=$(in_ns "$left" nft list table inet wg-inline-dc)
expect "rules for IPv4" 0 "$(grep -c 'nfproto ipv4.* ct mark' <<<"$rules" || :)"
expect "rules for IPv6" 2 "$(grep -c 'nfproto ipv6.* ct mark' <<<"$rules")"
ping_ok "IPv6" "$left" fd50::2
down left
no_trace "down" "$left" "$SCRATCH/before"
