#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the replay window and the limits of counters, from the wire
# needs: core modes
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
python3 "$PROGS/t_replay_data.py" || exit 1
