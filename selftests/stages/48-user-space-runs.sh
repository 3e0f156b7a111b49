#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: user space still runs on the CPU that receives more than it can carry
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# What starves waits for as long as the flood lasts; a debug kernel, emulated or on
# a busy machine, is late by a second without any of it.
MAX_LATE_MS=3000

pktgen() {
	in_ns "$source" sh -c "echo '$2' >/proc/net/pktgen/$1"
}

# packets NS IF COLUMN: of /proc/net/dev
packets() {
	# shellcheck disable=SC2016 # awk
	in_ns "$1" awk -v dev="$2:" -v column="$3" '$1 == dev { print $column }' \
		/proc/net/dev
}

need python3 taskset
[ "$(nproc)" -ge 2 ] || skip "one CPU only"
[ -e /proc/net/pktgen ] || modprobe -q pktgen ||
	skip "this kernel has no packet generator"

# $source s0 ── s1 $left ══ tunnel ══ $right, which throws all away
wire_pair
setup_ns source
wire "$source" s0 "$left" s1
addr "$left" s1 10.80.0.1/24
sysctl_ns "$left" net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
	net.ipv4.conf.s1.rp_filter=0
sysctl_ns "$right" net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
	net.ipv4.conf.wg2.rp_filter=0
ip -n "$right" link add d0 type dummy
ip -n "$right" link set d0 up
ip -n "$right" route add 10.90.0.0/16 dev d0
ip -n "$left" route add 10.90.0.0/16 dev wg1
wg_set "$left" wg1 peer "${PUB[2]}" allowed-ips 10.70.0.2/32,10.90.0.0/16
wg_set "$right" wg2 peer "${PUB[1]}" allowed-ips 10.70.0.1/32,10.80.0.0/16
ping_ok "session" "$left" 10.70.0.2
# Sent by CPU 0, received by CPU 1.
ip netns exec "$right" sh -c 'echo 2 >/sys/class/net/w2/queues/rx-0/rps_cpus'

mac=$(ip -n "$left" -o link show s1)
mac=${mac#*link/ether }
pktgen kpktgend_0 rem_device_all
pktgen kpktgend_0 "add_device s0"
for word in "count 0" "pkt_size 200" "delay 0" "dst_mac ${mac%% *}" \
	"src_min 10.80.0.2" "dst_min 10.90.0.1" "dst_max 10.90.0.1"; do
	pktgen s0 "$word"
done

quiet=$(taskset -c 1 python3 "$WGI_LIB/net.py" progress 1)
bg_ns "$source" sh -c 'echo start >/proc/net/pktgen/pgctrl'
generator=$BG
started() {
	[ "$(packets "$right" d0 11)" -gt 1000 ]
}
await 20 "the flood gets through" started
flooded=$(taskset -c 1 python3 "$WGI_LIB/net.py" progress 3)
pktgen pgctrl stop
wait "$generator" || fail "the packet generator failed"

echo "# worst delay in ms, and rounds: quiet $quiet, in the flood $flooded"
echo "# $(packets "$left" wg1 11) sent, $(packets "$right" d0 11) delivered"
[ "${flooded% *}" -lt $MAX_LATE_MS ] ||
	fail "expected a delay below $MAX_LATE_MS ms, saw ${flooded% *} ms"
ping_ok "afterwards" "$left" 10.70.0.2
