#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: ethtool's counters by mode and cause, its private flags as the way to the
#       same switch, and the tracepoints
# needs: core modes
. "$(dirname "$0")/../lib/attack.sh"

command -v ethtool >/dev/null || skip "ethtool is not installed"
attack_setup
ip netns exec "$NS_A" test -e /sys/class/net/wg0/wireguard/mode ||
	skip "stock wireguard counts nothing"
python3 "$PROGS/t_observe.py"
