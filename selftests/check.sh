#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run the tests, in guests that this script makes. What is missing is installed
# or built on the way, and kept in $WGI_CACHE (/var/cache/wireguard-inline).
#
#   check.sh             the suite on the debug kernel (user-mode-linux) and on
#                        Debian's 6.1, its core on 6.12 and 7.2
#   check.sh --all       the suite on each of these, and on the debug kernels
#   check.sh --debug     the suite on debug kernels in QEMU, debug-6.1, debug-7
#   --kernel K           only on K: uml, 6.1, 6.12, 7.2, debug-6.1, debug-7
#                        (may be given again); then the whole suite
#   --only STAGE         only this stage, by name, by its name without the
#                        number, or by a shell pattern (may be given again)
#   --stock              with the stock module, to see what the suite says of it
#   --machinery          can the runner see a failure? It is shown one of each
#   --list               the stages, with what they show
#   --verbose            with what passing stages said
#
# ON=host in the environment runs the stages right here, in this kernel, without
# a guest; it refuses if there is any WireGuard device.
#
# The result is KTAP; the last line is "N passed, N failed, N skipped". Exit
# status 0 only if nothing failed. Logs stay in a directory of each run's own in
# $WGI_CACHE/runs, until there are ten newer ones.

# shellcheck disable=SC1091,SC2034 # files beside this one use each other's
set -uo pipefail
export LC_ALL=C

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/vm/machine.sh"
. "$HERE/lib/ktap.sh"
. "$HERE/lib/run.sh"

STAGES=$HERE/stages
RUNS=$CACHE/runs/$(date +%Y%m%d-%H%M%S)-$$
ONLY=() KERNELS=() STOCK=0 WHAT=default VERBOSE=
PACKAGES="bc bison build-essential busybox-static conntrack cpio ethtool flex
	iperf3 iproute2 iptables iputils-ping kmod libelf-dev libmnl-dev libsodium-dev
	libssl-dev ncat nftables pkg-config procps python3 qemu-system-x86 socat tcpdump
	util-linux wireguard-go wireguard-tools xz-utils"

usage() { sed -n '4,28s/^# \{0,1\}//p' "$0"; }

while [ $# -gt 0 ]; do
	case $1 in
	--all | --debug | --machinery | --list) WHAT=${1#--} ;;
	--stock) STOCK=1 ;;
	--verbose) VERBOSE=1 ;;
	--kernel | --only)
		[ $# -ge 2 ] || { usage >&2; exit 2; }
		[ "$1" = --only ] && ONLY+=("$2") || KERNELS+=("$2")
		shift ;;
	--help | -h) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

list() {
	local name

	for name in $(all_stages); do
		printf '%-28s %s%s\n' "$name" "$(tag_of "$name" what)" \
			"$(tag_of "$name" needs | sed 's/^./ [&/; s/.$/&]/')"
	done
}

# install_packages: what Debian has and this machine has not.
install_packages() {
	local package
	local -a missing=()

	for package in $PACKAGES; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
			grep -qx installed || missing+=("$package")
	done
	[ "${#missing[@]}" -gt 0 ] || return 0
	ktap_note "installing ${missing[*]}"
	apt-get -qq -oDPkg::Lock::Timeout=600 update >&2 &&
		DEBIAN_FRONTEND=noninteractive apt-get -qq \
			-oDPkg::Lock::Timeout=600 install -y \
			--no-install-recommends "${missing[@]}" >"$CACHE/apt.log" 2>&1
}

# lane TARGET:SELECTION…: one after the other, in a process of its own.
lane() {
	local job

	trap 'machine_end "$MACHINE_PID"; machine_end "$SECOND_PID"; exit 1' \
		TERM INT HUP
	for job; do
		case $job in
		lint) static_rules ;;
		*) target_run "${job%:*}" "${job#*:}" ;;
		esac
	done
	tell_note "done"
}

# all_lanes LANE…: beside each other; what they tell goes to standard output.
all_lanes() {
	local lane
	local -a pids=()

	exec 3>&1 >/dev/null
	for lane; do
		# shellcheck disable=SC2086 # one job per word
		lane ${lane//,/ } &
		pids+=($!)
	done
	trap 'kill "${pids[@]}"' TERM INT HUP
	wait "${pids[@]}"
}

# report LANE…: run the lanes and say what they tell. A lane is one word:
# TARGET:SELECTION,TARGET:SELECTION,lint
report() {
	local kind name remark

	exec {told}< <(all_lanes "$@")
	LANES=$!
	trap 'kill "$LANES"; exit 1' TERM INT HUP
	while IFS=$'\t' read -r kind name remark <&"$told"; do
		case $kind in
		ok) ktap_pass "$name" "$remark" ;;
		not) ktap_fail "$name" "$remark" ;;
		skip) ktap_skip "$name" "$remark" ;;
		note) ktap_note "$name" ;;
		esac
	done
}

main_lanes() {
	local kernel
	local -a lanes=()

	if [ "${#KERNELS[@]}" -gt 0 ]; then
		for kernel in "${KERNELS[@]}"; do
			lanes+=("$kernel:all")
		done
		report "$(IFS=,; echo "${lanes[*]}")"
		return
	fi
	# A lane keeps about one of two CPUs busy.
	case $WHAT in
	default) report uml:all 6.1:all,6.12:core,7.2:core,lint ;;
	debug) report debug-6.1:all,debug-7:all ;;
	all) report uml:all,debug-6.1:all,debug-7:all \
		6.1:all,6.12:all,7.2:all,lint ;;
	esac
}

# In a function, so that the script may change while it runs.
main() {
	if [ "$WHAT" = list ]; then
		list
		exit
	fi
	[ "$(id -u)" = 0 ] || { echo "the tests need root" >&2; exit 1; }
	mkdir -p "$RUNS"
	find "$CACHE/runs" -mindepth 1 -maxdepth 1 -type d -name '2*-*-*' |
		sort | head -n -11 | xargs -r rm -rf
	. "$HERE/variants/inline.sh"
	MODE=$WGI_MODE
	[ "$STOCK" = 0 ] || MODE=
	ktap_begin
	ktap_note "logs in $RUNS"
	install_packages ||
		{ ktap_fail packages "see $CACHE/apt.log"; ktap_end; exit 1; }
	if [ "$WHAT" = machinery ]; then
		. "$HERE/lib/machinery.sh"
		machinery
	elif [ "${ON:-}" = host ]; then
		. "$HERE/lib/host.sh"
		host_run
	else
		main_lanes
	fi
	ktap_end
	exit
}

main
