#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Process 1 of a guest once its root is mounted: loads the module, runs stages,
# looks for leaks, powers off. /wgi is the run's directory on the host:
#
#   guest.env   variables, see machine.sh
#   stages      one stage a line: NAME TIMEOUT FILE
#   selftests/  a copy of the project's, its programs built
#
# Events go to the host line by line, by a virtio port or a file:
#
#   S NAME TIMEOUT          a step or stage begins
#   R ok|not|skip NAME SECONDS REASON…
#   # TEXT                  for the reader
#   END                     all was done; the guest powers off

# shellcheck disable=SC1091 # guest.env is made for each run
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LC_ALL=C TERM=dumb
cd / || exit

set -a
. /wgi/guest.env
set +a
DYNDBG=/sys/kernel/debug/dynamic_debug/control
KMEMLEAK=/sys/kernel/debug/kmemleak
LOG=/run/kmsg.log

# port NAME: the device of a virtio port, or the file that stands for it.
port()
{
	local sys

	for sys in /sys/class/virtio-ports/*; do
		[ -e "$sys/name" ] && [ "$(<"$sys/name")" = "wgi.$1" ] &&
			echo "/dev/${sys##*/}" && return
	done
	echo "/wgi/$1"
}

exec 8>>"$(port events)"
event() { printf '%s\n' "$*" >&8; }
kmsg() { printf '<5>wgi: %s\n' "$*" >/dev/kmsg; }
result() { event R "$@"; kmsg "end $2 ($1)"; }

seconds()
{
	local up

	read -r up _ </proc/uptime
	echo "${up%.*}"
}

# tell FILE: the end of what a stage said, for the reader of the report.
tell()
{
	tail -n "${WGI_TAIL:-60}" "$1" | tr -cd '\11\12\40-\176' |
		cut -c1-300 | sed 's/^/#   /' >&8
}

# ------------------------------------------------------------- machine --

mount_rest()
{
	local modules

	mount -t debugfs debugfs /sys/kernel/debug
	mount -t tracefs tracefs /sys/kernel/tracing
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mkdir -p /run/netns /run/lock
	# Where the root has no modules of this kernel, the host says where they are.
	modules=$(sed -n 's/.*wgi\.modules=\([^ ]*\).*/\1/p' /proc/cmdline)
	if [ -n "$modules" ]; then
		mkdir -p /lib/modules
		ln -sfn "$modules" "/lib/modules/$(uname -r)"
	fi
	hostname "wgi-${WGI_ROLE:-a}"
	echo 1 >/proc/sys/kernel/sysrq
	# An error of the kernel must not stop it: what follows is to be seen.
	echo 0 >/proc/sys/kernel/printk_ratelimit
	# Nor may the lines be rationed in which objects come and go.
	echo 0 >/proc/sys/net/core/message_cost
	ip link set lo up
} >/run/mount.log 2>&1

# Two guests see each other on two cables, known by their MAC addresses: on
# link0 the tests, on ctl0 what one tells the other.
name_cables()
{
	local sys dev

	for sys in /sys/class/net/*; do
		dev=${sys##*/}
		case $(<"$sys/address") in
		52:54:00:00:0c:*) ip link set "$dev" name ctl0 ;;
		52:54:00:00:0d:*) ip link set "$dev" name link0 ;;
		esac
	done
	[ -e /sys/class/net/ctl0 ] || return 0
	ip addr add "$WGI_CTL_ADDRESS/24" dev ctl0
	ip link set ctl0 up
}

# hold_static_keys: the kernel rewrites its own code when the first user of
# something appears (time stamps, sockets of tunnels, packet filters, steering),
# and again when the last one is gone: with stages that come and go, several times
# a second, in functions through which every packet goes. QEMU's emulation with a
# thread per CPU sometimes gets that wrong: see emulators_fault in run.sh. So
# somebody uses all of them as long as the guest lives, in a namespace of its own.
hold_static_keys()
{
	local pid

	echo 1 >/sys/class/net/lo/queues/rx-0/rps_cpus || return
	unshare -n python3 /wgi/selftests/vm/hold.py >/run/hold.log 2>&1 &
	pid=$!
	until grep -qx held /run/hold.log; do
		kill -0 "$pid" || { cat /run/hold.log; return 1; }
		sleep 0.1
	done
	# Whatever the kernel trips over nevertheless ends the guest, at that place.
	echo 1 >/proc/sys/kernel/panic_on_oops
}

# keep_near COMMAND…: where the root is shared over 9p, to open a file takes many
# messages. To touch one of the overlay is to have it copied into this guest's
# memory, and with it the libraries that it needs.
keep_near()
{
	local name file

	grep -q 'wgi\.share=9p' /proc/cmdline || return 0
	for name; do
		file=$(command -v "$name") || continue
		readlink -f "$file"
		ldd "$file" | grep -o '/[^ ]*' | xargs -r readlink -f
	done 2>/dev/null | sort -u | xargs touch -c /etc/ld.so.cache
}

