#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Search all interleavings of the pipeline's model for one where a batch stays for
# ever, or where somebody polls for ever with nothing to do. As a proof that it
# can find one, also in models with one thing broken.
#
#   run.sh                 all variants, as KTAP
#   run.sh --trail NAME    how the error of a variant comes about, step by step
#   run.sh --list          the variants: what to expect, and of what
#   --deep                 with one more packet, or sender, as well: minutes, 3 GB
#
# Works in a directory of its own under $TMPDIR, and installs spin if there is
# none. Exit status 0 only if every variant did as expected.

set -u
cd "$(dirname "$0")" || exit 1
MODEL=$PWD
. "$MODEL/../lib/packages.sh"

# name | nothing or error | stay: does a batch? spin: does somebody? | what
ONE="-DPEERS=1 -DITEMS=2 -DBUDGET=2 -DRING=1 -DSENT_BY_0=1 -DSENT_BY_1=1"
LATER="-DPEERS=1 -DITEMS=3 -DBUDGET=2 -DRING=1 -DSENT_BY_0=1 -DSENT_BY_1=1"
ONE_SENDER="-DPEERS=1 -DITEMS=2 -DBUDGET=2 -DRING=1 -DSENT_BY_0=1 -DSENT_BY_1=0"
TWO="-DPEERS=2 -DITEMS=1 -DBUDGET=2 -DRING=1 -DSENT_BY_0=1 -DSENT_BY_1=1"
LANE="-DLANE $ONE"
OUT="-DTRANSMIT $ONE"
OUT_TWO="-DTRANSMIT $TWO -DOVERDUE -DSENT_LAST=1 -DREFUSED"
OUT_STUCK="-DTRANSMIT $LATER -DSTUCK -DSENT_LAST=1"
OUT_CPUS="-DTRANSMIT $ONE_SENDER -DSET_CPUS -DOVERDUE -DSENT_LAST=1 -DREFUSED"
MORE="-DPEERS=1 -DITEMS=3 -DBUDGET=2 -DRING=1 -DSENT_BY_0=2 -DSENT_BY_1=1"
OLD="-DCORE=61 -DDEV_THREADED=1"
NEW="-DCORE=73 -DDEV_THREADED=1"
SOFTIRQ="-DCORE=73 -DDEV_THREADED=0"
variants() {
	cat <<-END
	softirq|nothing|stay|$SOFTIRQ $ONE
	softirq, two peers|nothing|stay|$SOFTIRQ $TWO
	softirq, called by any CPU|nothing|stay|$SOFTIRQ $ONE -DCALLS
	softirq, called by any CPU, two peers|nothing|stay|$SOFTIRQ $TWO -DCALLS
	softirq, not called: PREEMPT_RT|nothing|stay|$SOFTIRQ $TWO -DPREEMPT_RT
	threaded|nothing|stay|$NEW $ONE
	threaded, two peers|nothing|stay|$NEW $TWO
	threaded on 6.1|nothing|stay|$OLD $ONE
	threaded on 6.1, two peers|nothing|stay|$OLD $TWO
	workers|nothing|stay|$SOFTIRQ $LANE
	workers, more than they take at once|nothing|stay|$SOFTIRQ $LANE -DBURST=1
	workers, told where to run|nothing|stay|$SOFTIRQ $LANE -DSET_CPUS
	transmit|nothing|stay|$SOFTIRQ $OUT
	transmit, overdue|nothing|stay|$SOFTIRQ $OUT -DOVERDUE
	transmit, inline sender, overdue|nothing|stay|$SOFTIRQ $OUT -DBEHIND -DOVERDUE
	transmit, inline sender, overdue, two peers|nothing|stay|$SOFTIRQ $OUT_TWO -DBEHIND
	transmit, workers told where to run|nothing|stay|$SOFTIRQ $OUT_CPUS
	transmit, a stuck CPU|nothing|stay|$SOFTIRQ $OUT_STUCK
	transmit, a stuck CPU and a full list|nothing|stay|$SOFTIRQ $OUT_STUCK -DREFUSED
	toggled|nothing|stay|$NEW $ONE -DTOGGLE
	toggled on 6.1|nothing|stay|$OLD $ONE -DTOGGLE
	toggled, called by any CPU|nothing|stay|$NEW $ONE -DTOGGLE -DCALLS
	no idle polls: softirq|nothing|spin|$SOFTIRQ $TWO
	no idle polls: threaded|nothing|spin|$NEW $TWO
	no idle polls: threaded on 6.1|nothing|spin|$OLD $ONE
	no endless take-over|nothing|spin|$SOFTIRQ $OUT_CPUS
	no re-check: softirq|error|stay|$SOFTIRQ $ONE -DNO_RECHECK
	no re-check: threaded|error|stay|$NEW $ONE -DNO_RECHECK
	no re-check: threaded on 6.1|error|stay|$OLD $ONE -DNO_RECHECK
	no re-check: workers|error|stay|$SOFTIRQ $LANE -DNO_RECHECK
	no re-check: transmit|error|stay|$SOFTIRQ $OUT -DNO_TRANSMIT_RECHECK
	no kick on a full ring: softirq|error|stay|$SOFTIRQ $TWO -DNO_KICK_ON_FULL
	no kick on a full ring: threaded|error|stay|$NEW $TWO -DNO_KICK_ON_FULL
	no kick on a full ring: threaded on 6.1|error|stay|$OLD $TWO -DNO_KICK_ON_FULL
	no kick on a full ring: transmit|error|stay|$SOFTIRQ $OUT -DNO_KICK_ON_FULL
	no barrier in the kick|error|stay|$NEW $ONE -DNO_KICK_BARRIER
	no barrier when a turn begins|error|stay|$NEW $ONE -DNO_BEGIN_BARRIER
	no barrier when a worker begins|error|stay|$SOFTIRQ $LANE -DNO_BEGIN_BARRIER
	a relieved worker wakes no other|error|stay|$SOFTIRQ $LANE -DSET_CPUS -DNO_RELIEF_WAKE
	handed over and not woken|error|stay|$SOFTIRQ $OUT -DNO_WAKE_AFTER_FINISH
	two take from a list at once|error|stay|$SOFTIRQ $OUT -DOVERDUE -DNO_LOCK
	taken over from where it is not|error|stay|$SOFTIRQ $OUT -DOVERDUE -DTAKE_OVER_BY_FLAG
	taken over in part|error|stay|$SOFTIRQ $OUT_TWO -DTAKE_OVER_ONE
	taken over to where it comes from|error|spin|$SOFTIRQ $OUT_CPUS -DTAKE_OVER_ANYWHERE
	a stuck CPU: not taken over|error|stay|$SOFTIRQ $OUT_STUCK -DNO_TAKE_OVER
	a stuck CPU and a full list: not taken over|error|stay|$SOFTIRQ $OUT_STUCK -DREFUSED -DNO_TAKE_OVER_ON_FULL
	called by two CPUs at once|error|stay|$SOFTIRQ $ONE -DCALLS -DNO_CALLED
	call taken for under way when it is over|error|stay|$SOFTIRQ $ONE -DCALLS -DLATE_CALLED
	no end of turns in idle rounds|error|spin|$SOFTIRQ $TWO -DNO_IDLE_END
	scheduled by the core|nothing|stay|$NEW $ONE -DNO_OWN_SCHEDULE
	scheduled by the core on 6.1|error|stay|$OLD $ONE -DNO_OWN_SCHEDULE
	no second look after completing|nothing|stay|$NEW $ONE -DNO_SECOND_LOOK
	END
	[ "$DEEP" = 0 ] || cat <<-END
	three batches: softirq|nothing|stay|$SOFTIRQ $MORE
	three batches: threaded|nothing|stay|$NEW $MORE
	three batches: threaded on 6.1|nothing|stay|$OLD $MORE
	three batches: workers|nothing|stay|$SOFTIRQ -DLANE $MORE
	transmit, overdue, two peers|nothing|stay|$SOFTIRQ $OUT_TWO
	END
}

