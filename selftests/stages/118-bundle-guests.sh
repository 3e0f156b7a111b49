#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: from a file for wg-quick to a bundle of four between two guests, one of them
#       with stock WireGuard, by what README says, word for word: flows on all
#       tunnels, both families, both ways; one that is cut under load leaves both
#       ends and comes back, and no flow is lost; no trace afterwards
# needs: two-guests tool once
# timeout: 120
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/newcomer.sh
. "$WGI_LIB/../tools/newcomer.sh"

loads=()
MEMBERS="dc dc-2 dc-3 dc-4"

# shells: one in each guest, with the newcomer's functions
declare -A TO=() FROM=() LAST=()
shells() {
	local side fd
	coproc bash -s 2>&1
	TO[a]=${COPROC[1]} FROM[a]=${COPROC[0]}
	exec {fd}<>"/dev/tcp/$WGI_PEER_HOST/7000"
	TO[b]=$fd FROM[b]=$fd
	for side in a b; do
		cat >&"${TO[$side]}" <<-END
			. $WGI_LIB/net.sh; . $WGI_LIB/../tools/tool.sh
			. $WGI_LIB/../tools/newcomer.sh; trap - ERR; set +e
		END
	done
}

# tell SIDE VERB…: a function of newcomer.sh's in that guest; hear SIDE: what it
# said, and its status
TOLD=0
tell() {
	TOLD=$((TOLD + 1))
	LAST[$1]=$TOLD
	printf '(set -e; %s) </dev/null 2>&1; printf "\\n%%d %%d\\0" %d $?\n' \
		"$(printf '%q ' "${@:2}")" $TOLD >&"${TO[$1]}"
}

