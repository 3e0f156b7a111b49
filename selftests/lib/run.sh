# shellcheck shell=bash disable=SC2034 # some are read by machine.sh
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by check.sh: one job, from building the module to reading the guests'
# logs. Runs in a process of its own and tells its parent what happened by lines
# on descriptor 3:
#
#   ok|not|skip <tab> NAME <tab> REMARK          note <tab> TEXT

# What the job that runs has told so far; "again" there: of a second go it is not known.
SAID=/dev/null

tell_result() {
	printf '%s\t%s\t%s\n' "$1" "$LABEL: $2" "${*:3}" | tee -a "$SAID" >&3
}
tell_note() { printf 'note\t%s\n' "$LABEL: $*" >&3; }

# file_of STAGE: relative to selftests/.
file_of() {
	echo "${STAGES#"$HERE/"}/$1.sh"
}

SECOND_PID=

# What the header lines "# KEY: …" of a stage say, by "STAGE KEY", and the kind of
# guest that it runs in, by "STAGE group". Read once: each job asks for all of them.
declare -A TAGS

read_tags() {
	local line name key

	TAGS=()
	while IFS= read -r line; do
		name=${line%%.sh:*} line=${line#*.sh:\# }
		key=${line%%: *}
		[ -n "${TAGS[$name $key]:-}" ] || TAGS[$name $key]=${line#*: }
	done < <(cd "$STAGES" && grep -E '^# (what|needs|timeout): ' ./*.sh | cut -c3-)
	for name in $(all_stages); do
		TAGS[$name group]=$(group_of "$name")
	done
}

# tag_of STAGE KEY
tag_of() {
	echo "${TAGS[$1 $2]:-}"
}

# has_tag STAGE WORD: does its line "# needs:" name WORD?
has_tag() {
	[[ " ${TAGS[$1 needs]:-} " == *" $2 "* ]]
}

# limit_of STAGE: seconds that it may take on this target.
limit_of() {
	local limit

	limit=$(tag_of "$1" timeout)
	limit=${limit%%[!0-9]*}
	if [ -z "$limit" ]; then
		limit=60
		! has_tag "$1" slow || limit=400
		! has_tag "$1" two-guests || limit=$((limit + 200))
	fi
	echo $((limit * SLOW))
}

# matches STAGE PATTERN: with or without its number
matches() {
	# shellcheck disable=SC2053 # patterns are meant
	[[ $1 == $2 || $1 == *-$2 ]]
}

# selected STAGE: is it asked for?
selected() {
	local pattern

	[ "${#ONLY[@]}" -gt 0 ] || return 0
	for pattern in "${ONLY[@]}"; do
		! matches "$1" "$pattern" || return 0
	done
	return 1
}

# in_selection STAGE SELECTION: =NAME, that stage alone; all; core, what is in the
# file of that name; core-again, the same without what does not depend on the mode;
# most, all but what loads the machine for minutes; short, without what takes long or
# does not depend on the kernel, too; modes, what depends on the mode most.
in_selection() {
	case $2 in
	=*) [ "$1" = "${2#=}" ] || return ;;
	core*) grep -qxF "$1" "$HERE/core" || return ;;
	esac
	case $2 in
	core-again) ! has_tag "$1" once ;;
	most) ! has_tag "$1" stress ;;
	short) ! has_tag "$1" stress && ! has_tag "$1" long && ! has_tag "$1" user ;;
	modes) has_tag "$1" modes ;;
	esac
}

# group_of STAGE: the kind of guest that it runs in.
group_of() {
	if has_tag "$1" two-guests; then
		has_tag "$1" waits && echo pair-waits || echo pair
	elif has_tag "$1" scale; then
		echo scale
	elif has_tag "$1" tool; then
		echo tool
	elif has_tag "$1" waits; then
		echo waits
	else
		echo main
	fi
}

all_stages() {
	local file

	for file in "$STAGES"/*.sh; do
		file=${file##*/}
		[ ! -x "$STAGES/$file" ] || echo "${file%.sh}"
	done
}

# ------------------------------------------------------------ one guest --

# sanitized: the command built with ASan and UBSan, where the guest's root is always
# this machine's, which has their libraries.
sanitized() {
	[ "$TARGET-$GROUP" != uml-tool ] || echo /wgi/selftests/tools/out/asan/wg-inline
}

# prepare_run DIR STAGE…: what a guest finds in /wgi.
prepare_run() {
	local run=$1 name module=''

	shift
	mkdir -p "$run"
	cp -a "$SUITE" "$run/selftests" || return
	[ -z "${MODULE:-}" ] || module=/wgi/wireguard.ko
	[ -z "$module" ] || cp "$MODULE" "$run/wireguard.ko" || return
	for name; do
		echo "$name $(limit_of "$name") $(file_of "$name")"
	done >"$run/stages"
	cat >"$run/guest.env" <<-END
		WGI_KERNEL=$TARGET
		WGI_MODULE=$module
		WGI_MODE=$MODE
		WGI_FACTOR=$SLOW
		WGI_EMULATED=$EMULATED
		WGI_VERBOSE=${VERBOSE:-}
		WGI_TOOL=$(sanitized)
	END
}

# follow RUN PID: pass the guest's events on until it ends. Sets FINISHED (stages
# with a result), CURRENT (one that began and did not end), ENDED. Nothing is forked
# to look whether there is more: that took a tenth of a CPU for each guest.
follow() {
	local run=$1 pid=$2 line part='' events alive=1 limit=$((60 * SLOW)) since

	FINISHED=0 CURRENT='' ENDED=''
	since=$SECONDS
	exec {events}<"$run/events"
	while :; do
		# What a dead guest wrote is read once more, to the end.
		kill -0 "$pid" 2>/dev/null || alive=0
		while IFS= read -r line <&"$events"; do
			since=$SECONDS
			one_event "$part$line"
			part=''
		done
		part+=$line
		[ "$alive" = 1 ] || break
		if [ $((SECONDS - since)) -gt "$limit" ]; then
			tell_note "no sign of life for $limit s: stopping the guest"
			break
		fi
		[ -z "$ENDED" ] || [ $((SECONDS - since)) -lt 60 ] || break
		sleep 0.5
	done
	exec {events}<&-
}

# one_event "KIND REST", see guest.sh: how long until the next is follow()'s to wait.
one_event() {
	local kind=${1%% *} rest=${1#* }

	case $kind in
	S) CURRENT=${rest%% *} limit=$((${rest#* } + 60)) ;;
	R) one_result "$rest"; CURRENT='' limit=$((60 * SLOW)) ;;
	'#') tell_note "${rest}" ;;
	END) ENDED=1 ;;
	esac
}

# is_step NAME: one of the guest's own, not a stage.
is_step() {
	case $1 in
	boot | hold-* | load-module | unload-module | kmemleak | lockdep-* | \
		life-cycle-*) ;;
	*) return 1 ;;
	esac
}

