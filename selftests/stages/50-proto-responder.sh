#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: as responder: handshake, PSK, key slots, padding, counters, silence
# needs: core
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
python3 "$PROGS/t_responder.py" || exit 1
