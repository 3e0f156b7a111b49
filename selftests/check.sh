#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run the tests, in guests that this script makes. What is missing is installed
# or built on the way, and kept in $WGI_CACHE (/var/cache/wireguard-inline).
#
#   check.sh             the suite, but for what loads a machine for minutes, on
#                        the debug kernel (user-mode-linux) and, but for what
#                        takes long or does not depend on the kernel, on Debian's
#                        6.1; its core on 6.12 and 7.2; in the other modes than the
#                        first its core on the debug kernel, and on 6.1 what
#                        depends on the mode most
#   check.sh --all       the suite on each of these, in each mode: hours
#   check.sh --debug     what runs on uml, on debug kernels in QEMU, debug-6.1 and
#                        debug-7
#   --kernel K           only on K: uml, 6.1, 6.1-rt, 6.12, 7.2, debug-6.1, debug-7
#                        (may be given again); then the whole suite
#   --core               of that, the core only
#   --continue           what passed in an earlier run of exactly this tree is told
#                        again and not run
#   --mode M             only in mode M (may be given again)
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
# A stage that fails beside others has a second go, alone, which the report says.
# With WGI_MINUTES=N in the environment, what has not begun N minutes after the start
# is skipped, and the report says so: a run that is stopped from outside as it takes
# too long reports nothing.
#
# The result is KTAP; the last line is "N passed, N failed, N skipped". Exit
# status 0 only if nothing failed. Logs stay in a directory of each run's own in
# $WGI_CACHE/runs, until there are ten newer ones.

# shellcheck disable=SC1090,SC1091,SC2034,SC2317 # files use each other's
set -uo pipefail
export LC_ALL=C

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/vm/machine.sh"
. "$HERE/lib/ktap.sh"
. "$HERE/lib/packages.sh"
. "$HERE/lib/run.sh"

STAGES=$HERE/stages
TARGETS="uml 6.1 6.1-rt 6.12 7.2 debug-6.1 debug-7"
RUNS=$CACHE/runs/$(date +%Y%m%d-%H%M%S)-$$
ONLY=() KERNELS=() MODES=() SELECTION='' STOCK=0 WHAT=default VERBOSE='' CONTINUE=''
# A stage that failed while other guests kept the machine busy has a second go with
# the machine to itself, unless there are more of them.
SECOND_GOES_MAX=6
WAITING='[ -]waits '
# How many guests that mostly wait there may be beside the others.
WAITERS=1
PACKAGES="bc bison build-essential busybox-static conntrack cpio dkms ethtool flex git
	iperf3 iproute2 iptables iputils-ping kmod libc6-dbg libelf-dev libkmod-dev libmnl-dev
	libsodium-dev libssl-dev ncat nftables pkg-config procps python3 qemu-system-x86 socat tcpdump
	util-linux valgrind wireguard-go wireguard-tools xz-utils"

usage() { sed -n '4,39s/^# \{0,1\}//p' "$0"; }
wrong() { echo "check.sh: $*; see --help" >&2; exit 2; }

while [ $# -gt 0 ]; do
	case $1 in
	--all | --debug) WHAT=${1#--} WAITERS=3 ;;
	--machinery | --list) WHAT=${1#--} ;;
	--stock) STOCK=1 ;;
	--core) SELECTION=core ;;
	--continue) CONTINUE=1 ;;
	--verbose) VERBOSE=1 ;;
	--kernel | --only | --mode)
		[ $# -ge 2 ] || wrong "$1 wants a word behind it"
		case $1 in
		--kernel) KERNELS+=("$2") ;;
		--only) ONLY+=("$2") ;;
		--mode) MODES+=("$2") ;;
		esac
		shift ;;
	--help | -h) usage; exit 0 ;;
	*) wrong "there is no option $1" ;;
	esac
	shift
done

# any_stage PATTERN
any_stage() {
	local name

	for name in $(all_stages); do
		! matches "$name" "$1" || return 0
	done
	return 1
}

# look_at_words: are there such kernels, modes, stages? Else what was asked for would
# be missing from a report that says that nothing failed.
look_at_words() {
	local word

	for word in "${KERNELS[@]}"; do
		[[ " $TARGETS " == *" $word "* ]] ||
			wrong "--kernel: there is no $word, but $TARGETS"
	done
	for word in "${MODES[@]}"; do
		[ -e "$HERE/variants/$word.sh" ] || wrong "--mode: there is no $word"
	done
	for word in "${ONLY[@]}"; do
		any_stage "$word" || wrong "--only: no stage is called $word"
	done
}

list() {
	local name

	for name in $(all_stages); do
		printf '%-28s %s%s\n' "$name" "$(tag_of "$name" what)" \
			"$(tag_of "$name" needs | sed 's/^./ [&/; s/.$/&]/')"
	done
}