# A stage that failed while other guests kept the machine busy has a second go when
# they are gone. With $AGAIN, the file of those, empty, it has none.
AGAIN=''

# failed NAME REASON
failed() {
	if [ -z "$AGAIN" ] || is_step "$1"; then
		tell_result not "$PREFIX$1" "$2"
		return
	fi
	echo "$TARGET ${MODE:--} $GROUP =$1 $2" >>"$AGAIN"
	echo again >>"$SAID"
	tell_note "$PREFIX$1: failed, $2; second go when the machine is quiet"
}

# one_result "VERDICT NAME SECONDS REASON…"
one_result() {
	local verdict name took reason

	read -r verdict name took reason <<<"$1"
	is_step "$name" || FINISHED=$((FINISHED + 1))
	case $verdict in
	ok) tell_result ok "$PREFIX$name" "${took} s" ;;
	skip) tell_result skip "$PREFIX$name" "$reason" ;;
	*) failed "$name" "$reason${reason:+, }${took} s" ;;
	esac
}

# why_dead RUN: the last words of a guest that did not end well.
why_dead() {
	local file

	for file in qemu.log console; do
		[ -s "$1/$file" ] || continue
		tail -n 25 "$1/$file" | tr -cd '\11\12\40-\176' | cut -c1-200 |
			while IFS= read -r line; do tell_note "  $file: $line"; done
	done
}

