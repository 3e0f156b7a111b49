#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Show the module at work: two gateways, four tunnels, TCP through all of them,
# first with the stock module, then with this one; a table at the end. Builds
# the module and runs it in a throw-away guest.
#
#   KERNEL=6.1   the guest's kernel: 6.1, 6.12 or 7.2
#   CPUS=2       its CPUs
#   SECS=8       seconds of traffic for each line of the table
#   MODES=inline the modes to show beside stock
#   ON=host      no guest: in the running kernel, with its headers. Refused if
#                there is any WireGuard device
#
# What is missing is installed; downloads stay in $WGI_CACHE (by default
# /var/cache/wireguard-inline).

# shellcheck disable=SC1091 # files beside this one
set -euo pipefail
export LC_ALL=C

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/vm/machine.sh"
. "$HERE/lib/devices.sh"
. "$HERE/lib/packages.sh"

KERNEL=${KERNEL:-6.1}
CPUS=${CPUS:-2}
SECS=${SECS:-8}
MODES=${MODES:-inline}
PACKAGES="build-essential iperf3 iproute2 iputils-ping kmod wireguard-tools"
GUEST_PACKAGES="busybox-static cpio qemu-system-x86"
TABLE=()
MACHINE_PID=

say() { printf '%s\n' "$*"; }
die() { say "demo: $*" >&2; exit 1; }

case ${1:-} in
'') ;;
-h | --help) sed -n '4,16s/^# \{0,1\}//p' "$0"; exit ;;
*) say "demo: there is no option $1; see --help" >&2; exit 2 ;;
esac

install_packages()
{
	local -a missing

	mapfile -t missing < <(packages_missing "$@")
	[ "${#missing[@]}" -gt 0 ] || return 0
	say "Installing ${missing[*]}"
	mkdir -p "$CACHE"
	packages_install "${missing[@]}" 2>"$CACHE/apt.log" ||
		die "apt-get failed, see $CACHE/apt.log"
}

# heard NAME LINE: what the measuring script says, as progress or as a result.
heard()
{
	local gbit busy

	case $2 in
	'STEP '*) say "  $1: ${2#STEP }" ;;
	'RESULT '*)
		read -r _ gbit busy <<<"$2"
		TABLE+=("$1 $gbit $busy") ;;
	*) say "  $1: $2" ;;
	esac
}

print_table()
{
	local row name gbit busy cpu head=''

	[ "${#TABLE[@]}" -gt 0 ] || die "nothing was measured"
	read -r _ _ busy <<<"${TABLE[0]}"
	cpu=0
	for _ in $busy; do
		head+=$(printf '%8s' "CPU $cpu")
		cpu=$((cpu + 1))
	done
	say
	say "Four tunnels between two gateways, one TCP stream in each; $WHERE"
	printf '%-12s %8s %s\n' mode Gbit/s "$head"
	for row in "${TABLE[@]}"; do
		read -r name gbit busy <<<"$row"
		printf '%-12s %8s ' "$name" "$gbit"
		for cpu in $busy; do printf '%7s%%' "$cpu"; done
		echo
	done
	[ -z "${EMULATED:-}" ] || say "emulated: the guest's CPUs are software," \
		"vector ciphers most of all; compare rows, not with real machines"
	say
}

# ------------------------------------------------------------- in a guest --

