#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: no key outlives the beginning of a suspend
. "$(dirname "$0")/../lib/attack.sh"

life_cycle_log
attack_setup
python3 "$PROGS/t_suspend.py" || exit