# guest_log RUN LOG…: the verdict on what the kernel had to say.
guest_log() {
	local run=$1 found

	shift
	if found=$("$VM/scan.sh" "$@"); then
		tell_result ok "${PREFIX}guest-log-clean"
		return
	fi
	while IFS= read -r line; do tell_note "  log: $line"; done <<<"$found"
	tell_result not "${PREFIX}guest-log-clean" "see $run"
}

# emulators_fault RUN: did the guest end in a breakpoint that its kernel had set,
# and taken away again, while it rewrote its own code? To switch a static key it
# puts one there and then waits until no CPU can meet it any more; QEMU's emulation
# with a thread per CPU has one run into it later all the same. A breakpoint in
# the module under test is never excused.
emulators_fault() {
	local first

	[ "$EMULATED" = 1 ] || return
	first=$(grep -am 1 -A 12 'int3: 0000 \[#1\]' "$1/console") || return
	grep -q 'RIP: 0010:' <<<"$first" && ! grep -q '\[wireguard\]' \
		<<<"$(grep -m 1 'RIP: 0010:' <<<"$first")"
}

# excused RUN: says so, and that nothing but that is in the log; the stage has
# another go.
excused() {
	local fault

	fault=$(grep -am 1 'RIP: 0010:' "$1/console")
	tell_note "the emulator's own fault: int3 at ${fault##*0010:}" \
		"in $CURRENT: run again, see $1"
	sed '/int3: 0000 \[#1\]/,$d' "$1/console" >"$1/console.before"
	guest_log "$1" "$1/console.before"
}

# run_guest GROUP STAGE…: in one guest, or in a new one for those that are left
# when it dies under one of them. $SECOND_GO is the stage that has one.
SECOND_GO=''
run_guest() {
	local GROUP=$1 run name turn=0 again='' step=1
	local -a left

	shift
	left=("$@")
	PREFIX=${SECOND_GO:+again/}
	[ "$GROUP" = main ] || PREFIX+="$GROUP/"
	while [ "${#left[@]}" -gt 0 ]; do
		turn=$((turn + 1)) step=1
		run=$RUNS/$TARGET-${MODE:-stock}-$GROUP${SECOND_GO:+-$SECOND_GO}-$turn
		prepare_run "$run" "${left[@]}" || return
		CURRENT='' ENDED='' FINISHED=0
		"guest_$GROUP" "$run"
		if [ -n "$ENDED" ]; then
			guest_log "$run" "$run/console" "$run/kmsg"
			return
		fi
		if [ -n "$CURRENT" ] && [ "$CURRENT" != "$again" ] &&
			emulators_fault "$run"; then
			excused "$run"
			again=$CURRENT step=0
		else
			guest_log "$run" "$run/console" "$run/kmsg"
			why_dead "$run"
			tell_result not "$PREFIX${CURRENT:-boot}" \
				"the guest ended here"
			is_step "${CURRENT:-boot}" && break
		fi
		left=("${left[@]:$((FINISHED + step))}")
		FINISHED=0
		[ "$turn" -lt 4 ] || break
	done
	for name in "${left[@]:$FINISHED}"; do
		tell_result skip "$PREFIX$name" "its guest did not live long enough"
	done
}

guest_main() {
	MACHINE_MEM=$TARGET_MEM MACHINE_CABLE='' machine_start "$TARGET" "$1" ||
		return
	follow "$1" "$MACHINE_PID"
	machine_end "$MACHINE_PID"
}

guest_waits() { guest_main "$@"; }
guest_tool() { guest_main "$@"; }
guest_pair-waits() { guest_pair "$@"; }

# A million peers: room for them, and nothing logged for each.
guest_scale() {
	echo "WGI_DYNDBG=0" >>"$1/guest.env"
	MACHINE_MEM=4096 MACHINE_CABLE='' machine_start "$TARGET" "$1" || return
	follow "$1" "$MACHINE_PID"
	machine_end "$MACHINE_PID"
}

