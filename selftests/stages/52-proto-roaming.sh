#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: roaming: what moves an endpoint, and what must not
# needs: core
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
python3 "$PROGS/t_roaming.py" || exit 1
