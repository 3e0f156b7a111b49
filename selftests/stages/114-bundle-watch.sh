#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: wg-inline bundle watch: a tunnel that is cut, in one direction, leaves the
#       next hops of both ends within 3 s, idle or loaded, and comes back; the
#       last one stays; an end with fewer tunnels or stock with one port
# needs: once tool user
# timeout: 180
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

FACTOR=${WGI_FACTOR:-1}

# cables: tunnels 2 to 4 get a cable each, x<n> at $left and y<n> at $right.
cables() {
	local n
	for n in 2 3 4; do
		wire "$left" x$n "$right" y$n
		lay "$left" x$n "$n" 192.0.2.1
		lay "$right" y$n "$n" 192.0.2.2
	done
}

# lay NS IF N SOURCE: what is marked with N goes there.
lay() {
	ip -n "$1" route add 192.0.2.0/24 dev "$2" src "$4" table "$3"
	ip -n "$1" rule add fwmark "$3" table "$3"
}

mark() {
	local n
	for n in 2 3 4; do
		wg_set "$1" dc-$n fwmark $n
	done
}

# cut IF, mend IF: of $left; what it sends is lost.
cut() {
	tc -n "$left" qdisc replace dev "$1" root netem loss 100%
}

mend() {
	tc -n "$left" qdisc del dev "$1" root
}

# watch SIDE: in the background, its words in $SCRATCH/SIDE.log
watch() {
	bg_ns "${!1}" "$TOOL" bundle watch "$SCRATCH/$1/dc.conf" \
		>"$SCRATCH/$1.log" 2>&1
	declare -g "watch_$1=$BG"
}

said() {
	grep -q -- "$2" "$SCRATCH/$1.log"
}

# unwatch_bundle SIDE: it is asked to end and has to do so with status 0.
unwatch_bundle() {
	local pid=watch_$1
	kill -TERM "${!pid}"
	wait "${!pid}" || fail "watch: status $? after SIGTERM: $(<"$SCRATCH/$1.log")"
}

members_are() {
	[ "$(members "$1" 0)" = "$2" ] && [ "$(members "$1" 1)" = "$2" ]
}

# both_have WHAT SECONDS MEMBERS: both ends, both families, in time
both_have() {
	local ns since
	since=$(now_ms)
	for ns in "$left" "$right"; do
		busywait $(($2 * FACTOR)) members_are "$ns" "$3" ||
			fail "$1: ${ns%-*} has $(members "$ns" 0)," \
				"$(members "$ns" 1): $(cat "$SCRATCH"/*.log)"
	done
	echo "# $1: $(($(now_ms) - since)) ms"
}

# traffic_goes_on: flows that are spread over whatever is there, both ways
traffic_goes_on() {
	tcp_short "$left" "$right" 10.50.0.2 -P 16
	tcp_short "$right" "$left" fd50::1 -P 16
}

need python3 tc
need_ipv6
sites
cables
introduce 4 4
trace "$left" >"$SCRATCH/before-left"
trace "$right" >"$SCRATCH/before-right"
tool_refused "a bundle that is down" "dc is not up" "$left" bundle watch \
	"$SCRATCH/left/dc.conf"
up right
up left
mark "$left"
mark "$right"
watch right
watch left
for side in left right; do
	await $((10 * FACTOR)) "the first words of $side" said $side \
		'^dc: 4 of 4 tunnels answer: dc dc-2 dc-3 dc-4$'
done
both_have "at first" 3 "dc dc-2 dc-3 dc-4"

# Idle.
cut x2
both_have "idle, cut" 3 "dc dc-3 dc-4"
traffic_goes_on
for side in left right; do
	await 5 "words of $side" said $side \
		'^dc: dc-2 does not answer, 3 of 4 tunnels in use$'
done
mend x2
both_have "idle, mended" 5 "dc dc-2 dc-3 dc-4"
await 5 "words of left" said left '^dc: dc-2 answers again, 4 of 4 tunnels in use$'
# Not just a matter of names.
count=$(packets_of "$left" dc-2)
for _ in 1 2 3 4 5 6; do
	traffic_goes_on
	[ $(($(packets_of "$left" dc-2) - count)) -lt 200 ] || break
	sleep 1
done
[ $(($(packets_of "$left" dc-2) - count)) -ge 200 ] ||
	fail "no flow came back to dc-2"