# The second guest has stock WireGuard and does what the first one asks for.
guest_pair() {
	local run=$1 other=$1.peer

	(MODULE='' prepare_run "$other") || return
	printf '%s\n' WGI_ROLE=b WGI_CTL_ADDRESS=10.255.77.2 \
		>>"$other/guest.env"
	printf '%s\n' WGI_CTL_ADDRESS=10.255.77.1 WGI_PEER_HOST=10.255.77.2 \
		>>"$run/guest.env"
	MACHINE_CABLE=listen:$run/cable MACHINE_MEM=512 MACHINE_CPUS=1 \
		machine_start "$TARGET" "$other" || return
	SECOND_PID=$MACHINE_PID
	until [ -S "$run/cable.link" ]; do
		kill -0 "$SECOND_PID" || { why_dead "$other"; return 1; }
		sleep 0.1
	done
	MACHINE_CABLE=connect:$run/cable MACHINE_MEM=$TARGET_MEM \
		machine_start "$TARGET" "$run" && follow "$run" "$MACHINE_PID"
	machine_end "$MACHINE_PID"
	machine_end "$SECOND_PID"
	SECOND_PID=
	[ -n "$ENDED" ] || why_dead "$other"
}

# ----------------------------------------------------------- one target --

# suite: a copy of selftests/ with its programs built; prints where. They are
# static, so that the same ones run in every guest: the first target makes it.
suite() {
	local lock

	exec {lock}>"$RUNS/suite.lock"
	flock "$lock"
	[ -e "$RUNS/suite.done" ] || make_suite "$RUNS/suite" || return
	: >"$RUNS/suite.done"
	exec {lock}>&-
	echo "$RUNS/suite"
}

# make_suite SUITE
make_suite() {
	rm -rf "$1"
	cp -a "$PROJECT/selftests" "$1" || return
	cp -a "$PROJECT"/documentation/{examples,*.rules.yml} "$1/" || return
	# Guests cannot keep what they compile, and would each time.
	/usr/bin/python3 -m compileall -q "$1" >&2 || return
	make -C "$1/progs" >&2 || return
	# Its own libsodium, as not all guests have one.
	make -C "$PROJECT/tools" SODIUM=-l:libsodium.a OUT="$1/tools/out" \
		all asan >&2 || return
	clone "$1"
}

# clone SUITE: what the tool is installed from, built already; for newcomer.sh
clone() {
	mkdir "$1/project" && cp -a "$PROJECT"/{README.md,dkms.conf,documentation,tools} \
		"$1/project/" && rm -rf "$1/project/tools/out" &&
		cp -a "$1/tools/out" "$1/project/tools/out" &&
		rm -r "$1/project/tools/out/asan"
}

# module: build it; prints where it is. Objects are kept between runs, of which
# there may be several at a time.
module() {
	local built lock

	mkdir -p "$CACHE/build/$TARGET"
	exec {lock}>"$CACHE/build/$TARGET/lock"
	flock "$lock"
	built=$(machine_build "$TARGET" "$CACHE/build/$TARGET/module" DEBUG=1) &&
		cp "$built" "$RUNS/wireguard-$TARGET.ko" || return
	exec {lock}>&-
	echo "$RUNS/wireguard-$TARGET.ko"
}

# target_prepare: the kernel, the module and the programs.
target_prepare() {
	local log=$RUNS/build-$TARGET.log

	SLOW=1 EMULATED=0 TARGET_MEM=1024 MODULE='' SUITE=''
	tell_note "preparing the kernel"
	machine_get "$TARGET" >/dev/null 2> >(progress) ||
		{ tell_result not kernel "could not be prepared"; return; }
	if machine_emulated "$TARGET"; then
		EMULATED=1 SLOW=4
		tell_note "emulated: limits are $SLOW times as long"
	fi
	case $TARGET in
	uml | debug-*) SLOW=$((SLOW * 3)) TARGET_MEM=2048 ;;
	esac
	tell_note "building module and programs"
	if [ "$STOCK" = 0 ]; then
		MODULE=$(module 2>"$log") || {
			tail -n 20 "$log" | while IFS= read -r line; do
				tell_note "  $line"
			done
			tell_result not build "see $log"
			return
		}
		tell_result ok build
	fi
	SUITE=$(suite 2>>"$log") || {
		SUITE=''
		tell_result not programs "see $log"
	}
}

