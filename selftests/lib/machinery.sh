# shellcheck shell=bash disable=SC2034 # they are read by run.sh
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by check.sh --machinery: shows the runner one failure of each kind and
# passes what it notices. A runner that lets one through would pass anything.
# The stages are in lib/faulty; the module is stock's, as nothing depends on it.

# expect_told WHAT REGEX: what the last guest had reported.
expect_told() {
	if grep -qE "$2" "$TOLD"; then
		ktap_pass "$1"
	else
		ktap_fail "$1" "the report has no /$2/"
	fi
}

expect_silent() {
	if grep -qE "$2" "$TOLD"; then
		ktap_fail "$1" "$(grep -E "$2" "$TOLD" | head -n 1)"
	else
		ktap_pass "$1"
	fi
}

# show STAGE…: run these in one guest, their report in $TOLD.
show() {
	local line

	ktap_note "$TARGET: a guest runs $*"
	SHOWN=$((SHOWN + 1))
	RUNS=$ALL_RUNS/guest-$SHOWN
	run_guest main "$@" 3>"$TOLD"
	while IFS= read -r line; do ktap_note "  $line"; done <"$TOLD"
}

machinery() {
	local fault

	TARGET=${KERNELS[0]:-6.1} STAGES=$HERE/lib/faulty MODE='' MODULE=''
	read_tags
	LABEL=$TARGET
	TOLD=$RUNS/told TARGET_MEM=1024 EMULATED=0 SLOW=1
	ALL_RUNS=$RUNS SHOWN=0
	[ "$TARGET" != uml ] || TARGET_MEM=2048
	SUITE=$HERE

	show f-pass
	expect_told "a stage that passes" $'^ok\t.*: f-pass'
	expect_told "a clean log" $'^ok\t.*: guest-log-clean'
	expect_told "the module goes" $'^ok\t.*: unload-module'
	expect_silent "nothing fails" $'^not\t'

	show f-exit f-skip f-hang f-device f-pass
	expect_told "an exit status" $'^not\t.*: f-exit\texit status 1'
	expect_told "its words are shown" 'this is what it said'
	expect_told "a skip and its reason" $'^skip\t.*: f-skip\tfor a reason'
	expect_told "a stage that hangs" $'^not\t.*: f-hang\tno end within'
	expect_told "what a stage left behind" 'left behind by f-device: device'
	expect_told "the next stage runs" $'^ok\t.*: f-pass'

	AGAIN=$RUNS/again
	: >"$AGAIN"
	show f-exit f-pass
	expect_told "a second go is promised" 'f-exit: failed, exit status 1.*second go'
	expect_silent "and nothing said before" $'^not\t.*: f-exit'
	grep -q '=f-exit exit status 1' "$AGAIN" &&
		ktap_pass "it is noted" || ktap_fail "it is noted" "$(<"$AGAIN")"
	AGAIN=''

	for fault in oops warn leak; do
		show "f-$fault"
		expect_told "a log with such a line: $fault" $'^not\t.*: guest-log-clean'
	done

	# Its last words are the emulator's: another go, and no more than one.
	EMULATED=1
	show f-int3 f-pass
	expect_told "a fault of the emulator" "the emulator's own fault: .*f-int3"
	expect_told "but not for ever" $'^not\t.*: f-int3'
	expect_told "and on to the next stage" $'^ok\t.*: f-pass'
	show f-int3-ours f-pass
	expect_silent "a breakpoint in the module" "the emulator's own fault"
	expect_told "it fails at once" $'^not\t.*: f-int3-ours'
	EMULATED=0

	show f-panic f-pass
	expect_told "a guest that dies" $'^not\t.*: f-panic'
	expect_told "a log with a panic" $'^not\t.*: guest-log-clean'
	expect_told "the rest in another guest" $'^ok\t.*: f-pass'
}
