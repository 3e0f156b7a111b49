#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: 1,000 switches between all pairs of modes, on one end and on both, lose,
#       double and reorder nothing, keep the keys, and leave TCP alone
# needs: slow stress
# timeout: 240
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

need python3 iperf3
wire_pair
has_mode "$left" wg1 || skip "stock wireguard has no mode"

# The wire delivers to one CPU at a time, as a NIC does for one tunnel: order is
# promised under that condition.
mask=$(printf '%x' $((1 << ($(nproc) - 1))))
for end in "$left w1" "$right w2"; do
	read -r ns dev <<<"$end"
	# shellcheck disable=SC2016 # expanded by the inner shell
	ip netns exec "$ns" sh -c \
		'echo $1 >/sys/class/net/$2/queues/rx-0/rps_cpus' sh "$mask" \
		"$dev" || skip "this kernel cannot steer packets"
done
ping_ok "before" "$left" 10.70.0.2
bg_ns "$right" iperf3 -s -1 -p 5201 >/dev/null 2>&1
await 20 "iperf3 -s listens" listening "$right" 5201
bg_ns "$left" iperf3 -p 5201 -c 10.70.0.2 -b 4M -l 4k -t 3600 >/dev/null 2>&1
count=1000
[ "${WGI_EMULATED:-0}" = 0 ] || count=200
python3 "$(dirname "$WGI_LIB")/progs/t_switch.py" "$left" "$right" $count
ping_ok "afterwards" "$right" 10.70.0.1
