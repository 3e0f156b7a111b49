#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: replayed, old and too many handshakes
# needs: core once
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
python3 "$PROGS/t_replay_handshake.py" || exit 1