# follow_log: the kernel's log, all levels, to the host as it grows.
follow_log()
{
	# tee writes to the host first: what is in the file has reached it.
	stdbuf -oL dmesg --follow --nopager | tee "$LOG" >>"$(port kmsg)" &
}

# ------------------------------------------------------------- module --

module_depends()
{
	modinfo -F depends "$1" | tr ',' ' '
}

load_module()
{
	local dependency parameters=()

	[ "${WGI_DYNDBG:-1}" = 0 ] || parameters=(dyndbg=+p)
	if [ -z "${WGI_MODULE:-}" ]; then
		modprobe wireguard "${parameters[@]}"
		return
	fi
	for dependency in $(module_depends "$WGI_MODULE"); do
		modprobe "$dependency" || return
	done
	insmod "$WGI_MODULE" "${parameters[@]}" || return
	# A debug build starts with all of its messages on.
	[ "${WGI_DYNDBG:-1}" != 0 ] || [ ! -e "$DYNDBG" ] ||
		echo 'module wireguard -p' >"$DYNDBG"
}

# Every device of a stage is gone with its namespace, which the kernel takes
# down at its leisure: only when that is done can the module go.
unload_module()
{
	local limit

	limit=$(($(seconds) + ${WGI_UNLOAD_LIMIT:-60}))
	until modprobe -r wireguard 2>/run/rmmod.err ||
		rmmod wireguard 2>>/run/rmmod.err; do
		if [ "$(seconds)" -ge "$limit" ]; then
			cat /run/rmmod.err
			ip -br link
			return 1
		fi
		sleep 0.2
	done
}

# step NAME LIMIT COMMAND…: a step of this script that is reported like a stage.
step()
{
	local name=$1 limit=$2 began

	shift 2
	began=$(seconds)
	event S "$name" "$limit"
	kmsg "begin $name"
	if "$@" >/run/step.log 2>&1; then
		result ok "$name" $(($(seconds) - began))
		return 0
	fi
	tell /run/step.log
	result not "$name" $(($(seconds) - began))
	return 1
}

# ------------------------------------------------------------- stages --

# hanging PID: where the processes of a stage stand, for its report.
hanging()
{
	local pid

	for pid in $(ps -o pid= -s "$1"); do
		echo "-- pid $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
		cat "/proc/$pid/stack"
	done 2>/dev/null
}

# run_limited LIMIT COMMAND…: in a session of its own, which is killed as a
# whole when it takes too long; 124 then.
run_limited()
{
	local limit=$1 pid timer rc

	shift
	setsid "$@" </dev/null &
	pid=$!
	(
		trap 'kill "$nap" 2>/dev/null; exit' TERM
		sleep "$limit" &
		nap=$!
		wait "$nap"
		hanging "$pid"
		touch /run/timed-out
		pkill -KILL -s "$pid"
	) &
	timer=$!
	wait "$pid" 2>/dev/null
	rc=$?
	kill "$timer" 2>/dev/null
	wait "$timer" 2>/dev/null
	[ ! -e /run/timed-out ] || rc=124
	rm -f /run/timed-out
	return "$rc"
}

# sweep: what a stage left, which for one that was killed is to be expected.
sweep()
{
	local ns dev

	for ns in /run/netns/*; do
		[ -e "$ns" ] || continue
		event "#   left behind by $1: namespace ${ns##*/}"
		ip netns pids "${ns##*/}" | xargs -r kill -KILL
		ip netns del "${ns##*/}"
	done
	for dev in $(ip -o link show type wireguard | cut -d: -f2); do
		event "#   left behind by $1: device $dev"
		ip link del "$dev"
	done
}

run_stage()
{
	local name=$1 limit=$2 file=/wgi/selftests/$3 began took rc

	began=$(seconds)
	event S "$name" "$limit"
	kmsg "begin $name"
	run_limited "$limit" "$file" >/run/stage.log 2>&1
	rc=$?
	took=$(($(seconds) - began))
	case $rc in
	0)
		result ok "$name" "$took"
		[ -z "${WGI_VERBOSE:-}" ] || tell /run/stage.log
		;;
	4)
		result skip "$name" "$took" \
			"$(sed -n 's/^# SKIP *//p' /run/stage.log | tail -n 1)"
		;;
	124)
		tell /run/stage.log
		result not "$name" "$took" "no end within $limit s"
		;;
	*)
		tell /run/stage.log
		result not "$name" "$took" "exit status $rc"
		;;
	esac
	sweep "$name"
}

# ------------------------------------------------------------- watching --

