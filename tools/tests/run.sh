#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tests that need neither root nor WireGuard, built and run, with ASan and UBSan;
# a KTAP line for each program, after the lines of what failed in it. "make check"
# runs it, and so does selftests/check.sh.
#   OUT        where to build; "out" if not given
#   VERBOSE    all that the programs say

set -u
cd "$(dirname "$0")/.." || exit 1
OUT=${OUT:-$PWD/out}
MAKE=${MAKE:-make}
SAID=$(mktemp -d)
trap 'rm -rf "$SAID"' EXIT
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
number=0 failed=0

# passes NAME COMMAND…: a program that says of nothing that it is not ok
passes()
{
	local name=$1

	shift
	number=$((number + 1))
	if "$@" >"$SAID/all" 2>&1 && ! grep -q '^not ok ' "$SAID/all"; then
		[ -z "${VERBOSE:-}" ] || sed 's/^/# /' "$SAID/all"
		echo "ok $number - $name"
		return
	fi
	grep -vE '^ok |^KTAP|^1\.\.' "$SAID/all" | tail -n 40 | sed 's/^/# /'
	echo "not ok $number - $name"
	failed=$((failed + 1))
}

# grinds FILE: small commands, where memory is also seen that nobody has written to
grinds()
{
	local -a tool=(valgrind -q --error-exitcode=9 --leak-check=full
		"$OUT/wg-inline")

	"${tool[@]}" --help &&
		"${tool[@]}" bundle keygen "$1" -n 32 &&
		"${tool[@]}" bundle export "$1" -n 2 &&
		! "${tool[@]}" bundle keygen /dev/null -n 2 &&
		[ "$("${tool[@]}" set 2>&1 | grep -c .)" = 1 ]
}

echo "KTAP version 1"
passes "build" "$MAKE" -s OUT="$OUT" tests
for test in parsers liveness spread doctor; do
	passes "$test" "$OUT/$test"
done
passes "files" tests/files.sh "$OUT/asan/wg-inline"
passes "completion" tests/completion.sh "$OUT/wg-inline"
for test in config words; do
	passes "kept inputs of the fuzzer: $test" \
		"$OUT/replay-$test" fuzz/corpus/$test/*
done
if command -v valgrind >/dev/null; then
	passes "valgrind" grinds ../documentation/examples/wg-quick.conf
else
	number=$((number + 1))
	echo "ok $number - valgrind # SKIP not installed"
fi
echo "1..$number"
echo "# $((number - failed)) passed, $failed failed"
[ "$failed" = 0 ]