# install_packages: what Debian has and this machine has not.
install_packages() {
	local -a missing

	# shellcheck disable=SC2086 # a word for each
	mapfile -t missing < <(packages_missing $PACKAGES)
	[ "${#missing[@]}" -gt 0 ] || return 0
	ktap_note "installing ${missing[*]}"
	packages_install "${missing[@]}" 2>"$CACHE/apt.log"
}

# ----------------------------------------------------------- who does what --
#
# A job is a line "TARGET MODE GROUP SELECTION": the stages of a group, in a
# guest. Jobs that work wait in one queue; those of stages that mostly wait, for
# timers to run out, wait in another one, which has workers of its own.

# modes: "inline" first, which is the one with all stages.
modes() {
	local file

	if [ "$STOCK" = 1 ]; then
		echo -
	elif [ "${#MODES[@]}" -gt 0 ]; then
		printf '%s\n' "${MODES[@]}"
	else
		for file in "$HERE"/variants/*.sh; do
			(. "$file" && echo "$WGI_MODE")
		done
	fi
}

# other_modes: without the first one.
other_modes() { modes | tail -n +2; }

# jobs_of TARGET SELECTION MODE…: all groups
jobs_of() {
	local target=$1 selection=$2 mode group

	shift 2
	for mode; do
		for group in main waits pair pair-waits tool scale; do
			echo "$target $mode $group $selection"
		done
	done
}

# The plans: what takes longest comes first, but for --all, where what is known
# soonest does.
plan_default() {
	local first mode
	local -a others

	first=$(modes | head -n 1)
	mapfile -t others < <(other_modes)
	jobs_of uml most "$first"
	jobs_of 6.1 short "$first"
	jobs_of 7.2 core "$first"
	jobs_of 6.12 core "$first"
	echo lint
	jobs_of uml core-again "${others[@]}"
	jobs_of 6.1 modes "${others[@]}"
	echo tools
	echo dkms
	echo model
}

# What uml has in the default plan.
plan_debug() {
	local target first

	first=$(modes | head -n 1)
	for target in debug-6.1 debug-7; do
		jobs_of "$target" most "$first"
	done
	for target in debug-6.1 debug-7; do
		# shellcheck disable=SC2046 # a word for each
		jobs_of "$target" core-again $(other_modes)
	done
}

plan_all() {
	local mode target

	echo lint
	echo tools
	echo model
	echo dkms
	for mode in $(modes); do
		for target in 6.1 uml 7.2 6.12; do
			jobs_of "$target" all "$mode"
		done
	done
}

plan() {
	local kernel
	local -a modes=("${MODES[@]}")

	if [ "${#KERNELS[@]}" -eq 0 ]; then
		# What is no stage is not asked for either.
		"plan_$WHAT" | if [ "${#ONLY[@]}" -gt 0 ]; then grep ' '; else cat; fi
		return
	fi
	[ "${#modes[@]}" -gt 0 ] || modes=("$(modes | head -n 1)")
	for kernel in "${KERNELS[@]}"; do
		jobs_of "$kernel" "${SELECTION:-all}" "${modes[@]}"
	done
}

# next_job QUEUE: the first line of that file, which it takes off.
next_job() {
	local lock

	exec {lock}>"$1.lock"
	flock "$lock"
	[ -s "$1" ] && head -n 1 "$1" && sed -i 1d "$1"
}

# tree_hash: of every file of the tree, as it is now
tree_hash() {
	(cd "$PROJECT" && git ls-files -coz --exclude-standard | sort -z |
		xargs -0 sha256sum | sha256sum | cut -c1-16)
}

# passed_records: the directory of what passed with this tree, by job; it prints
# nothing where that cannot be said, or where jobs are not whole.
passed_records() {
	local tree old

	[ "${#ONLY[@]}" = 0 ] && [ "$STOCK" = 0 ] || return 0
	tree=$(tree_hash 2>/dev/null) || return 0
	mkdir -p "$CACHE/passed/$tree"
	touch "$CACHE/passed/$tree"
	# shellcheck disable=SC2012 # names are hashes
	ls -t "$CACHE/passed" | tail -n +4 | while read -r old; do
		rm -rf "${CACHE:?}/passed/$old"
	done
	echo "$CACHE/passed/$tree"
}

# all_passed FILE: something did, nothing failed, and no stage waits for a second
# go, or was skipped because its guest was not there.
all_passed() {
	grep -q '^ok' "$1" && ! grep -qE '^(not|again)' "$1" &&
		! grep -E '^skip' "$1" | grep -qE 'nothing to run|its guest did|not begun'
}

# job_once JOB: run it, or tell again what it told when all of it passed.
job_once() {
	local record=$PASSED/${1// /_} line

	if [ -z "$PASSED" ]; then
		job_run "$1"
		return
	fi
	if [ -n "$CONTINUE" ] && [ -e "$record" ]; then
		while IFS= read -r line; do printf '%s\n' "$line" >&3; done <"$record"
		return
	fi
	SAID=$RUNS/said-${1// /_}
	: >"$SAID"
	job_run "$1" && all_passed "$SAID" &&
		[ "$(tree_hash)" = "${PASSED##*/}" ] && mv "$SAID" "$record"
	SAID=/dev/null
}

