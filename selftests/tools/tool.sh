# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by the stages of wg-inline after lib/net.sh. It finds the command:
# $WGI_TOOL, the one that was built for the guest, or the one in the tree.

TOOL=
for file in "${WGI_TOOL:-}" "$WGI_LIB/../tools/out/wg-inline" \
	"$WGI_LIB/../../tools/out/wg-inline"; do
	if [ -x "$file" ]; then
		TOOL=$(readlink -f "$file")
		break
	fi
done
[ -n "$TOOL" ] || skip "wg-inline has not been built"

# tool NS ARGUMENTS…: without the new mount of /sys that "ip netns exec" does, so
# that /sys shows another namespace's interfaces, as to any user of nsenter.
tool() {
	in_ns "$1" "$TOOL" "${@:2}"
}

# tool_refused WHAT REGEX NS ARGUMENTS…: exit status 1, one sentence that matches,
# and nothing on standard output.
tool_refused() {
	local what=$1 regex=$2 status=0
	shift 2
	tool "$@" >"$SCRATCH/said" 2>"$SCRATCH/error" || status=$?
	one_sentence "$what" "$regex" "$status"
}

one_sentence() {
	expect "$1: exit status" 1 "$3"
	expect "$1: output" "" "$(<"$SCRATCH/said")"
	expect "$1: lines of its refusal" 1 "$(wc -l <"$SCRATCH/error")"
	expect_match "$1" "^wg-inline: .*$2" "$(<"$SCRATCH/error")"
}

# json NS EXPRESSION: what Python makes of "wg-inline show --json" as j.
json() {
	need python3
	tool "$1" show --json | python3 -c "
import json, sys
j = json.load(sys.stdin)
i = {interface['name']: interface for interface in j['interfaces']}
print($2)"
}
