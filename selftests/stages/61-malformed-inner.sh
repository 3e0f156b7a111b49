#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: authentic packets that are malformed inside
# needs: core
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
python3 "$PROGS/t_malformed_inner.py" || exit 1
