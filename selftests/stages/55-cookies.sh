#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: under load: cookie replies, mac2, limits by source, silence otherwise
# needs: core once
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
python3 "$PROGS/t_cookie.py" || exit 1
