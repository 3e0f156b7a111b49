#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: wg-inline doctor finds nothing on a sound machine, each thing that was put
#       wrong on one, and nothing that was not; its commands mend them, and it
#       changes nothing itself
# needs: once tool user
# timeout: 180
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

need ethtool nft python3 unshare
need_ipv6
[ "$(nproc)" -gt 1 ] || skip "one CPU has nothing to scale to"

# What kernels are installed is another stage's business, so there are none.
# doctor NS [ARGUMENTS…]: its exit status in $status, its words in $said
doctor() {
	status=0
	# shellcheck disable=SC2016 # expanded by the inner shell
	said=$(unshare -m sh -c '[ ! -d /lib/modules ] ||
		mount -t tmpfs none /lib/modules && exec "$@"' sh \
		nsenter --net="/run/netns/$1" "$TOOL" doctor "${@:2}") ||
		status=$?
}

# of EXPRESSION: what Python makes of what doctor --json said, as j
of() {
	python3 -c "
import json, sys
j = json.load(sys.stdin)
checks = [f['check'] for f in j['findings']]
f = {f['check']: f for f in j['findings']}
print($1)" <<<"$said"
}

# healthy WHAT NS [ARGUMENTS…]: nothing is found, and that is what it says
healthy() {
	doctor "$2" "${@:3}" --json
	[ "$status" = 0 ] || fail "$1: nothing is wrong, but: $said"
}

# sick WHAT NS CHECKS [ARGUMENTS…]: just these are found
sick() {
	doctor "$2" "${@:4}" --json
	[ "$(of "*checks")" = "$3" ] || fail "$1: expected $3, saw $said"
	expect "$1: exit status" 3 "$status"
}

# treat NS: run the commands that it gave, in order
treat() {
	of "'\n'.join(f['command'] for f in j['findings'])" >"$SCRATCH/commands"
	ip netns exec "$1" sh -e "$SCRATCH/commands" >"$SCRATCH/treated" 2>&1 ||
		fail "its commands: $(<"$SCRATCH/commands") $(<"$SCRATCH/treated")"
}

# state NS: what it might change, if it changed anything. Link-local addresses of
# the wire appear at their leisure.
state() {
	ip -n "$1" -d -o link show | sed -E 's/ state [A-Z]+//; s/<[^>]*>//'
	ip -n "$1" -4 route show table all
	ip -n "$1" -6 route show table all | grep -vE 'fe80:|^multicast'
	ip -n "$1" rule show
	in_ns "$1" sysctl -a 2>/dev/null \
		-r '^net\.(core|ipv[46]\.(conf|fib|ip_forward))'
	in_ns "$1" ethtool -k w1
	in_ns "$1" ethtool -l w1
	in_ns "$1" wg showconf wg1
	ip netns exec "$1" sh -c 'cat /sys/class/net/w1/queues/*/?ps_cpus' 2>&1
	cat /proc/irq/*/smp_affinity /sys/module/wireguard/refcnt
}

# tunnel N ENDPOINT: wgN of $left, to nobody
tunnel() {
	add_wg "$left" "wg$1"
	wg_set "$left" "wg$1" KEY:1 listen-port "510$1" peer "${PUB[2]}" \
		endpoint "$2" allowed-ips "10.70.$1.0/24,fd70:$1::/64"
	ip -n "$left" link set "wg$1" up
}

# queues N: to receive by, and the same at the other end to send by
queues() {
	in_ns "$right" ethtool -L w2 tx "$1"
	in_ns "$left" ethtool -L w1 rx "$1"
}

# ------------------------------------------------------------- no tunnels --

setup_ns left right
healthy "no tunnels" "$left"
expect_match "no tunnels" "no tunnels" "$(of "j['notes']")"

# -------------------------------------------------------- a sound machine --

ip -n "$left" link add w1 numrxqueues 2 numtxqueues 2 type veth peer name w2 \
	numrxqueues 2 numtxqueues 2 netns "$right"
ip -n "$left" link set w1 up
ip -n "$right" link set w2 up
addr "$left" w1 192.0.2.1/24 2001:db8::1/64
addr "$right" w2 192.0.2.2/24 2001:db8::2/64
if ! in_ns "$left" ethtool -K w1 gro on tx-udp-segmentation on ||
	! queues 2; then
	skip "the veth of this kernel has no queues or offloads to change"
fi
for n in 1 2 3; do
	tunnel $n "192.0.2.2:520$n"
done
tunnel 4 "[2001:db8::2]:5204"
sysctl_ns "$left" net.ipv4.fib_multipath_hash_policy=1 \
	net.ipv6.fib_multipath_hash_policy=1 net.ipv4.conf.all.rp_filter=0
ip -n "$left" route add 10.80.0.0/16 nexthop dev wg1 nexthop dev wg2
ip -n "$left" -6 nexthop add id 3 dev wg3
ip -n "$left" -6 nexthop add id 4 dev wg4
ip -n "$left" nexthop add id 34 group 3/4
ip -n "$left" -6 route add fd80::/64 nhid 34
for n in 1 2 3 4; do
	sysctl_ns "$left" "net.ipv4.conf.wg$n.rp_filter=0"
done

state "$left" >"$SCRATCH/before"
healthy "a sound machine" "$left"
expect "findings, version, tunnels, NICs" \
	"[] 1 ['wg1', 'wg2', 'wg3', 'wg4'] w1 veth True 2 4" \
	"$(of "j['findings'], j['version'], j['tunnels'], *j['nics'][0].values()")"
doctor "$left"
expect_match "in words" "4 tunnels.*w1 \(veth, 2 queues, under 4.*nothing found" "$said"

# ----------------------------------------- everything at once, and mended --

sysctl_ns "$left" net.ipv4.fib_multipath_hash_policy=0 \
	net.ipv6.fib_multipath_hash_policy=0 net.ipv4.conf.wg1.rp_filter=1 \
	net.ipv4.conf.wg3.rp_filter=1 net.ipv4.ip_forward=1
ip -n "$left" link set wg2 mtu 1441
ip -n "$left" link set wg4 mtu 1421
in_ns "$left" ethtool -K w1 gro off tx-udp-segmentation off
queues 1
state "$left" >"$SCRATCH/wrong"
sick "all that can be wrong" "$left" \
	"hash-policy hash-policy rp-filter mtu mtu queues offloads offloads offloads"
first=$said
expect "strict rp_filter" True \
	"$(of "'strict on wg1, wg3:' in f['rp-filter']['text']")"
expect "advice for veth" "veth True" "$(of "f['queues']['driver'], f['queues']['tried']" | tr -d "(),'")"
doctor "$left"
expect_match "in words" "4 tunnels come in by 1 queue.*ethtool -L w1 rx 2" "$said"
expect "in words: exit status" 3 "$status"
sick "one of them, and its NIC" "$left" \
	"hash-policy hash-policy mtu queues offloads offloads offloads" wg2
expect "of which interface" "wg2" "$(of "f['mtu']['interface']")"
state "$left" >"$SCRATCH/after"
diff "$SCRATCH/wrong" "$SCRATCH/after" ||
	fail "it changed something"

said=$first
treat "$left"
healthy "mended" "$left"
ip -n "$left" link set wg2 mtu 1420
ip -n "$left" link set wg4 mtu 1420
sysctl_ns "$left" net.ipv4.ip_forward=0 net.ipv4.conf.wg1.rp_filter=0 \
	net.ipv4.conf.wg3.rp_filter=0
in_ns "$left" ethtool -K w1 rx-udp-gro-forwarding off
state "$left" >"$SCRATCH/after"
diff "$SCRATCH/before" "$SCRATCH/after" ||
	fail "its commands changed something else"

# ------------------------------------------------- what excludes the above --

# Passing packets on, where the NIC has spread them already.
# shellcheck disable=SC2016 # expanded by the inner shell
ip netns exec "$left" sh -c 'echo 3 >/sys/class/net/w1/queues/rx-0/rps_cpus' ||
	skip "the rest: this kernel has no RPS"
sick "RPS beside queues" "$left" rps
treat "$left"
healthy "no RPS" "$left"

# A NIC with one queue; two of the tunnels take it.
ip -n "$left" link add w3 numrxqueues 1 numtxqueues 1 type veth peer name w4 \
	netns "$right"
ip -n "$left" link set w3 up
ip -n "$right" link set w4 up
addr "$left" w3 198.51.100.1/24
in_ns "$left" ethtool -K w3 gro on tx-udp-segmentation on
wg_set "$left" wg1 peer "${PUB[2]}" endpoint 198.51.100.2:5201
wg_set "$left" wg2 peer "${PUB[2]}" endpoint 198.51.100.2:5202
healthy "the other NIC" "$left" wg3
sick "no more queues" "$left" queues
expect_match "no more queues" "for q in /sys/class/net/w3/" \
	"$(of "f['queues']['command']")"
treat "$left"
healthy "RPS in place of queues" "$left"

# The same, with a bridge on top.
ip -n "$left" link add b3 type bridge
ip -n "$left" addr del 198.51.100.1/24 dev w3
ip -n "$left" link set w3 master b3
ip -n "$left" link set b3 up
addr "$left" b3 198.51.100.1/24
healthy "a bridge" "$left"
expect "what is under it" "w1 w3" "$(of "*sorted(n['name'] for n in j['nics'])")"

# A narrower way to one peer.
ip -n "$left" route add 198.51.100.2 dev b3 mtu 1400
sick "a narrow way" "$left" "mtu mtu"
treat "$left"
healthy "less on the way" "$left"

# Only marked packets go by w1, and what is not marked by a tunnel.
wg_set "$left" wg3 fwmark 0x77
ip -n "$left" route add default dev wg1 table 119
ip -n "$left" rule add to 192.0.2.2 table 119 pref 120
ip -n "$left" rule add fwmark 0x77 table main pref 119
add_wg "$right" wg3
wg_set "$right" wg3 KEY:2 listen-port 5203 peer "${PUB[1]}" \
	endpoint 192.0.2.1:5103 allowed-ips 10.71.0.1/32
wg_set "$left" wg3 peer "${PUB[2]}" allowed-ips 10.71.0.2/32
addr "$right" wg3 10.71.0.2/24
addr "$left" wg3 10.71.0.1/24
ip -n "$right" link set wg3 up
sysctl_ns "$left" net.ipv4.conf.w1.rp_filter=1
sick "marks and rp_filter" "$left" rp-filter
ping_dead "marks and rp_filter" "$left" 10.71.0.2
treat "$left"
healthy "a looser rp_filter" "$left"
await $((20 * ${WGI_FACTOR:-1})) "a looser rp_filter" \
	ping_once "$left" 10.71.0.2

# To mind marks is no help to packets that have none.
sysctl_ns "$left" net.ipv4.conf.w1.rp_filter=1 net.ipv4.conf.all.src_valid_mark=1
sick "marks are minded" "$left" rp-filter
ping_dead "marks are minded" "$left" 10.71.0.2

# With rules, as of wg-quick, it is.
# mended_by RULES: there are such
mended_by() {
	sick "$1, marks not minded" "$left" rp-filter
	expect_match "$1, seen" "src_valid_mark=1" \
		"$(of "f['rp-filter']['command']")"
	treat "$left"
	healthy "$1" "$left"
	ping_ok "$1" "$left" 10.71.0.2
	sysctl_ns "$left" net.ipv4.conf.all.src_valid_mark=0
}
sysctl_ns "$left" net.ipv4.conf.all.src_valid_mark=0
in_ns "$left" nft -f - <<-END
	table inet marks {
		chain in {
			type filter hook prerouting priority mangle
			meta l4proto udp meta mark set ct mark
		}
		chain out {
			type filter hook postrouting priority mangle
			meta l4proto udp meta mark 0x77 ct mark set meta mark
		}
	}
END
mended_by "rules of nftables"
in_ns "$left" nft delete chain inet marks in
if in_ns "$left" iptables-nft -t mangle -A PREROUTING -p udp -j CONNMARK \
	--restore-mark; then
	mended_by "rules of iptables"
	in_ns "$left" iptables-nft -t mangle -F
fi
sysctl_ns "$left" net.ipv4.conf.all.src_valid_mark=1
sick "rules that only save the mark" "$left" rp-filter
treat "$left"
healthy "a looser rp_filter again" "$left"

# ----------------------------------------------------------- what it sees --

add_wg "$right" wg1
wg_set "$right" wg1 KEY:2 listen-port 5204 peer "${PUB[1]}" \
	allowed-ips 10.70.0.0/16
inner_up "$right" wg1 2
inner_up "$left" wg4 1
wg_set "$left" wg4 peer "${PUB[2]}" allowed-ips 10.70.0.2/32
ping_ok "through a tunnel" "$left" 10.70.0.2
background_ping "$left" 10.70.0.2
doctor "$left" --json
stop "$PINGER"
[ "$(of "sum(c['packets'] for c in j['received'])")" -gt 0 ] ||
	fail "it saw none of the packets: $said"

setup_ns away
ip -n "$left" link set wg4 netns "$away"
ip -n "$away" link set wg4 up
healthy "its sockets are elsewhere" "$away" wg4
expect_match "its sockets are elsewhere" "sockets of wg4 are in another" \
	"$(of "j['notes']")"
ip -n "$left" link set wg3 down
doctor "$left" wg3 --json
expect_match "down" "wg3 is down" "$(of "j['notes']")"

# With a /sys of another namespace, and no right to mount one.
status=0
said=$(in_ns "$left" setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin \
	"$TOOL" doctor --json) || status=$?
expect_match "a foreign /sys" "/sys shows another network namespace" \
	"$(of "j['notes']")"
expect "a foreign /sys" 0 "$(of "len(j['nics'])")"

# ------------------------------------------------------------ what is wrong --

tool_refused "unknown" "there is no interface wg9" "$left" doctor wg9
tool_refused "a veth" "w1 is not a WireGuard interface" "$left" doctor w1
tool_refused "no name" "cannot be the name" "$left" doctor ""
tool_refused "two names" "usage: wg-inline doctor" "$left" doctor wg1 wg2
tool_refused "an option" "usage: wg-inline doctor" "$left" doctor --mend
status=0
in_ns "$left" setpriv --bounding-set=-net_admin --inh-caps=-net_admin \
	"$TOOL" doctor >"$SCRATCH/said" 2>"$SCRATCH/error" || status=$?
one_sentence "without CAP_NET_ADMIN" "no permission" "$status"
status=0
tool "$left" doctor 2>"$SCRATCH/error" >/dev/full || status=$?
expect "a full disk" 1 "$status"
