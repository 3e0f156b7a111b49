#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: who asks when a packet leaves is told so (SO_TIMESTAMPING), for one that is
#       sealed where it is and for one that is sealed into another
# needs: core
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
wg_add "$NS_B" wg0
python3 "$PROGS/t_timestamping.py" || exit 1
