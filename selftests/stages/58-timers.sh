#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the clocks: keepalives, retries, giving up, renewal at 120 and 165 s, and
#       the end of a key at 180 s, one tunnel each
# needs: slow waits once long
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
python3 "$PROGS/t_timers.py" || exit
