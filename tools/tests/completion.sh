#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# completion.sh [WG-INLINE]: what bash offers, and that it offers every verb that the
# command knows. KTAP on standard output.

TOOL=${1:-}
HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
number=0 failed=0

# shellcheck disable=SC2034 # read by the completion
_wg_inline_dir=$WORK/etc
mkdir "$WORK/etc" "$WORK/here"
touch "$WORK"/etc/{dc,office}.conf "$WORK/etc/key" "$WORK/here/"{own.conf,text}
# Interfaces as of a machine that has some.
ip() { printf '%s\n' '7: wg0: <UP> mtu' '9: dc-2@NONE: <UP> mtu'; }
# shellcheck source-path=SCRIPTDIR source=../completion/wg-inline
. "$HERE/../completion/wg-inline"

# in_order WORD…
in_order() {
	printf '%s\n' "$@" | LC_ALL=C sort | tr '\n' ' '
}

# offered WORD…: for the last of them, at which the cursor is
offered() {
	COMP_WORDS=(wg-inline "$@") COMP_CWORD=$# COMPREPLY=()
	_wg_inline
	in_order "${COMPREPLY[@]}"
}

# offers WANTED WORD…
offers() {
	local wanted said
	# shellcheck disable=SC2086 # a word for each
	wanted=$(in_order $1)
	shift
	said=$(cd "$WORK/here" && offered "$@")
	number=$((number + 1))
	if [ "$said" = "$wanted" ]; then
		echo "ok $number - wg-inline $*"
	else
		echo "# offered: $said"
		echo "not ok $number - wg-inline $*"
		failed=$((failed + 1))
	fi
}

# commands, verbs: what the command itself says that it knows
commands() {
	"$TOOL" --help | sed -nE 's/^  ([a-z]+) .*/\1/p'
}

verbs() {
	"$TOOL" --help | sed -nE 's/^  bundle //p' | sed -E 's/\[[^]]*\]//g' |
		grep -oE '\b[a-z]{2,}'
}

echo "KTAP version 1"
if [ -n "$TOOL" ]; then
	offers "--help --version $(commands)" ""
	offers "$(verbs)" bundle ""
fi
offers "show" sh
offers "spread show" bundle s
offers "--layer4 --spread -n dc office own.conf" bundle up ""
offers "-n dc office own.conf" bundle keygen ""
offers "-n dc office own.conf" bundle export ""
for verb in down spread watch; do
	offers "dc office own.conf" bundle $verb ""
done
offers "dc office" bundle show ""
offers "dc" bundle up d
offers "--spread" bundle up dc --s
offers "2 4 8" bundle up dc -n ""
offers "--json dc-2 wg0" show ""
offers "--json dc-2 wg0" doctor ""
offers "-d -n dc-2 wg0" top ""
offers "" top -d ""
offers "dc-2 wg0" set ""
offers "cpus mode" set wg0 ""
offers "inline softirq threaded" set wg0 mode ""
offers "" metrics ""
echo "1..$number"
echo "# $((number - failed)) passed, $failed failed"
[ "$failed" = 0 ]