# target_ready: prepared, by whichever job comes first; the others wait for it.
target_ready() {
	local lock note=$RUNS/ready-$TARGET

	exec {lock}>"$note.lock"
	flock "$lock"
	if [ ! -e "$note" ]; then
		target_prepare
		printf '%s=%q\n' SLOW "$SLOW" EMULATED "$EMULATED" \
			TARGET_MEM "$TARGET_MEM" MODULE "$MODULE" \
			SUITE "$SUITE" >"$note"
	fi
	exec {lock}>&-
	# shellcheck disable=SC1090 # made above
	. "$note"
	[ -n "$SUITE" ]
}

# stages_of GROUP SELECTION: those that are asked for.
stages_of() {
	local name

	for name in $(all_stages); do
		[ "${TAGS[$name group]}" = "$1" ] && selected "$name" &&
			in_selection "$name" "$2" && echo "$name"
	done
}

# too_late: why nothing more begins, if there is a limit and it was reached
too_late() {
	[ -z "${WGI_MINUTES:-}" ] || [ $((SECONDS / 60)) -lt "$WGI_MINUTES" ] ||
		echo "not begun within WGI_MINUTES=$WGI_MINUTES"
}

# job_run "TARGET MODE GROUP SELECTION [REMARK]": the stages of one group, in one
# guest. MODE is - for the stock module.
job_run() {
	local group selection why
	local -a stages

	read -r TARGET MODE group selection _ <<<"$1"
	SECOND_GO=''
	[[ $selection != =* ]] || SECOND_GO=${selection#=}
	why=$(too_late)
	LABEL=$TARGET
	if [ -z "$group" ]; then
		if [ -z "$why" ]; then "job_$TARGET"; else tell_result skip all "$why"; fi
		return
	fi
	MODE=${MODE#-}
	mapfile -t stages < <(stages_of "$group" "$selection")
	[ "${#stages[@]}" -gt 0 ] || return 0
	case $TARGET-$group in
	uml-pair* | uml-scale) why="needs a guest in QEMU" ;;
	*) [ -n "$why" ] || target_ready || why="there is nothing to run it in" ;;
	esac
	LABEL="$TARGET ${MODE:-stock}"
	if [ -z "$why" ]; then
		run_guest "$group" "${stages[@]}"
		return
	fi
	for name in "${stages[@]}"; do
		tell_result skip "$name" "$why"
	done
}

progress() {
	local line

	while IFS= read -r line; do tell_note "$line"; done
}

# relay LABEL SCRIPT ARGUMENT…: each KTAP line of a script that needs no guest is a
# line here, too. Its exit status has to be one that its lines account for.
relay() {
	local said=$RUNS/$1.said line name status

	LABEL=$1
	shift
	"$@" 2>"$RUNS/$LABEL.log" | tee "$said" |
		while IFS= read -r line; do
			name=${line#*ok * - }
			case $line in
			'1..0 # SKIP '*) tell_result skip "${1##*/}" \
				"${line#*# SKIP }" ;;
			*'# SKIP '*) tell_result skip "${name%% # SKIP*}" \
				"${line#*# SKIP }" ;;
			ok\ *) tell_result ok "$name" ;;
			'not ok '*) tell_result not "$name" ;;
			'# '*) tell_note "  ${line#'# '}" ;;
			esac
		done
	status=${PIPESTATUS[0]}
	case $status in
	0) grep -q '^ok ' "$said" && ! grep -q '^not ok ' "$said" ;;
	1) grep -q '^not ok ' "$said" ;;
	4) grep -q '^1\.\.0 # SKIP ' "$said" ;;
	*) false ;;
	esac || tell_result not "${1##*/}" \
		"exit status $status, see $RUNS/$LABEL.log"
}

# The jobs that need no guest.

# job_dkms: with Debian 12's own kernel, whose modules stay as they are.
job_dkms() {
	local kernel

	kernel=$(machine_get 6.1 2> >(progress)) ||
		{ tell_result not kernel "could not be prepared"; return; }
	relay dkms "$HERE/dkms/test.sh" "$(<"$kernel/release")" \
		"$kernel/modules"
}

# job_lint: with one of the kernels; "make lint" builds for all of them.
job_lint() { LINT_KERNELS=6.1 relay lint "$PROJECT/tools/build/lint.sh"; }

# job_tools: what the command's own tests say.
job_tools() { OUT=$RUNS/tools-out relay tools "$PROJECT/tools/tests/run.sh"; }

job_model() { relay model "$HERE/model/run.sh"; }
