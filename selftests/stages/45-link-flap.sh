#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: link down and up, and moves between namespaces, under traffic: each time
#       a new session comes at once
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# One side first: two initiations that cross undo each other, for five seconds.
loop_pair
ping_ok "before" "$left" 10.70.0.2
background_ping "$right" 10.70.0.1
for _ in 1 2 3 4 5; do
	ip -n "$left" link set wg1 down
	ip -n "$left" link set wg1 up
	ping_ok "left up again" "$left" 10.70.0.2
done
for _ in 1 2 3; do
	ip -n "$right" link set wg2 down
	ip -n "$right" link set wg2 up
	ping_ok "right up again" "$right" 10.70.0.1
done

# Whoever is down does not answer, and says nothing.
ip -n "$left" link set wg1 down
before=$(sent "$left" wg1 "${PUB[2]}")
ping_dead "left is down" "$right" 10.70.0.1
expect "bytes sent while down" "$before" "$(sent "$left" wg1 "${PUB[2]}")"
expect "left has no port bound" "" \
	"$(in_ns "$under" ss -Hluan "sport = :5101")"
watch_outer "$under" lo "$SCRATCH/outer"
ip -n "$left" link set wg1 up
ping_ok "left up again" "$left" 10.70.0.2
unwatch
expect "left's first message, an initiation as its keys are gone" 1 \
	"$(awk '$3 == 5101 { print $8; exit }' "$SCRATCH/outer")"

setup_ns other
for _ in 1 2; do
	ip -n "$left" link set wg1 netns "$other"
	inner_up "$other" wg1 1
	ping_ok "in the other namespace" "$other" 10.70.0.2
	ip -n "$other" link set wg1 netns "$left"
	inner_up "$left" wg1 1
	ping_ok "back" "$left" 10.70.0.2
done

# Under another name it is the same device.
ip -n "$left" link set wg1 down
ip -n "$left" link set wg1 name renamed
ip -n "$left" link set renamed up
ping_ok "renamed" "$left" 10.70.0.2
expect "peers of the renamed device" "${PUB[2]}" \
	"$(in_ns "$left" wg show renamed peers)"
