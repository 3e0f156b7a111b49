#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: order within a flow, nothing doubled: handshakes, many and changing CPUs
# needs: core modes
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
wg_add "$NS_B" wg0
# The wire delivers to one CPU at a time, as a NIC does for one tunnel: order
# is promised under that condition.
cpu=$(($(nproc) - 1))
mask=$(printf '%x' $((1 << cpu)))
for end in "$NS_A va" "$NS_B vb"; do
	set -- $end
	ip netns exec "$1" sh -c "
		echo $mask >/sys/class/net/$2/queues/rx-0/rps_cpus" ||
		skip "this kernel cannot steer packets"
done
python3 "$PROGS/t_order.py" || exit 1
