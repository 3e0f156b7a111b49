#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh [-c CPUS] [-m MEM] SCRIPT [ARG...] — boot the lab kernel with this machine's / as its (read-only) root, run
# SCRIPT inside as root, power off. /run and /tmp2 are writable tmpfs. A script prints "MARK start" and "MARK end" round
# what it measures; the CPU time that the whole lab kernel used between the two is then printed as "hostcpu", and as
# "vcpus" the real seconds that each of its CPUs, which are threads here, was running, after the seconds that passed.
set -u
LAB=${UML_LAB:-${WGI_CACHE:-/var/cache/wireguard-inline}/bench} CPUS=2 MEM=3G
while getopts c:m: o; do case $o in c) CPUS=$OPTARG;; m) MEM=$OPTARG;; *) exit 2;; esac; done
shift $((OPTIND - 1)); [ $# -ge 1 ] || { sed -n '3,5p' "$0"; exit 2; }
script=$(readlink -f "$1"); shift
init=$(mktemp); fifo=$(mktemp -u); mkfifo "$fifo"; pid=; trap '[ -n "$pid" ] && kill -9 -- -$pid 2>/dev/null; rm -f "$init" "$fifo"' EXIT; trap 'exit 1' TERM INT
{ printf '#!/bin/bash\nexport PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TMPDIR=/run HOME=/run LAB=%q\n' "$LAB"
  env | grep -E '^(MODULE|MODE|WIRE|THREADED|TUNNELS|RATE|SECS|PKT|RPS|STREAMS|PARAMS|HOLD)=' | sed 's/^/export /; s/=\(.*\)/="\1"/'
  printf 'mount -t proc p /proc; mount -t sysfs s /sys; mount -t tmpfs t /run; ip link set lo up\n'
  printf 'bash %q' "$script"; printf ' %q' "$@"; printf '\necho "exit $?"\n/bin/busybox poweroff -f\n'; } >"$init"
chmod +x "$init"
# vcpus: nanoseconds run by each virtual CPU so far; they are the first threads that the kernel started.
vcpus() {
    local t n; local -a f
    for t in /proc/$pid/task/*; do read -ra f <"$t/stat" && echo "${f[21]} ${t##*/}"; done | sort -n | head -n "$CPUS" |
        while read -r _ t; do read -r n _ <"/proc/$pid/task/$t/schedstat" && echo "$n"; done
}
ticks() { awk '{print $14 + $15}' "/proc/$1/stat" 2>/dev/null || echo 0; }
TMPDIR=/dev/shm setsid "$LAB/linux" seccomp=on ncpus="$CPUS" mem="$MEM" root=/dev/root rootfstype=hostfs rootflags=/ ro init="$init" \
    con=null con0=fd:0,fd:1 quiet </dev/null >"$fifo" 2>&1 &
pid=$!  # its own process group: everything the lab started dies with it
while IFS= read -r line; do
    line=${line%$'\r'}; printf '%s\n' "$line"
    case $line in
    *"MARK start"*) a=$(ticks $pid); v=$(vcpus); ta=$(date +%s.%N) ;;
    *"MARK end"*) tb=$(date +%s.%N) w=$(vcpus)
        awk -v a="$a" -v b="$(ticks $pid)" 'BEGIN{printf "hostcpu %.2f\n", (b-a)/100}'
        paste <(echo "$v") <(echo "$w") | awk -v s="$ta" -v e="$tb" '{o = o sprintf(" %.3f", ($2 - $1) / 1e9)} END{printf "vcpus %.3f%s\n", e - s, o}' ;;
    exit\ *) rc=${line#exit } ;;
    esac
done <"$fifo"
wait $pid; exit "${rc:-1}"
