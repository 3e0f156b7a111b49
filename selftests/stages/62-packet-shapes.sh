#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: fragments, pages, clones and super-packets at the socket
# needs: core
. "$(dirname "$0")/../lib/attack.sh"

attack_setup
python3 "$PROGS/t_shapes.py" || exit 1
