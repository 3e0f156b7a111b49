#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: malformed messages at the socket: silence, no leak, no harm
# needs: core
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
python3 "$PROGS/t_malformed_outer.py" || exit 1