# worker QUEUE: one job after the other, in a process of its own.
worker() {
	local job

	trap 'machine_end "$MACHINE_PID"; machine_end "$SECOND_PID"; exit 1' \
		TERM INT HUP
	while job=$(next_job "$1"); do
		job_once "$job"
	done
}

# workers: a guest keeps more than one CPU busy now and then, and has to be given
# its memory.
workers() {
	local memory count

	memory=$(awk '/^MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
	count=$(nproc)
	[ "$count" -le $((memory / 4)) ] || count=$((memory / 4))
	echo $((count < 1 ? 1 : count))
}

# all_workers: beside each other; what they tell goes to standard output.
all_workers() {
	local n
	local -a pids=()

	exec 3>&1 >/dev/null
	for ((n = $(workers); n > 0; n--)); do
		worker "$RUNS/queue" &
		pids+=($!)
	done
	for ((n = WAITERS; n > 0; n--)); do
		worker "$RUNS/queue-waits" &
		pids+=($!)
	done
	trap 'kill "${pids[@]}" 2>/dev/null; wait; exit 1' TERM INT HUP
	wait "${pids[@]}"
	second_goes &
	pids=($!)
	wait "${pids[@]}"
}

# second_goes: the stages that failed beside others, one by one. Where many did, it
# was not for want of time.
second_goes() {
	local group stage reason count

	count=$(wc -l <"$AGAIN")
	if [ "$count" -le "$SECOND_GOES_MAX" ]; then
		AGAIN='' PASSED='' WGI_MINUTES='' worker "$RUNS/again"
		return
	fi
	while read -r TARGET MODE group stage reason; do
		LABEL="$TARGET $MODE"
		tell_result not "$group/${stage#=}" "$reason"
	done <"$AGAIN"
}

# report: carry out the plan and say what the workers tell.
report() {
	local kind name remark
	local -a steadied=()

	PASSED=$(passed_records)
	if [ -n "$CONTINUE" ] && [ -z "$PASSED" ]; then
		ktap_fail continue "only for whole jobs of a tree that git knows"
		return
	fi
	plan >"$RUNS/plan"
	AGAIN=$RUNS/again
	: >"$AGAIN"
	grep -E "$WAITING" "$RUNS/plan" >"$RUNS/queue-waits"
	grep -vE "$WAITING| scale " "$RUNS/plan" >"$RUNS/queue"
	grep ' scale ' "$RUNS/plan" >>"$RUNS/queue"
	exec {told}< <(all_workers)
	WORKERS=$!
	trap 'kill "$WORKERS"; exit 1' TERM INT HUP
	while IFS=$'\t' read -r kind name remark <&"$told"; do
		case $kind in
		ok)
			ktap_pass "$name" "$remark"
			[[ ! $name =~ again/.*[0-9]+- ]] || steadied+=("$name") ;;
		not) ktap_fail "$name" "$remark" ;;
		skip) ktap_skip "$name" "$remark" ;;
		note) ktap_note "$name" ;;
		esac
	done
	[ "${#steadied[@]}" = 0 ] || printf '# second go: %s\n' "${steadied[@]}"
}

# prune_runs: of those that are over, ten may stay.
prune_runs() {
	local run

	find "$CACHE/runs" -mindepth 1 -maxdepth 1 -type d -name '2*-*-*' |
		sort | head -n -11 | while read -r run; do
			in_use "$run" || rm -rf "$run"
		done
}

# in_use RUN: its runner holds that lock for as long as it lives.
in_use() {
	[ -e "$1/alive" ] && ! flock -n "$1/alive" true
}

# In a function, so that the script may change while it runs.
main() {
	local alive

	read_tags
	if [ "$WHAT" = list ]; then
		list
		exit
	fi
	look_at_words
	[[ ${WGI_MINUTES:-1} =~ ^[1-9][0-9]*$ ]] ||
		wrong "WGI_MINUTES wants a number of minutes, not $WGI_MINUTES"
	[ "$(id -u)" = 0 ] || { echo "the tests need root" >&2; exit 1; }
	mkdir -p "$RUNS"
	exec {alive}>"$RUNS/alive"
	flock "$alive"
	prune_runs
	MODE=$(modes | head -n 1)
	MODE=${MODE#-}
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
		report
	fi
	ktap_end
	exit
}

main
