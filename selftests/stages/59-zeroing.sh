#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the secrets of a peer that is idle are wiped after 540 s
# needs: slow waits once long
# timeout: 720
. "$(dirname "$0")/../lib/attack.sh"

life_cycle_log
attack_setup
python3 "$PROGS/t_zeroing.py" || exit
