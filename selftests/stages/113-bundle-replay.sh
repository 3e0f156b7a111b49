#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: an initiation recorded on one tunnel of a bundle and replayed on another
#       moves no endpoint and gets no answer, as each tunnel has its own keys; with
#       the same keys on all tunnels it would
# needs: once tool user
# timeout: 120
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

need python3
REPLAY=$WGI_LIB/../tools/replay.py

# The enemy is on the wire, with an address of its own.
replay() {
	in_ns "$left" python3 "$REPLAY" send 192.0.2.66 192.0.2.2 "$1" \
		"$SCRATCH/initiation"
}

# record COMMAND…: what the first tunnel's handshake begins with
record() {
	rm -f "$SCRATCH/initiation"
	bg_ns "$right" python3 "$REPLAY" catch w2 5200 "$SCRATCH/initiation" \
		>"$SCRATCH/catching"
	await 20 "the recorder" grep -qs ready "$SCRATCH/catching"
	"$@"
	await 20 "an initiation" test -s "$SCRATCH/initiation"
}

endpoint() {
	in_ns "$right" wg show "$1" endpoints | cut -f2
}

sites
addr "$left" w1 192.0.2.66/24
introduce 2 2
up right
up left
await 20 "a handshake of the second tunnel" handshaken "$right" dc-2 \
	"$(in_ns "$right" wg show dc-2 peers)"
# Younger than any that the second tunnel has seen, whose clock is the same.
begin_anew() {
	ip -n "$left" link set dc down
	ip -n "$left" link set dc up
	wg_set "$left" dc peer "${PUB[2]}" persistent-keepalive 1
}
record begin_anew
await 20 "a handshake" handshaken "$left" dc "${PUB[2]}"

expect "endpoint of the second tunnel" 192.0.2.1:5101 "$(endpoint dc-2)"
expect "answers on the second tunnel" 0 "$(replay 5201)"
expect "endpoint of the second tunnel after a replay" 192.0.2.1:5101 \
	"$(endpoint dc-2)"
# Where it was recorded, it is known.
expect "answers on the first tunnel" 0 "$(replay 5200)"
expect "endpoint of the first tunnel after a replay" 192.0.2.1:5100 \
	"$(endpoint dc)"

# The same keys on both tunnels: this is what it would do.
wg_set "$right" dc-2 KEY:2
in_ns "$right" wg show dc-2 peers | while read -r peer; do
	in_ns "$right" wg set dc-2 peer "$peer" remove
done
wg_set "$right" dc-2 peer "${PUB[1]}" endpoint 192.0.2.1:5101
expect "answers with shared keys" 1 "$(replay 5201)"
expect_match "endpoint with shared keys" '^192\.0\.2\.66:' "$(endpoint dc-2)"
