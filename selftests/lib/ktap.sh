# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by check.sh: results in the kernel's test format (KTAP), in the order
# in which they come, and the totals. The plan is written last, as nobody knows
# before how many lines there will be.

KTAP_COUNT=0
KTAP_PASSED=0
KTAP_FAILED=0
KTAP_SKIPPED=0
KTAP_FAILURES=()

ktap_begin() {
	echo "KTAP version 1"
}

# ktap_note TEXT…
ktap_note() {
	echo "# $*"
}

# ktap_pass NAME [REMARK…]
ktap_pass() {
	KTAP_PASSED=$((KTAP_PASSED + 1))
	ktap_line ok "$@"
}

# ktap_fail NAME [REMARK…]
ktap_fail() {
	KTAP_FAILED=$((KTAP_FAILED + 1))
	KTAP_FAILURES+=("$1")
	ktap_line 'not ok' "$@"
}

# ktap_skip NAME REASON…
ktap_skip() {
	local name=$1
	shift
	KTAP_SKIPPED=$((KTAP_SKIPPED + 1))
	ktap_line ok "$name" "SKIP ${*:-no reason given}"
}

ktap_line() {
	local verdict=$1 name=$2
	shift 2
	KTAP_COUNT=$((KTAP_COUNT + 1))
	echo "$verdict $KTAP_COUNT $name${1:+ # $*}"
}

# ktap_end: the plan and the totals; status 0 only if something passed and
# nothing failed.
ktap_end() {
	echo "1..$KTAP_COUNT"
	[ "$KTAP_FAILED" -eq 0 ] || printf '# failed: %s\n' "${KTAP_FAILURES[@]}"
	echo "$KTAP_PASSED passed, $KTAP_FAILED failed, $KTAP_SKIPPED skipped"
	[ "$KTAP_FAILED" -eq 0 ] && [ "$KTAP_PASSED" -gt 0 ]
}
