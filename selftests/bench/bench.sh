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
# they are a 2-core lab's.
#
#   MODES  modes of this module to compare (inline);  CPUS  of the lab (2)
#   UML_LAB  where the lab is ($WGI_CACHE/bench)

case ${1:-} in -h | --help) sed -n '4,15s/^# \{0,1\}//p' "$0"; exit ;; esac
set -euo pipefail
H=$(cd "$(dirname "$0")" && pwd) RUNS=${1:-3}; P=$(cd "$H/../.." && pwd) LAB=${UML_LAB:-${WGI_CACHE:-/var/cache/wireguard-inline}/bench}
"$H/lab.sh" >/dev/null
B=$(mktemp -d); cp -r "$P"/{Makefile,dkms.conf,include,src,tools} "$B/"; make -s -C "$B" clean >/dev/null
make -s -C "$B" ARCH=um KDIR="$LAB/obj" module >/dev/null
one() { # label test env...
    local label=$1 test=$2; shift 2
    out=$(env "$@" timeout 120 "$H/run.sh" -c "${CPUS:-2}" "$H/$test.sh" 2>&1) || { echo "$label FAILED: $(echo "$out" | tail -3 | tr '\n' ' ')" >&2; return 0; }
    echo "$label $(echo "$out" | awk '/^(pps|gbps|gbit|hostcpu) /{printf "%s=%s ", $1, $2}')"
}
lines() { # group test env... : every stock and own line of one row
    local g=$1 t=$2; shift 2
    one "$g/stock-softirq" "$t" THREADED=0 "$@"; one "$g/stock-threaded" "$t" THREADED=1 "$@"
    for m in ${MODES:-inline}; do one "$g/ours-$m" "$t" MODULE="$B/src/wireguard.ko" MODE=$m "$@"; done
}
for r in $(seq 1 "$RUNS"); do
    echo "bench: run $r of $RUNS" >&2
    lines forward/1 forward TUNNELS=1
    lines forward/4 forward TUNNELS=4
    lines forward/1-nic forward TUNNELS=1 WIRE=gro
    lines small/1 forward PKT=64
    lines tcp/1 tcp
    lines tcp/1-nic tcp WIRE=gro
done | python3 -c '
import sys, collections, statistics as st
rows = collections.defaultdict(list)
for line in sys.stdin:
    name, *kv = line.split()
    rows[name].append({k: float(v) for k, v in (x.split("=") for x in kv)})
def med(name, key): return st.median(r.get(key, 0) for r in rows[name])
print("%-28s %4s %9s %8s %11s %9s %9s" % ("row/what", "runs", "kpps", "Gbit/s", "Gbit/CPU-s", "x best", "x best/CPU"))
def eff(n): return st.median(r["gbit"] / r["hostcpu"] if r.get("hostcpu") else 0 for r in rows[n])
for name in rows:
    group = name.rsplit("/", 1)[0]
    stock = [n for n in rows if n.startswith(group + "/stock")]
    bg, be = max((med(n, "gbps") for n in stock), default=0), max((eff(n) for n in stock), default=0)
    g, e = med(name, "gbps"), eff(name)
    print("%-28s %4d %9.0f %8.3f %11.3f %9.2f %9.2f" % (name, len(rows[name]), med(name, "pps") / 1e3, g, e, g / bg if bg else 0, e / be if be else 0))
'
rm -rf "$B"
