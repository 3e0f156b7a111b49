#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: CVE-2026-99059: a response worked on while the next initiation is made
# needs: slow once
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
python3 "$PROGS/t_response_race.py" || exit 1
