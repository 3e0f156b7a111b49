# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by the stages. It gives them:
#   an end        fail, skip, expect; a command that fails fails the stage;
#                 what was deferred runs in reverse order, whatever happened
#   waiting       busywait, for a condition and with a limit
#   namespaces    setup_ns, in_ns, and the topologies loop_pair and wire_pair
#   traffic       ping_ok, ping_dead, flood, tcp, udp
#   inspection    watch_outer (a sniffer), the fields of "wg show"
#
# A stage exits 0 (pass), 1 (fail) or 4 (skip). Keys are constants, as no
# secret is at stake and key generation costs time in an emulated guest.

set -Eeuo pipefail

WGI_LIB=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
export LC_ALL=C

# Private and public keys of the parties 1 to 6; two preshared keys.
PRIV=('' +C3tiK4XvUAmZGh6K4SR3VJ5oYCPuwDObMZbI5EX+Wg=
	WHyGeEnMbPAvxoki4xX0SS2Uf0zxUAzHuxr5NzivolA=
	UPB3oBdmrr0hPwCgNBjvQNijPYnCnG/hp7KISm6vhGg=
	WH1Ba/4kH8h8QsM3Llx4TiD+4OA0Vex0XvMrygfJRmY=
	wB0kCFh57rA6QsFMbkaOCS3a4xvJG7pky8MUPRGah0Y=
	mMxAkDV/sAAaUv91Q1vLSV6lZiiD+3q99N1iWxrOjVE=)
PUB=('' QyUzYAEWusYtco5lAPtQuHSFVQPVy8nYlR/cnUgO9Sw=
	1LK7MJccZooSdypbW4/4ch0nx9UU2XKfNk4nlH6S5Ts=
	v4ej2gTLcAOz7qtV8ksZRdfFkSV2UHZKIoEI4r7g7Fo=
	WcViPAXiV12+GMBibZYVMwjQve1v7rTqwGldCcCScgE=
	yuyBOhyGRNANiKnaUd6wLZrP2A17JGGECMaCIPjW4Q0=
	2Dbl8pIiZp7asFzQeoeeK90dSVIN+3c0LTihl+B1Wis=)
PSK=('' XIJZNDCoSIZ2YBxXARvsDyHZnJUCRt+zoikJzN7jZPQ=
	iuspxB9WQ/2TG/ylCsSZeXQ7dgNkLrZ4e16vqh/GMK0=)

# ---------------------------------------------------------------- ending --

DEFERRED=()

# defer COMMAND...: run it when the stage ends, last deferred first.
defer() {
	local command
	printf -v command '%q ' "$@"
	DEFERRED+=("$command")
}

