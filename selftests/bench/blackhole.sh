#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# blackhole.sh [RUNS]: how the receiving end of eight tunnels uses its CPUs, with
# stock WireGuard (NAPI in softirq, and in threads) and with this module's three
# modes: as bars in text, and as a picture.
#
# Every line gets the same burst, encrypted beforehand: see burst.sh for how, and
# for the cables. CPU 0 is the wire and is not shown; each tunnel has a receive
# queue of its own. A virtual CPU is a thread of the lab, and its use is what the
# real machine ran it for. Medians of RUNS (3).
#
# It needs a real core for each virtual CPU, and nothing else to run meanwhile: on
# fewer, one that waits for a lock takes the time of another that holds it, and
# what comes out is about that.
#
#   SVG     the picture (blackhole.svg);  DATA  what was measured, one JSON a line
#   CPUS    of the lab: as many as there are cores, 4 to 8
#   RATE, PKT, SECS, TUNNELS  as in burst.sh
#   ANYWAY  1: also on fewer cores; the picture says so
#   WITH    what to start each run with, such as "nice -n -10"
#   UML_LAB  where the lab is ($WGI_CACHE/bench)

case ${1:-} in -h | --help) sed -n '4,26s/^# \{0,1\}//p' "$0"; exit ;; esac
set -euo pipefail
H=$(cd "$(dirname "$0")" && pwd) P=$(cd "$H/../.." && pwd)
export UML_LAB=${UML_LAB:-${WGI_CACHE:-/var/cache/wireguard-inline}/bench}
export TUNNELS=${TUNNELS:-8} PKT=${PKT:-1400} SECS=${SECS:-1} RATE=${RATE:-300000}
cores=$(nproc)
CPUS=${CPUS:-$((cores < 4 ? 4 : cores > 8 ? 8 : cores))}
if [ "$cores" -lt "$CPUS" ] && [ "${ANYWAY:-}" != 1 ]; then
    echo "blackhole: $CPUS virtual CPUs need as many real cores, and there are $cores; ANYWAY=1 tries all the same" >&2
    exit 1
fi
RUNS=${1:-3} SVG=${SVG:-blackhole.svg}
B=$(mktemp -d)
trap 'rm -rf "$B"' EXIT
DATA=${DATA:-$B/lines}

module() {
    cp -r "$P"/{Makefile,dkms.conf,include,src,tools} "$B/"
    make -s -C "$B" clean >/dev/null
    make -s -C "$B" ARCH=um KDIR="$UML_LAB/obj" module >&2
}

# one LABEL ENVIRONMENT…
one() {
    local label=$1 out
    shift
    echo "blackhole: $label" >&2
    # shellcheck disable=SC2086 # words are meant
    out=$(${WITH:-} env "$@" timeout 120 "$H/run.sh" -c "$CPUS" -m 4G "$H/burst.sh" 2>&1) || {
        echo "blackhole: $label failed: $(tail -n 3 <<<"$out")" >&2
        return 1
    }
    awk -v label="$label" '
        /^(held|sunk|gbps) / { value[$1] = $2 }
        /^vcpus / { seconds = $2; for (i = 3; i <= NF; i++) cpus = cpus (i > 3 ? ", " : "") $i }
        END { printf "{\"label\": \"%s\", \"held\": %d, \"sunk\": %d, \"gbps\": %s, \"seconds\": %s, \"cpus\": [%s]}\n",
            label, value["held"], value["sunk"], value["gbps"], seconds, cpus }' <<<"$out" >>"$DATA"
}

"$H/lab.sh" >/dev/null
module
: >"$DATA"
for ((run = 0; run < RUNS; run++)); do
    one "stock, softirq" THREADED=0
    one "stock, threaded" THREADED=1
    for mode in softirq threaded inline; do
        one "ours, $mode" MODULE="$B/src/wireguard.ko" MODE=$mode
    done
done
"$H/percpu.py" --cores "$cores" --tunnels "$TUNNELS" --rate "$RATE" --packet "$PKT" --svg "$SVG" "$DATA"