# So many flows that no bucket of the group ever pauses: the tunnel has its share
# again, though not by what pauses.
buckets_of() {
	local hop
	hop=$(ip -n "$left" nexthop show | awk -v dev="$1" '
		$3 == "dev" && $4 == dev && $2 % 2 == 0 { print $2 }')
	ip -n "$left" nexthop bucket show nhid "$hop" | wc -l
}
has_buckets() {
	[ "$(buckets_of "$1")" -ge "$2" ]
}
bg_ns "$left" python3 -c '
import itertools, socket, time
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in itertools.count():
    out.sendto(b"x", ("10.50.0.2", 20000 + n % 1000))
    if n % 50 == 0:
        time.sleep(0.04)'
load=$BG
cut x2
both_have "busy, cut" 3 "dc dc-3 dc-4"
sleep 6
mend x2
both_have "busy, mended" 5 "dc dc-2 dc-3 dc-4"
sleep 6
! has_buckets dc-2 40 || fail "buckets pause, which makes this no test"
await 40 "busy buckets of dc-2" has_buckets dc-2 60
kill -0 "$load" || fail "there was no load"
stop "$load"

# Loaded, with TCP one way and UDP the other, without pause: the flows of the tunnel
# that is cut have to move, too. So many that each tunnel has some.
bg_ns "$right" iperf3 -s -p 5301 >/dev/null
bg_ns "$left" iperf3 -s -p 5302 >/dev/null
await 20 "iperf3 -s listens" listening "$right" 5301
await 20 "iperf3 -s listens" listening "$left" 5302
bg_ns "$left" iperf3 -p 5301 -c 10.50.0.2 -t 600 -P 16 >/dev/null
load=$BG
bg_ns "$right" iperf3 -p 5302 -c fd50::1 -t 600 -P 16 -u -b 1M >/dev/null
load="$load $BG"
carries() {
	[ "$(packets_of "$left" dc-3)" -gt $((count + 500)) ]
}
count=$(packets_of "$left" dc-3)
await $((20 * FACTOR)) "load on dc-3" carries
cut x3
both_have "loaded, cut" 3 "dc dc-2 dc-4"
mend x3
both_have "loaded, mended" 10 "dc dc-2 dc-3 dc-4"
for BG in $load; do
	kill -0 "$BG" || fail "iperf3 has given up"
	stop "$BG"
done
! grep -E '(dc|dc-4) does not' "$SCRATCH"/*.log || fail "load was taken for death"

# All of them: what there was last stays.
for cable in w1 x2 x3 x4; do
	cut $cable
done
await $((6 * FACTOR)) "the end of all" said left \
	'^dc: no tunnel answers: [1-4] of 4 stay in use$'
[ -n "$(members "$left" 0)" ] || fail "no next hop is left"
for cable in w1 x2 x3 x4; do
	mend $cable
done
both_have "all mended" 10 "dc dc-2 dc-3 dc-4"

# It goes, and nobody is left out.
cut x2
both_have "cut again" 3 "dc dc-3 dc-4"
unwatch_bundle left
unwatch_bundle right
mend x2
both_have "no longer watched" 1 "dc dc-2 dc-3 dc-4"

# A bundle that is taken down is no longer watched.
watch left
await $((10 * FACTOR)) "words" said left "tunnels answer"
down left
wait "$watch_left" || fail "watch: status $? after down"
expect_match "the end" "has gone, there is nothing more to watch" \
	"$(tail -n 1 "$SCRATCH/left.log")"
no_trace "down" "$left" "$SCRATCH/before-left"

# An end with fewer tunnels.
down right
no_trace "down" "$right" "$SCRATCH/before-right"
up right -n 2
up left
watch left
await $((10 * FACTOR)) "two of four" said left \
	'^dc: 2 of 4 tunnels answer: dc dc-2; left out until they do: dc-3 dc-4$'
busywait 5 members_are "$left" "dc dc-2" || fail "members: $(members "$left" 0)"
down right

# Stock WireGuard with one port in its place; one inner family, then the other.
# one_port ADDRESS OTHER V6
one_port() {
	add_wg "$right" wg1
	wg_set "$right" wg1 KEY:2 listen-port 5200 peer "${PUB[1]}" \
		endpoint 192.0.2.1:5100 allowed-ips "$2"
	addr "$right" wg1 "$1"
	ip -n "$right" link set wg1 up
	ip -n "$right" route add "$2" dev wg1
	await $((40 * FACTOR)) "the new end" ping_once "$left" "$1"
	await $((20 * FACTOR)) "one tunnel" family_has "$3" dc
	traffic_to "$1"
	unwatch_bundle left
	down left
	up left
	watch left
	await $((10 * FACTOR)) "one of four" said left \
		'^dc: 1 of 4 tunnels answer: dc; left out until they do: dc-2 dc-3 dc-4$'
	traffic_to "$1"
	unwatch_bundle left
	down left
	ip -n "$right" link del wg1
}

# family_has V6 MEMBERS
family_has() {
	[ "$(members "$left" "$1")" = "$2" ]
}

traffic_to() {
	ping_ok "one tunnel" "$left" "$1"
	tcp_short "$left" "$right" "$1" -P 16
}

one_port 10.50.0.2 10.50.0.1/32 0
sed -i 's/^\(Address\|AllowedIPs\) = [^,]*, */\1 = /' "$SCRATCH/left/dc.conf"
up right -n 2
up left
watch left
await $((10 * FACTOR)) "two of four" said left '^dc: 2 of 4 tunnels answer'
down right
one_port fd50::2 fd50::1/128 1
no_trace "down" "$left" "$SCRATCH/before-left"

up left
status=0
in_ns "$left" setpriv --bounding-set=-net_raw --inh-caps=-net_raw \
	"$TOOL" bundle watch "$SCRATCH/left/dc.conf" \
	>"$SCRATCH/said" 2>"$SCRATCH/error" || status=$?
one_sentence "without CAP_NET_RAW" "CAP_NET_RAW" "$status"
