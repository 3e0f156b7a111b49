#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: what wg-inline says and does to the kernel is the same under valgrind, which
#       has nothing to say: no memory that nobody has written to, none lost
# needs: once tool user
# timeout: 120
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

need valgrind
FACTOR=${WGI_FACTOR:-1}
# The one without ASan, which does not go with it.
plain=$(dirname "$TOOL")
plain=${plain%/asan}/wg-inline
[ -x "$plain" ] || skip "there is no build without ASan"
cat >"$SCRATCH/wg-inline" <<-END
	#!/bin/sh
	exec valgrind -q --error-exitcode=99 --leak-check=full \\
		--log-file=$SCRATCH/valgrind.%p "$plain" "\$@"
END
chmod +x "$SCRATCH/wg-inline"
TOOL=$SCRATCH/wg-inline

# ends WITH NS ARGUMENTS…: that exit status, and not a word of valgrind's
ends() {
	local status=0
	tool "$2" "${@:3}" >"$SCRATCH/said" 2>&1 || status=$?
	silent "${*:3}"
	[[ $status =~ ^($1)$ ]] ||
		fail "${*:3}: exit status $status: $(<"$SCRATCH/said")"
}

# silent WHAT: it may complain of system calls that are newer than it is, between
# dashes; what begins with equals signs is about the command.
silent() {
	! grep -h '^==' "$SCRATCH"/valgrind.* >"$SCRATCH/found" ||
		fail "$1: $(<"$SCRATCH/found")"
	rm "$SCRATCH"/valgrind.*
}

sites
introduce 2 2
up right
ends 0 "$left" bundle up "$SCRATCH/left/dc.conf"
ends 0 "$left"
ends 0 "$left" show dc --json
ends 0 "$left" top -n 1 -d 0.1
ends 0 "$left" metrics
ends "0|3" "$left" doctor --json
ends "0|1" "$left" set dc mode threaded cpus 0
ends "0|1" "$left" set dc-2 mode inline
ends 1 "$left" set w1 mode inline
ends 1 "$left" show nothing
ends 0 "$left" bundle show
ends "0|1" "$left" bundle spread "$SCRATCH/left/dc.conf"
bg_ns "$left" "$TOOL" bundle watch "$SCRATCH/left/dc.conf" >"$SCRATCH/watched"
watch=$BG
await $((20 * FACTOR)) "words of watch" grep -q "tunnels answer" "$SCRATCH/watched"
kill -TERM "$watch"
wait "$watch" || fail "watch: status $?"
silent "bundle watch"
ends 0 "$left" bundle down "$SCRATCH/left/dc.conf"
ends 0 "$left" bundle down "$SCRATCH/left/dc.conf"