# An answer to something of before is not the one: the stage gave up then.
hear() {
	local answer last=
	until [ "${last%% *}" = "${LAST[$1]}" ]; do
		IFS= read -r -d '' -t $((60 * FACTOR)) answer <&"${FROM[$1]}" ||
			fail "$1: no answer: $answer"
		last=${answer##*$'\n'}
	done
	printf '%s' "${answer%$'\n'*}"
	return "${last#* }"
}

at() {
	tell "$@"
	hear "$1"
}

# both VERB…: in both guests at the same time; what they say: $SCRATCH/{a,b}.said
both() {
	both_began "$@"
	both_ended "$*"
}

both_began() {
	tell a "$@"
	tell b "$@"
}

both_ended() {
	local side
	for side in a b; do
		hear $side >"$SCRATCH/$side.said" ||
			fail "$side, $1: $(<"$SCRATCH/$side.said")"
	done
}

# all_sent: by each tunnel of each end so far, IPv4 and IPv6
all_sent() {
	both sent
	join "$SCRATCH/a.said" "$SCRATCH/b.said"
}

# all_carry BEFORE: has each tunnel sent 20 kB of each since, at both ends?
all_carry() {
	all_sent >"$SCRATCH/sent"
	[ "$(join "$1" "$SCRATCH/sent" | awk '{
		good = NF == 9
		for (i = 2; i <= 5; i++)
			good = good && $(i + 4) - $i > 20000
		count += good
	} END { print count + 0 }')" = 4 ]
}

members_are() {
	both in_use
	[ "$(cat "$SCRATCH/a.said" "$SCRATCH/b.said")" = "$1, $1"$'\n'"$1, $1" ]
}

# both_have WHAT SECONDS MEMBERS
both_have() {
	local since
	since=$(now_ms)
	busywait $(($2 * FACTOR)) members_are "$3" ||
		fail "$1: members are $(cat "$SCRATCH/a.said" "$SCRATCH/b.said")"
	echo "# $1: at most $(($(now_ms) - since)) ms"
}

# left_out MEMBER: at both ends, for both families; emulation may be late with
# the answers of others
left_out() {
	local side
	both in_use
	for side in a b; do
		! grep -qw -e "$1" "$SCRATCH/$side.said" &&
			[ "$(grep -ow dc "$SCRATCH/$side.said" | wc -l)" -ge 2 ] ||
			return
	done
}

# all_live: do both show four tunnels with keys?
all_live() {
	both line "bundle show"
	[ "$(cat "$SCRATCH/a.said" "$SCRATCH/b.said" | grep -c ' live 1 ')" = 8 ]
}

# load PORT ADDRESS FIRST: 32 flows each way, of 20 kbit/s each, from ports of their
# own: for TCP over IPv6 that has none yet, Linux 6.1 takes the route before the port,
# and so the same tunnel for all.
load() {
	bg_ns "$HOST" iperf3 -p "$1" -c "$2" -t 1200 -P 32 --bidir -b 20K \
		-l 500 --cport "$3" --pacing-timer 50000 -i 1 --forceflush \
		>"$SCRATCH/load.$1" 2>&1
	loads+=("$BG")
}

# all_move PORT LINE: has each flow got on after that line of iperf3's? Each line
# has its number and way, the time, and how many bytes.
all_move() {
	[ "$(tail -n "+$2" "$SCRATCH/load.$1" | sed 's/^\[ */[/' | awk '
		$1 ~ /^\[[0-9].*X-C\]$/ && $4 > 0 { moved[$1] = 1 }
		END { for (flow in moved) count++; print count + 0 }')" = 64 ]
}

# flows_go_on WHAT
flows_go_on() {
	local port line
	for port in 5201 5202; do
		line=$(wc -l <"$SCRATCH/load.$port")
		await $((20 * FACTOR)) "$1: all flows of $port" all_move $port \
			$((line + 1))
	done
}

# address N: of site N, on the link that the tunnels go over; this is 120, too
UNDERLAY=${UNDERLAY:-ip}
address() {
	[ "$UNDERLAY" = ip ] && echo "192.0.2.$1" || echo "[2001:db8::$1]"
}

# cut N, mend: what tunnel N sends from here is lost
cut() {
	run tc qdisc add dev link0 root handle 1: prio bands 2 priomap \
		0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
	run tc qdisc add dev link0 parent 1:2 netem loss 100%
	run tc filter add dev link0 parent 1: protocol "${UNDERLAY/ip6/ipv6}" u32 \
		match "$UNDERLAY" protocol 17 0xff \
		match "$UNDERLAY" sport $((5099 + $1)) 0xffff flowid 1:2
}

mend() {
	run tc qdisc del dev link0 root
}

[ -n "${WGI_PEER_HOST:-}" ] || skip "there is no second guest"
need python3 tc iperf3 nft
need_ipv6
[ -x /lib/systemd/systemd ] || skip "there is no systemd"
began=$SECONDS
lap() { echo "# $((SECONDS - began)) s: $*"; }

shells
defer at b leave
defer at a leave
tell b arrive 2 "$(address 1)"
tell a arrive 1 "$(address 2)"
both_ended arrive
lap "both have arrived"
expect "commands in README" 5 "$(readme_lines | wc -l)"
both line "apt install"
lap "installed"
both begin
ping_ok "one tunnel" "$HOST" 10.50.0.2
lap "one tunnel, as the newcomer has it"

both line "bundle export"
tell b paste "$(<"$SCRATCH/a.said")"
tell a paste "$(<"$SCRATCH/b.said")"
both_ended paste
both line "enable --now"
both run systemctl is-active wg-inline@dc
await $((10 * FACTOR)) "four tunnels" all_live
both_have "at first" 10 "$MEMBERS"
lap "four tunnels"

# shellcheck disable=SC2016 # expanded there
at b run bash -c 'for port in 5201 5202; do iperf3 -s -D -p $port; done
	until [ "$(ss -Hltn "sport >= 5201 and sport <= 5202" | wc -l)" = 2 ]; do
		sleep 0.1
	done'
all_sent >"$SCRATCH/before"
load 5201 10.50.0.2 20000
load 5202 fd50::2 30000
busywait $((30 * FACTOR)) \
	all_carry "$SCRATCH/before" || fail "$(cat "$SCRATCH"/{before,sent})"
echo "# bytes of IPv4 and IPv6 at a and b, before and after:"
join "$SCRATCH/before" "$SCRATCH/sent"
lap "load"

cut 2
since=$(now_ms)
await $((3 * FACTOR)) "cut" left_out dc-2
echo "# cut: at most $(($(now_ms) - since)) ms"
flows_go_on "one tunnel cut"
lap "cut"
mend
flows_go_on "mended"
for pid in "${loads[@]}"; do
	kill -0 "$pid" || fail "iperf3 has given up"
	stop "$pid"
done
both_have "mended" 15 "$MEMBERS"
lap "mended"

both line "disable --now"
ping_ok "one tunnel again" "$HOST" 10.50.0.2
both end
lap "no trace: $(<"$SCRATCH/a.said")"