run_in_guest()
{
	local run=$CACHE/runs/demo kernel module line mode at=0 size seen=''

	say "Getting Linux $KERNEL (kept in $CACHE)"
	kernel=$(machine_get "$KERNEL")
	say "Building the module for $(<"$kernel/release")"
	mkdir -p "$CACHE/build/demo-$KERNEL"
	module=$(machine_build "$KERNEL" "$CACHE/build/demo-$KERNEL" \
		2>"$CACHE/build/demo.log") ||
		die "it does not build, see $CACHE/build/demo.log"
	rm -rf "$run"
	mkdir -p "$run"
	cp -a "$HERE" "$run/selftests"
	cp "$module" "$run/wireguard.ko"
	cat >"$run/guest.env" <<-END
		WGI_ROLE=demo
		WGI_DYNDBG=0
		WGI_MODULE=
		WGI_OURS=/wgi/wireguard.ko
		WGI_DEMO_SECS=$SECS
		WGI_DEMO_MODES="$MODES"
	END
	: >"$run/stages"
	EMULATED=
	! machine_emulated "$KERNEL" || EMULATED=yes
	WHERE="guest with Linux $(<"$kernel/release"), $CPUS CPUs${EMULATED:+, emulated}"
	say "Booting a $WHERE"
	MACHINE_CPUS=$CPUS MACHINE_MEM=1024 machine_start "$KERNEL" "$run"
	trap 'machine_end "$MACHINE_PID"' EXIT
	trap 'exit 1' INT TERM
	while kill -0 "$MACHINE_PID" 2>/dev/null || [ "$at" -lt \
			"$(stat -c %s "$run/events")" ]; do
		size=$(stat -c %s "$run/events")
		while [ "$at" -lt "$size" ] && IFS= read -r line; do
			at=$((at + ${#line} + 1))
			case $line in
			'D '*) mode=${line#D } mode=${mode%% *}
				heard "$mode" "${line#"D $mode "}" ;;
			'# '*) say "  ${line#'# '}" ;;
			END) seen=1 ;;
			esac
		done < <(tail -c "+$((at + 1))" "$run/events" | head -c $((size - at)))
		[ -z "$seen" ] || break
		[ "$SECONDS" -lt "${DEMO_LIMIT:-900}" ] || die "took too long; see $run"
		sleep 0.2
	done
	[ -n "$seen" ] || die "the guest died; see $run/console"
	"$VM/scan.sh" "$run/console" "$run/kmsg" ||
		die "the guest's kernel complained; see $run"
}

# ------------------------------------------------------------ on the host --

run_on_host()
{
	local release module loaded='' mode

	release=$(uname -r)
	[ -z "$(wireguard_devices)" ] ||
		die "this machine has WireGuard devices; it is left alone"
	[ -e "/lib/modules/$release/build" ] ||
		install_packages "linux-headers-$release"
	say "Building the module for $release"
	copy_sources "$PROJECT" "$CACHE/build/demo-host"
	make -C "$CACHE/build/demo-host" module >"$CACHE/build/demo.log" 2>&1 ||
		die "it does not build, see $CACHE/build/demo.log"
	module=$CACHE/build/demo-host/src/wireguard.ko
	[ ! -d /sys/module/wireguard ] || loaded=yes
	WHERE="this machine, Linux $release"
	trap 'host_restore "$loaded"' EXIT
	trap 'exit 1' INT TERM
	for mode in stock $MODES; do
		[ ! -d /sys/module/wireguard ] || rmmod wireguard
		if [ "$mode" = stock ]; then
			modprobe wireguard
		else
			for dependency in $(modinfo -F depends "$module" | tr , ' '); do
				modprobe "$dependency"
			done
			insmod "$module"
		fi
		measure_here "$mode"
	done
}

# Leave the machine with the module that it had, if it had one.
host_restore()
{
	[ ! -d /sys/module/wireguard ] || rmmod wireguard
	[ -z "$1" ] || modprobe wireguard
}

measure_here()
{
	local word=$1 line

	[ "$word" != stock ] || word=-
	while IFS= read -r line; do
		heard "$1" "$line"
	done < <("$HERE/demo/guest.sh" "$word" "$SECS" 2>&1)
}

[ "$(id -u)" = 0 ] || die "needs root (sudo make demo)"
# shellcheck disable=SC2046,SC2086 # one package per word
install_packages $PACKAGES $([ "${ON:-}" = host ] || echo "$GUEST_PACKAGES")
if [ "${ON:-}" = host ]; then
	run_on_host
else
	run_in_guest
fi
print_table
