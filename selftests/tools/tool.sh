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

# ------------------------------------------------------------- bundles --

# trace NS: all that a bundle could leave behind there. Link-local addresses of
# the wire appear at their leisure.
trace() {
	list "$1" | grep -v fe80:
}

list() {
	ip -n "$1" -d -o link show | sed -E 's/ state [A-Z]+//; s/<[^>]*>//'
	ip -n "$1" -o addr show | sed -E 's/ (tentative|dadfailed)//'
	ip -n "$1" route show table all
	ip -n "$1" -6 route show table all | grep -v '^multicast'
	ip -n "$1" rule show
	ip -n "$1" -6 rule show
	ip -n "$1" nexthop show
	in_ns "$1" sysctl net.ipv4.fib_multipath_hash_policy \
		net.ipv6.fib_multipath_hash_policy \
		net.ipv4.conf.all.src_valid_mark
	in_ns "$1" nft list ruleset 2>&1 || echo "no nftables"
}

# no_trace WHAT NS BEFORE: is all as it was?
no_trace() {
	trace "$2" >"$SCRATCH/after"
	diff "$3" "$SCRATCH/after" >"$SCRATCH/difference" ||
		fail "$1: something was left: $(<"$SCRATCH/difference")"
}

# sites [CABLE]: two hosts on a wire, and a file for each, without further tunnels.
# The wire is laid by CABLE, or by wire().
#
#    $left  w1 192.0.2.1 2001:db8::1 ═══ w2 192.0.2.2 2001:db8::2  $right
#           $SCRATCH/left/dc.conf        $SCRATCH/right/dc.conf
#           10.50.0.1 fd50::1            10.50.0.2 fd50::2
sites() {
	setup_ns left right
	"${1:-wire}" "$left" w1 "$right" w2
	addr "$left" w1 192.0.2.1/24 2001:db8::1/64
	addr "$right" w2 192.0.2.2/24 2001:db8::2/64
	mkdir -m 700 "$SCRATCH/left" "$SCRATCH/right"
	site 1 2 192.0.2.2 >"$SCRATCH/left/dc.conf"
	site 2 1 192.0.2.1 >"$SCRATCH/right/dc.conf"
}

# site N OTHER HOST: the file of party N; the last section is [Peer].
site() {
	cat <<-END
		[Interface]
		PrivateKey = ${PRIV[$1]}
		ListenPort = 5${1}00
		Address = 10.50.0.$1/24, fd50::$1/64
		[Peer]
		PublicKey = ${PUB[$2]}
		Endpoint = $3:5${2}00
		AllowedIPs = 10.50.0.$2/32, fd50::$2/128
	END
}

# introduce LEFT RIGHT: each file gets the other's further tunnels.
introduce() {
	local line
	line=$("$TOOL" bundle export "$SCRATCH/right/dc.conf" -n "$2")
	"$TOOL" bundle export "$SCRATCH/left/dc.conf" -n "$1" \
		>>"$SCRATCH/right/dc.conf"
	echo "$line" >>"$SCRATCH/left/dc.conf"
}

up() {
	tool "${!1}" bundle up "$SCRATCH/$1/dc.conf" "${@:2}"
}

down() {
	tool "${!1}" bundle down "$SCRATCH/$1/dc.conf"
}

# packets_of NS IF: sent by it so far
packets_of() {
	ip -n "$1" -s -j link show "$2" | python3 -c \
		"import json, sys; print(json.load(sys.stdin)[0]['stats64']['tx']['packets'])"
}

# members NS V6: the interfaces in the group of next hops of a family, of IPv6 if
# V6 is 1, by their numbers.
members() {
	ip -n "$1" nexthop show | awk -v v6="$2" '
		$1 == "id" && $3 == "dev" { name[$2] = $4 }
		$3 == "group" && $2 % 2 == v6 { group = $4 }
		END {
			count = split(group, id, "/")
			for (i = 1; i <= count; i++)
				list = list " " name[id[i]]
			print substr(list, 2)
		}'
}
