#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: an established tunnel passes traffic under five kinds of flood
# needs: slow
# timeout: 120
. "$(dirname "$0")/../lib/attack.sh"

each_module
attack_setup
make_ns "$NS_C"
wire "$NS_A" vc "$NS_C" vd
ip -n "$NS_A" addr add 10.77.2.1/24 dev vc
ip -n "$NS_C" addr add 10.77.2.2/24 dev vd
wg_add "$NS_B" wg0
python3 "$PROGS/t_flood.py" || exit 1
