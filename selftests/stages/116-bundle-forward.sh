#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: forwarded through a bundle, both families: TCP's segments are clamped to its
#       MTU both ways; flows whose ways there and back are different tunnels pass
#       stateful nftables by one interface group, SNAT and rp_filter; down leaves
#       no table
# needs: once tool
# timeout: 120
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

#    $source  10.61.0.2 ═══ $left ═bundle═ $right ═══ $away  10.62.0.2
#             fd61::2                                        fd62::2
behind() {
	setup_ns source away
	wire "$left" b1 "$source" s1
	wire "$right" b2 "$away" a1
	addr "$left" b1 10.61.0.1/24 fd61::1/64
	addr "$source" s1 10.61.0.2/24 fd61::2/64
	addr "$right" b2 10.62.0.1/24 fd62::1/64
	addr "$away" a1 10.62.0.2/24 fd62::2/64
	ip -n "$source" route add default via 10.61.0.1
	ip -n "$source" -6 route add default via fd61::1
	ip -n "$away" route add default via 10.62.0.1
	ip -n "$away" -6 route add default via fd62::1
	sysctl_ns "$left" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	sysctl_ns "$right" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	sed -i 's,^AllowedIPs.*,&\, 10.62.0.0/24\, fd62::/64,' \
		"$SCRATCH/left/dc.conf"
	sed -i 's,^AllowedIPs.*,&\, 10.61.0.0/24\, fd61::/64,' \
		"$SCRATCH/right/dc.conf"
}

# segments FROM TO ADDRESS: what both ends of a new connection send at most at once
segments() {
	local log=$SCRATCH/segments.$RANDOM
	bg_ns "$2" python3 -c '
import socket, sys
s = socket.create_server((sys.argv[1], 7000),
	family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
s.settimeout(60)
c = s.accept()[0]
print(c.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG))' "$3" >"$log"
	await 20 "a server" listening "$2" 7000
	in_ns "$1" python3 -c '
import socket, sys
c = socket.create_connection((sys.argv[1], 7000), 30)
print(c.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG))' "$3"
	wait "$BG"
	cat "$log"
}

# clamped WHAT V4 V6: 12 bytes of each segment are for timestamps
clamped() {
	expect "$1: segments, IPv4" "$2 $2" \
		"$(segments "$source" "$away" 10.62.0.2 | xargs)"
	expect "$1: segments, IPv6" "$3 $3" \
		"$(segments "$away" "$source" fd61::2 | xargs)"
}

flows() {
	tcp_short "$source" "$away" 10.62.0.2 -P 16
	tcp_short "$source" "$away" fd62::2 -P 16
}

# loose NS VALUE: rp_filter, of which the highest of all and the interface counts
loose() {
	local file
	for file in $(in_ns "$1" find /proc/sys/net/ipv4/conf -name rp_filter); do
		in_ns "$1" sh -c "echo $2 >$file"
	done
}

need python3 nft
need_ipv6
sites
introduce 4 4
behind
up right
up left 2>"$SCRATCH/error"
if grep -q "cannot tell forwarded TCP" "$SCRATCH/error"; then
	skip "this kernel has no nftables"
fi
expect "words" "" "$(<"$SCRATCH/error")"
expect "tables" "table inet wg-inline-dc" "$(in_ns "$left" nft list tables)"
clamped "both ends" 1368 1348
# One end is enough for both ways.
in_ns "$right" nft delete table inet wg-inline-dc
clamped "one end" 1368 1348
in_ns "$left" nft delete table inet wg-inline-dc
clamped "no end" 1448 1428

# One rule for all tunnels.
filter "$left" <<-'EOR'
	table inet wgi {
		chain forward {
			type filter hook forward priority 0; policy drop;
			ct state established,related accept
			iifname "b1" oifgroup 5100 accept
		}
	}
EOR
filter "$right" <<-'EOR'
	table inet wgi {
		chain forward {
			type filter hook forward priority 0; policy drop;
			ct state established,related accept
			iifgroup 5200 oifname "b2" accept
		}
	}
EOR
for value in 2 1; do
	loose "$left" $value
	loose "$right" $value
	flows
done
if in_ns "$away" ping -q -n -c 1 -W 1 10.61.0.2 >"$SCRATCH/said"; then
	fail "what nobody asked for got through: $(<"$SCRATCH/said")"
fi

# SNAT, to one address whatever the tunnel.
filter "$left" <<-'EOR'
	table inet wgi_nat {
		chain post {
			type nat hook postrouting priority 100;
			oifgroup 5100 ip saddr 10.61.0.0/24 snat ip to 10.50.0.1
			oifgroup 5100 ip6 saddr fd61::/64 snat ip6 to fd50::1
		}
	}
EOR
loose "$left" 2
flows
down left
expect "tables of the bundle after down" 0 \
	"$(in_ns "$left" nft list tables | grep -c wg-inline || :)"
down right