kmemleak_clear()
{
	[ -e "$KMEMLEAK" ] || return 0
	echo scan=off >"$KMEMLEAK"
	echo scan >"$KMEMLEAK"
	echo clear >"$KMEMLEAK"
}

# kmemleak_kinds: one object of each kind (who asked for how much), and how many.
kmemleak_kinds()
{
	awk '
		function count() {
			if (object && !number[stack]++)
				sample[stack] = object
			object = stack = ""
			traced = 0
		}
		/^unreferenced object/ { count(); stack = $(NF - 1) " " $NF }
		{ object = object $0 "\n" }
		traced { stack = stack $0 }
		/backtrace/ { traced = 1 }
		END {
			count()
			for (stack in number)
				print number[stack] " of this kind:\n" sample[stack]
		}'
}

# An object must be five seconds old before kmemleak reports it, and a pointer
# to it may just be in a register: two scans, a while after the last free.
kmemleak_check()
{
	[ -e "$KMEMLEAK" ] || { echo "no kmemleak"; return 0; }
	sleep 6
	echo scan >"$KMEMLEAK"
	sleep 1
	echo scan >"$KMEMLEAK"
	cat "$KMEMLEAK" >/run/kmemleak
	kmemleak_kinds </run/kmemleak
	! grep -q '^unreferenced object' /run/kmemleak
}

# After its first finding lockdep is off, and would pass anything.
lockdep_check()
{
	[ -e /proc/lockdep_stats ] || return 0
	grep 'debug_locks' /proc/lockdep_stats
	grep -qE 'debug_locks: +1' /proc/lockdep_stats
}

# Dynamic debug has to show what the life-cycle check looks for.
lifecycle_visible()
{
	[ "${WGI_DYNDBG:-1}" = 0 ] && return 0
	ip link add wgi-life type wireguard || return
	ip link del wgi-life || return
	[ "$(dmesg | grep -cE 'wgi-life: Interface (created|destroyed)')" = 2 ]
}

# ------------------------------------------------------------- the run --

# serve: the second guest does what the first one asks for, until told to stop.
serve()
{
	ncat -lk "$WGI_CTL_ADDRESS" 7000 --sh-exec '/bin/bash -s 2>&1' &
	until [ -e /run/wgi-stop ]; do
		sleep 0.2
	done
	kill $!
}

# demo: stock, then each mode of our module, as demo.sh wants them; "D MODE …"
# hands on what the measuring script says.
demo()
{
	local mode word

	for mode in stock $WGI_DEMO_MODES; do
		word=$mode
		if [ "$mode" = stock ]; then
			word=-
		else
			unload_module
			WGI_MODULE=$WGI_OURS load_module
		fi
		/wgi/selftests/demo/guest.sh "$word" "$WGI_DEMO_SECS" 2>&1 |
			sed -u "s/^/D $mode /" >&8
	done
	unload_module
}

run_all()
{
	local name limit file

	if ! step load-module 300 load_module; then
		while read -r name limit file; do
			event R skip "$name" 0 "the module does not load"
		done </wgi/stages
		return
	fi
	if [ "${WGI_ROLE:-a}" = b ]; then
		step serve "${WGI_LIFETIME:-3600}" serve
		return
	fi
	if [ "${WGI_ROLE:-}" = demo ]; then
		demo
		return
	fi
	step life-cycle-visible 60 lifecycle_visible
	while read -r name limit file; do
		run_stage "$name" "$limit" "$file" </dev/null
	done </wgi/stages
	[ -z "${WGI_PEER_HOST:-}" ] ||
		echo 'touch /run/wgi-stop' | ncat "$WGI_PEER_HOST" 7000
	step unload-module 180 unload_module
	[ ! -e "$KMEMLEAK" ] || step kmemleak 300 kmemleak_check
	[ ! -e /proc/lockdep_stats ] || step lockdep-still-on 30 lockdep_check
}

mount_rest
keep_near awk bash cat chmod cp cut date diff dirname dmesg env ethtool grep head ip \
	iperf3 ldd mkdir mktemp ncat nft nsenter ping ps python3 readlink rm sed seq sleep \
	sort ss stat sysctl tail tc timeout touch tr unshare wc wg
name_cables
follow_log
kmemleak_clear
kmsg "guest begins"
event "# $(uname -sr), $(nproc) CPUs, $(free -m | awk '/^Mem/ { print $2 }') MB"
[ ! -e /proc/lockdep_stats ] || grep -qE 'debug_locks: +1' /proc/lockdep_stats ||
	event R not lockdep-on-at-start 0 "the kernel itself broke a rule at boot"
[ "${WGI_EMULATED:-0}" != 1 ] || step hold-static-keys 60 hold_static_keys
run_all
kmsg "guest ends"
event END
# The log's last lines have to be out before the power is.
until grep -q 'wgi: guest ends' "$LOG"; do sleep 0.1; done
sync
busybox poweroff -f