at_exit() {
	local status=$? i
	trap - EXIT ERR
	set +e
	for ((i = ${#DEFERRED[@]} - 1; i >= 0; i--)); do
		eval "${DEFERRED[i]}" || {
			echo "clean-up failed: ${DEFERRED[i]}"
			status=1
		}
	done
	exit "$status"
}

# Any status of a failing command, 4 included, is a failure and not a skip.
at_error() {
	echo "FAIL: line $2: status $1 from: $3"
	exit 1
}

trap at_exit EXIT
trap 'exit 1' INT TERM HUP
trap 'at_error $? ${BASH_LINENO[0]:-$LINENO}:$LINENO "$BASH_COMMAND"' ERR

fail() {
	echo "FAIL: $*"
	exit 1
}

skip() {
	echo "# SKIP $*"
	exit 4
}

# expect WHAT WANTED SEEN
expect() {
	[ "$2" = "$3" ] || fail "$1: expected '$2', saw '$3'"
}

# expect_match WHAT REGEX SEEN (bash's extended regular expressions)
expect_match() {
	[[ $3 =~ $2 ]] || fail "$1: expected /$2/, saw '$3'"
}

# refused WHAT COMMAND...: the command has to fail. What it said: $REFUSAL
refused() {
	local what=$1 said
	shift
	if said=$("$@" 2>&1); then
		fail "$what: expected to be refused, but it succeeded: $said"
	fi
	REFUSAL=$said
}

# need TOOL...: the stage is skipped without these commands.
need() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || skip "no command $tool"
	done
}

need_ipv6() {
	[ -e /proc/net/if_inet6 ] || skip "this kernel has no IPv6"
}

# Not all machines let the same place be written.
make_scratch() {
	local place
	for place in "${TMPDIR:-/tmp}" /run /tmp; do
		SCRATCH=$(mktemp -d -p "$place" 2>/dev/null) && break
	done
	[ -n "${SCRATCH:-}" ] || skip "no writable directory"
	defer rm -rf "$SCRATCH"
}
make_scratch

# --------------------------------------------------------------- waiting --

# Milliseconds since boot, to set limits with.
now_ms() {
	local up
	read -r up _ </proc/uptime
	echo $((10#${up/./} * 10))
}

# busywait SECONDS COMMAND...: repeat until it succeeds; 1 when it never did.
busywait() {
	local limit
	limit=$(($(now_ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(now_ms)" -lt "$limit" ] || return 1
		sleep 0.05
	done
}

# await SECONDS WHAT COMMAND...: the same, but not to succeed is a failure.
await() {
	local seconds=$1 what=$2
	shift 2
	busywait "$seconds" "$@" || fail "$what: not within $seconds s: $*"
}

# stop PID: end a process of ours and reap it; it may have ended already.
stop() {
	if kill "$1" 2>/dev/null; then
		kill -CONT "$1" 2>/dev/null || :
	fi
	wait "$1" 2>/dev/null || :
}

# ------------------------------------------------------------ namespaces --

# The names that setup_ns is called with, for who reads a stage alone.
away='' far='' here='' host='' left='' nat='' other='' right='' source='' there=''
under=''

# setup_ns NAME...: make a namespace each and set the variable NAME to it.
setup_ns() {
	local name ns
	for name; do
		ns=wgi-$name-$RANDOM$RANDOM
		ip netns add "$ns"
		defer remove_ns "$ns"
		ip -n "$ns" link set lo up
		declare -g "$name=$ns"
	done
}

# A stage may have deleted it itself. What still runs there is ours.
remove_ns() {
	local pid
	[ -e "/run/netns/$1" ] || return 0
	for pid in $(ip netns pids "$1"); do
		kill -9 "$pid" 2>/dev/null || :
	done
	ip netns del "$1"
}

# in_ns NS COMMAND...: without the new mount of /sys that "ip netns exec" does.
in_ns() {
	nsenter --net="/run/netns/$1" "${@:2}"
}

# bg_ns NS COMMAND...: in the background, until the stage ends or "stop $BG".
# (A function in the background would be a shell, and the command its child.)
bg_ns() {
	nsenter --net="/run/netns/$1" "${@:2}" &
	BG=$!
	defer stop "$BG"
}

# sysctl_ns NS KEY=VALUE...
sysctl_ns() {
	in_ns "$1" sysctl -qw "${@:2}"
}

# wire NS1 IF1 NS2 IF2: a veth cable, both ends up.
wire() {
	ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

# addr NS IF ADDRESS/PREFIX...
addr() {
	local a
	for a in "${@:3}"; do
		if [[ $a == *:* ]]; then
			ip -n "$1" addr add "$a" dev "$2" nodad
		else
			ip -n "$1" addr add "$a" dev "$2"
		fi
	done
}

# namespaces_reaped SECONDS: has the kernel done with all that were deleted?
# They are reaped one batch after the other, so that a new one of ours, which
# takes one end of a cable with it, is gone only after all those before it.
namespaces_reaped() {
	local seconds=$1 probe cable=wgi$RANDOM
	probe=wgi-reap-$RANDOM$RANDOM
	ip netns add "$probe"
	ip link add "$cable" type veth peer name end netns "$probe"
	ip netns del "$probe"
	busywait "$seconds" no_such_link "$cable" && return 0
	ip link del "$cable"
	return 1
}

no_such_link() {
	! [ -e "/proc/sys/net/ipv4/conf/$1" ]
}

# ------------------------------------------------------------- wireguard --

# add_wg NS IF: a new device, in the mode that this run is about.
add_wg() {
	ip -n "$1" link add "$2" type wireguard
	set_mode "$1" "$2" "${WGI_MODE:-}"
}

# set_mode NS IF WORD: stock has no such file, and no word leaves the default.
set_mode() {
	[ -n "$3" ] || return 0
	# shellcheck disable=SC2016 # expanded by the inner shell
	ip netns exec "$1" sh -c \
		'f=/sys/class/net/$1/wireguard/mode; [ ! -e $f ] || echo $2 >$f' \
		sh "$2" "$3"
}

# has_mode NS IF: is this our module rather than stock?
has_mode() {
	ip netns exec "$1" test -e "/sys/class/net/$2/wireguard/mode"
}

# wg_set NS IF [wg set's arguments]; KEY:n stands for private-key of party n,
# and PSK:n for preshared-key n (0: none).
wg_set() {
	local ns=$1 dev=$2 word
	local -a words=()
	shift 2
	for word; do
		case $word in
		KEY:*)
			echo "${PRIV[${word#KEY:}]}" >"$SCRATCH/${word}"
			words+=(private-key "$SCRATCH/$word")
			;;
		PSK:*)
			# no preshared key is an empty file, without a newline
			printf '%s' "${PSK[${word#PSK:}]}" >"$SCRATCH/$word"
			words+=(preshared-key "$SCRATCH/$word")
			;;
		*)
			words+=("$word")
			;;
		esac
	done
	in_ns "$ns" wg set "$dev" "${words[@]}"
}

# wg_field NS IF WHAT PUBLIC: the second column of "wg show IF WHAT".
wg_field() {
	in_ns "$1" wg show "$2" "$3" | awk -v key="$4" '
		$1 == key { $1 = ""; sub(/^ /, ""); print }'
}

endpoint_is() {
	[ "$(wg_field "$1" "$2" endpoints "$3")" = "$4" ]
}

# expect_endpoint WHAT NS IF PUBLIC WANTED: now, without waiting.
expect_endpoint() {
	expect "$1" "$5" "$(wg_field "$2" "$3" endpoints "$4")"
}

# sent NS IF PUBLIC, received ...: bytes, as wg counts them.
sent() {
	wg_field "$1" "$2" transfer "$3" | cut -d' ' -f2
}

received() {
	wg_field "$1" "$2" transfer "$3" | cut -d' ' -f1
}

handshaken() {
	[ "$(wg_field "$1" "$2" latest-handshakes "$3")" -gt 0 ]
}

# loop_pair: two devices in two namespaces without a wire; their sockets meet
# on the loopback of a third one, in which the devices were created.
#
#    $left  wg1 10.70.0.1 fd70::1          $right  wg2 10.70.0.2 fd70::2
#       ┆                                      ┆
#    $under :5101 ─────── 127.0.0.1, ::1 ─── :5102
loop_pair() {
	setup_ns under left right
	add_wg "$under" wg1
	add_wg "$under" wg2
	ip -n "$under" link set wg1 netns "$left"
	ip -n "$under" link set wg2 netns "$right"
	wg_set "$left" wg1 KEY:1 listen-port 5101 peer "${PUB[2]}" \
		endpoint 127.0.0.1:5102 allowed-ips 10.70.0.2/32,fd70::2/128
	wg_set "$right" wg2 KEY:2 listen-port 5102 peer "${PUB[1]}" \
		endpoint 127.0.0.1:5101 allowed-ips 10.70.0.1/32,fd70::1/128
	inner_up "$left" wg1 1
	inner_up "$right" wg2 2
}

# wire_pair: two hosts, a cable, and a tunnel through it.
#
#    $left  w1 192.0.2.1 2001:db8::1 ═══ w2 192.0.2.2 2001:db8::2  $right
#           wg1 10.70.0.1 fd70::1        wg2 10.70.0.2 fd70::2
wire_pair() {
	setup_ns left right
	wire "$left" w1 "$right" w2
	addr "$left" w1 192.0.2.1/24 2001:db8::1/64
	addr "$right" w2 192.0.2.2/24 2001:db8::2/64
	add_wg "$left" wg1
	add_wg "$right" wg2
	wg_set "$left" wg1 KEY:1 listen-port 5101 peer "${PUB[2]}" \
		endpoint 192.0.2.2:5102 allowed-ips 10.70.0.2/32,fd70::2/128
	wg_set "$right" wg2 KEY:2 listen-port 5102 peer "${PUB[1]}" \
		endpoint 192.0.2.1:5101 allowed-ips 10.70.0.1/32,fd70::1/128
	inner_up "$left" wg1 1
	inner_up "$right" wg2 2
}

# inner_up NS IF N: the inner addresses of party N.
inner_up() {
	addr "$1" "$2" "10.70.0.$3/24" "fd70::$3/64"
	ip -n "$1" link set "$2" up
}

# --------------------------------------------------------------- traffic --

# ping_once NS ADDRESS [ping's options]: one answer within three seconds. For
# conditions; the first packet may have to wait for a handshake.
ping_once() {
	in_ns "$1" ping -q -n -c 1 -W 3 "${@:3}" "$2" >/dev/null 2>&1
}

# ping_ok WHAT NS ADDRESS [ping's options]
ping_ok() {
	local said
	said=$(in_ns "$2" ping -n -c 1 -W $((3 * ${WGI_FACTOR:-1})) "${@:4}" "$3" 2>&1) ||
		fail "$1: expected an answer to ping, saw: $said"
}

# ping_dead WHAT NS ADDRESS [ping's options]: no answer within a second.
ping_dead() {
	local said
	if said=$(in_ns "$2" ping -n -c 1 -W 1 "${@:4}" "$3" 2>&1); then
		fail "$1: expected no answer to ping, saw: $said"
	fi
	PING_SAID=$said
}

# icmp_count NS ADDRESS V4-COUNTER V6-COUNTER: of the address's family
icmp_count() {
	local file=/proc/net/snmp6 name=$4
	if [[ $2 != *:* ]]; then
		file=/proc/net/snmp
		name=$3
	fi
	# shellcheck disable=SC2016 # awk
	in_ns "$1" awk -v name="$name" '$1 == name { print $2 }
		$1 == "Icmp:" && !column {
			for (column = NF; column && $column != name; column--);
			next
		}
		$1 == "Icmp:" { print $column }' $file
}

# echo_replies NS ADDRESS, echo_requests NS ADDRESS: received so far
echo_replies() {
	icmp_count "$1" "$2" InEchoReps Icmp6InEchoReplies
}

echo_requests() {
	icmp_count "$1" "$2" InEchos Icmp6InEchos
}

replies_are() {
	[ "$(echo_replies "$1" "$2")" -ge "$3" ]
}

# flood NS ADDRESS [COUNT]: every packet is answered, none twice. A flooding
# ping hardly waits for its last answers; the kernel's counter does not mind.
flood() {
	local count=${3:-100} before said
	before=$(echo_replies "$1" "$2")
	said=$(in_ns "$1" ping -q -f -n -c "$count" -W 3 "$2" 2>&1) || :
	expect_match "flood ping to $2" "$count packets transmitted" "$said"
	busywait 10 replies_are "$1" "$2" $((before + count)) || :
	expect "answers to a flood ping to $2" "$count" \
		$(($(echo_replies "$1" "$2") - before))
}

listening() {
	[ -n "$(in_ns "$1" ss -Hltn "sport = :$2")" ]
}

# run_iperf CLIENT-NS SERVER-NS ADDRESS [iperf3's options]: bytes must arrive.
run_iperf() {
	local from=$1 to=$2 address=$3 log=$SCRATCH/iperf.$RANDOM server said
	shift 3
	bg_ns "$to" iperf3 -s -1 -p 5201 >"$log" 2>&1
	server=$BG
	await 20 "iperf3 -s listens" listening "$to" 5201
	said=$(in_ns "$from" iperf3 -p 5201 -c "$address" -f k "$@" 2>&1) ||
		fail "iperf3 to $address: $said; server: $(<"$log")"
	wait "$server" || fail "iperf3 -s for $address: $(<"$log")"
	awk '/receiver/ { for (i = 1; i < NF; i++)
			if ($(i + 1) ~ /Bytes$/ && $i > 0) good = 1 }
		END { exit !good }' <<<"$said" ||
		fail "iperf3 to $address: expected bytes received, saw: $said"
}

# tcp CLIENT-NS SERVER-NS ADDRESS [iperf3's options]
tcp() {
	run_iperf "$1" "$2" "$3" -t 1 "${@:4}"
}

# tcp_short CLIENT-NS SERVER-NS ADDRESS: not for long, where there are many
tcp_short() {
	run_iperf "$1" "$2" "$3" -n 2M "${@:4}"
}

# udp CLIENT-NS SERVER-NS ADDRESS: as fast as it goes; losses are normal.
udp() {
	run_iperf "$1" "$2" "$3" -t 1 -u -b 0 "${@:4}"
}

# traffic: ping, and TCP both ways between $left and $right, in both families
traffic() {
	flood "$left" 10.70.0.2 50
	flood "$right" fd70::1 50
	tcp "$left" "$right" 10.70.0.2
	tcp "$right" "$left" fd70::1
}

# background_ping NS ADDRESS: pings until the stage ends, in $PINGER.
background_ping() {
	bg_ns "$1" ping -q -n -i 0.01 "$2" >/dev/null 2>&1
	PINGER=$BG
}

# ------------------------------------------------------------ inspection --

# watch_outer NS IF FILE [sniff|inner]: write a line for each UDP packet that enters or
# leaves (on a loopback: once) until unwatch; see net.py for the columns.
watch_outer() {
	rm -f "$3"
	bg_ns "$1" python3 "$WGI_LIB/net.py" "${4:-sniff}" "$2" "$3"
	WATCHER=$BG
	await 20 "the sniffer on $2" grep -qs '^# ready' "$3"
}

# unwatch: what arrived until now is in the file afterwards.
unwatch() {
	kill -TERM "$WATCHER"
	wait "$WATCHER" || fail "the sniffer failed"
}

# kernel_log_start, kernel_log: what the kernel has said since.
kernel_log_start() {
	LOG_MARK="wgi stage $$-$RANDOM"
	echo "<6>$LOG_MARK" >/dev/kmsg
}

kernel_log() {
	dmesg | awk -v mark="$LOG_MARK" 'seen { print } index($0, mark) { seen = 1 }'
}

# ------------------------------------------------------------- netfilter --

# filter NS: load rules for nft from standard input, or skip the stage.
filter() {
	local said
	need nft
	said=$(in_ns "$1" nft -f - 2>&1) ||
		skip "this kernel or nft does not know the rules: ${said%%$'\n'*}"
}

# masquerade NS IF: what leaves there does so under that interface's address.
masquerade() {
	filter "$1" <<-EOR
		table inet wgi_nat {
			chain post {
				type nat hook postrouting priority 100;
				oifname "$2" masquerade
			}
		}
	EOR
}
