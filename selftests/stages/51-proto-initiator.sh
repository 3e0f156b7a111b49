#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: as initiator: staging, false responses, retries, ECN, keepalives
# needs: core
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
python3 "$PROGS/t_initiator.py" || exit 1
