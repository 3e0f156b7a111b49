#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the initiator renews the key after 120 s of traffic, and loses nothing
# needs: slow waits once
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

renewed() {
	[ "$(wg_field "$left" wg1 latest-handshakes "${PUB[2]}")" -gt "$first" ]
}

# The last answer may come when ping is gone; the kernel counts it all the same.
lost_nothing() {
	local said
	said=$(<"$SCRATCH/ping")
	[[ $said =~ ([0-9]+)\ packets\ transmitted ]] ||
		fail "expected ping's summary, saw: $said"
	busywait 5 replies_are "$left" 10.70.0.2 \
		$((before + BASH_REMATCH[1])) || :
	expect "packets answered" "${BASH_REMATCH[1]}" \
		$(($(echo_replies "$left" 10.70.0.2) - before))
}

loop_pair
ping_ok "first session" "$left" 10.70.0.2
first=$(wg_field "$left" wg1 latest-handshakes "${PUB[2]}")

before=$(echo_replies "$left" 10.70.0.2)
bg_ns "$left" ping -q -n -i 0.05 10.70.0.2 >"$SCRATCH/ping" 2>&1
pinger=$BG

# REKEY_AFTER_TIME is what is tested: nothing may happen much before it.
limit=$(($(now_ms) + 115000))
while [ "$(now_ms)" -lt "$limit" ]; do
	renewed && fail "expected no handshake in the first 115 s"
	sleep 1
done
await 20 "a new handshake" renewed

# On both sides the new key takes over while the old one is still in flight.
second=$(wg_field "$left" wg1 latest-handshakes "${PUB[2]}")
sleep 2
expect "one rekey, not many" "$second" \
	"$(wg_field "$left" wg1 latest-handshakes "${PUB[2]}")"
kill -INT "$pinger"
wait "$pinger" || fail "ping: $(<"$SCRATCH/ping")"
lost_nothing
