#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: who asks when a packet leaves is told so (SO_TIMESTAMPING): one that is sealed
#       where it is, one that is sealed into another, one that waits for a worker
# needs: core
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
wg_add "$NS_B" wg0
for level in 1 2 3 4 5; do
	wg_add "$NS_A" "deep$level"
	wg_add "$NS_B" "deep$level"
done
python3 "$PROGS/t_timestamping.py" || exit 1
