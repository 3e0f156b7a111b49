#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: 2^20 peers on one device: time, memory, a key change, removal
# needs: scale slow once
# timeout: 1200
. "$(dirname "$0")/../lib/attack.sh"

each_module
bulk=$(prog wgbulk) || exit 1
peers=${WGI_SCALE_PEERS:-1048576}
free=$(awk '/^MemAvailable/{print $2}' /proc/meminfo)
[ "$((peers * 3))" -lt "$free" ] ||
	skip "$peers peers need $((peers * 3 / 1024)) MiB of free memory"
attack_setup
python3 "$PROGS/t_scale.py" "$bulk" || exit 1
