#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench.sh [RUNS]: stock WireGuard and this module, side by side, in one table.
#
# Runs in a user-mode-linux kernel that lab.sh builds once (8 minutes), as a real
# SMP kernel at native speed, vector cipher included. Every line of a row is run
# in the same minutes, RUNS times (3); medians, and each as a ratio of the best
# stock line of its row, in throughput and in throughput per CPU-second. Let
# nothing else run meanwhile. Quote ratios, not absolute figures, and say that
# they are a 2-core lab's. Needs root. Exit status 1 if a line failed.
#
#   MODES    modes of this module to compare (inline)
#   CPUS     of the lab (2)
#   SECS     seconds of traffic for each line (see run.sh)
#   UML_LAB  where the lab is ($WGI_CACHE/bench)

set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
PROJECT=$(cd "$HERE/../.." && pwd)
CACHE=${WGI_CACHE:-/var/cache/wireguard-inline}
LAB=${UML_LAB:-$CACHE/bench}

RUNS=${1:-3}

case $RUNS in
-h | --help) sed -n '4,17s/^# \{0,1\}//p' "$0"; exit ;;
*[!0-9]* | 0*) echo "bench: $RUNS is no number of runs; see --help" >&2; exit 2 ;;
esac
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

# build: this module for the lab; its path is MODULE
build()
{
	cp -r "$PROJECT"/{Makefile,dkms.conf,include,src,tools} "$WORK/"
	make -s -C "$WORK" clean
	make -s -C "$WORK" ARCH=um KDIR="$LAB/obj" module
	MODULE=$WORK/src/wireguard.ko
} >/dev/null

# one LABEL TEST VARIABLE=VALUE…: measures, and prints it in one line
one()
{
	local label=$1 test=$2 out

	shift 2
	if out=$(env "$@" timeout 120 "$HERE/run.sh" -c "${CPUS:-2}" \
		"$HERE/$test.sh" 2>&1); then
		echo "$label $(awk '/^(pps|gbps|gbit|hostcpu) / {
			printf "%s=%s ", $1, $2 }' <<<"$out")"
	else
		echo "$label FAILED: $(tail -n 3 <<<"$out" | tr '\n' ' ')" >&2
		: >"$WORK/failed"
	fi
}

# row NAME TEST VARIABLE=VALUE…: stock, both ways, and this module's modes
row()
{
	local name=$1 test=$2 mode

	shift 2
	one "$name/stock-softirq" "$test" THREADED=0 "$@"
	one "$name/stock-threaded" "$test" THREADED=1 "$@"
	for mode in ${MODES:-inline}; do
		one "$name/ours-$mode" "$test" MODULE="$MODULE" MODE="$mode" "$@"
	done
}

rows()
{
	local run

	for ((run = 1; run <= RUNS; run++)); do
		echo "bench: run $run of $RUNS" >&2
		row forward/1 forward TUNNELS=1
		row forward/4 forward TUNNELS=4
		row forward/1-nic forward TUNNELS=1 WIRE=gro
		row small/1 forward PKT=64
		row tcp/1 tcp
		row tcp/1-nic tcp WIRE=gro
	done
}

"$HERE/lab.sh" >/dev/null
build
rows | python3 "$HERE/table.py"
[ ! -e "$WORK/failed" ]