usage() { sed -n '4,17s/^# \{0,1\}//p' "$MODEL/run.sh"; }

DEEP=0 WHAT=all NAME=
while [ $# -gt 0 ]; do
	case $1 in
	--deep) DEEP=1 ;;
	--list) WHAT=list ;;
	--trail)
		[ $# -ge 2 ] || { usage >&2; exit 2; }
		WHAT=trail NAME=$2
		shift ;;
	--help | -h) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

if [ "$WHAT" = list ]; then
	variants | awk -F'|' '{ printf "%-44s %-8s %s\n", $1, $2, $3 }'
	exit
fi

need spin spin
need gcc build-essential

# Most are searched in less time than it takes to optimise the search.
LEVEL=-O0
[ "$DEEP" = 0 ] || LEVEL=-O2

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cp "$MODEL"/*.pml "$WORK" && cd "$WORK" || exit 1

# search KIND DEFINES…: everything there is; what came out is in the file log.
search() {
	local kind=$1 how=-DSAFETY mode=

	shift
	[ "$kind" = stay ] || { how=-DNP mode=-l; }
	rm -f pan pan.* ./*.trail
	# shellcheck disable=SC2086 # -l or nothing
	{ spin -a "$@" pipeline.pml &&
		gcc "$LEVEL" -w "$how" -DCOLLAPSE -DVECTORSZ=2048 -o pan pan.c &&
		./pan -m100000 -E $mode; } >log 2>&1
}

# verdict: nothing, error, or what kept it from being exhaustive.
verdict() {
	if grep -qE 'max search depth|out of memory|not completed' log &&
	   grep -q 'errors: 0' log; then
		echo "incomplete"
	elif grep -q 'errors: 0' log; then
		echo nothing
	elif grep -qE 'assertion violated.*(order|ring|call|workers)|non-progress' log; then
		echo error
	else
		echo "no result"
	fi
}

if [ "$WHAT" = trail ]; then
	IFS='|' read -r _ _ kind defines < <(DEEP=1 variants | grep -F "$NAME|")
	[ -n "${defines:-}" ] || { echo "no such variant" >&2; exit 2; }
	# shellcheck disable=SC2086 # a word for each
	search "$kind" $defines
	[ -e pipeline.pml.trail ] || { cat log; echo "no error to show"; exit 1; }
	# shellcheck disable=SC2086
	spin -t -p -g $defines pipeline.pml
	exit
fi

number=0 failed=0
echo "KTAP version 1"
echo "1..$(variants | wc -l)"
while IFS='|' read -r name expected kind defines; do
	number=$((number + 1))
	# shellcheck disable=SC2086
	search "$kind" $defines
	found=$(verdict)
	if [ "$found" = "$expected" ]; then
		states=$(sed -n 's/^ *\([0-9e+.]*\) states, stored.*/\1/p' log)
		[ "$found" = error ] && remark="found, as it should be" ||
			remark="nothing in all $states states"
		echo "ok $number - $name: $remark"
	else
		sed 's/^/# /' log | grep -v '^# *$' | head -n 40
		echo "not ok $number - $name: $found instead of $expected"
		failed=$((failed + 1))
	fi
done < <(variants)
echo "# $((number - failed)) passed, $failed failed"
[ "$failed" = 0 ]
