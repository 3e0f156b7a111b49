#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: a bundle that cannot come up says why in one sentence and leaves nothing
#       behind, wherever it fails; others' multipath routes need consent
# needs: once tool user
# timeout: 120
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

# cannot WHAT REGEX [LINE…]: with lines more in its file's [Interface]
cannot() {
	local what=$1 regex=$2
	shift 2
	trace "$left" >"$SCRATCH/before"
	{
		echo "[Interface]"
		[ $# = 0 ] || printf '%s\n' "$@"
		tail -n +2 "$SCRATCH/left/dc.conf"
	} >"$SCRATCH/dc.conf"
	tool_refused "$what" "$regex" "$left" bundle up "$SCRATCH/dc.conf"
	no_trace "$what" "$left" "$SCRATCH/before"
}

policy() {
	in_ns "$left" sysctl -n net.ipv4.fib_multipath_hash_policy
}

need_ipv6
sites
introduce 4 4

cannot "a hook before" "PreUp failed with status 3: exit 3" "PreUp = exit 3"
cannot "a hook after" "PostUp failed with status 1: false" "PostUp = true" \
	"PostUp = false" "PostUp = touch $SCRATCH/never"
[ ! -e "$SCRATCH/never" ] || fail "a hook ran after one that failed"
cannot "a hook that is killed" "PostUp failed with status 137" 'PostUp = kill -9 $$'
cannot "an MTU without room for IPv6" "cannot " "MTU = 68"
cannot "an impossible address" "cannot add the address ff02::1/128" "Address = ff02::1"
cannot "a wrong file" "dc.conf:2: Adress is not known" "Adress = 10.0.0.1"

ip -n "$left" link add dc-3 type dummy
cannot "the name of a member" "there is an interface dc-3 already"
ip -n "$left" link del dc-3
add_wg "$left" wg0
wg_set "$left" wg0 listen-port 5102
ip -n "$left" link set wg0 up
cannot "the port of a member" "port 5102, for tunnel 3, is in use"
ip -n "$left" link del wg0
ip -n "$left" link add tap type dummy
ip -n "$left" link set tap up
ip -n "$left" route add 10.50.0.2/32 dev tap
cannot "a route" "there is a route to 10.50.0.2/32 already"
ip -n "$left" route del 10.50.0.2/32

sed -i 's/^Endpoint = .*/Endpoint = host.invalid:1/' "$SCRATCH/left/dc.conf"
export WG_ENDPOINT_RESOLUTION_RETRIES=0
cannot "a host" "cannot find the host host.invalid"
# Name servers may be late: it is tried again, as wg does.
WG_ENDPOINT_RESOLUTION_RETRIES=2
status=0
up left 2>"$SCRATCH/error" || status=$?
expect "a host that is not found: exit status" 1 "$status"
expect "tries" 3 "$(grep -c 'cannot find the host host.invalid' "$SCRATCH/error")"
expect_match "a host that is not found" "trying again in 1.0 s.*trying again in 1.2 s" \
	"$(xargs <"$SCRATCH/error")"
sed -i 's/^Endpoint = .*/Endpoint = 192.0.2.2:5200/' "$SCRATCH/left/dc.conf"

cp "$SCRATCH/left/dc.conf" "$SCRATCH/averylongname.conf"
tool_refused "a long name" "named after its file" "$left" bundle up \
	"$SCRATCH/averylongname.conf"
cp "$SCRATCH/left/dc.conf" "$SCRATCH/d c.conf"
tool_refused "a name with a blank" "named after its file" "$left" bundle up \
	"$SCRATCH/d c.conf"
in_ns "$left" "$TOOL" bundle up - <"$SCRATCH/left/dc.conf" \
	>"$SCRATCH/said" 2>"$SCRATCH/error" && fail "a bundle from standard input"
one_sentence "standard input" "standard input has no name" 1
tool_refused "no file" "cannot read .*none.conf" "$left" bundle up \
	"$SCRATCH/none.conf"
status=0
in_ns "$left" setpriv --bounding-set=-net_admin --inh-caps=-net_admin \
	"$TOOL" bundle up "$SCRATCH/left/dc.conf" \
	>"$SCRATCH/said" 2>"$SCRATCH/error" || status=$?
one_sentence "without CAP_NET_ADMIN" "no permission to make interfaces" "$status"

# Hashing by ports is for the whole namespace.
ip -n "$left" addr add 198.51.100.1/24 dev tap
ip -n "$left" route add 203.0.113.0/24 nexthop via 198.51.100.2 \
	nexthop via 198.51.100.3
cannot "others' routes" "multipath route to 203.0.113.0/24 .*--layer4"
trace "$left" >"$SCRATCH/before"
up left --layer4
expect "hash policy with consent" 1 "$(policy)"
down left
expect "hash policy after down" 0 "$(policy)"
no_trace "down" "$left" "$SCRATCH/before"
ip -n "$left" route del 203.0.113.0/24

# What somebody else has set before takes consent, too, but nothing fails without.
for policy in 2 3; do
	sysctl_ns "$left" net.ipv4.fib_multipath_hash_policy=$policy
	up left 2>"$SCRATCH/error"
	expect_match "hash policy of others" \
		"ipv4/fib_multipath_hash_policy is $policy, .* share a tunnel: --layer4" \
		"$(<"$SCRATCH/error")"
	expect "hash policy of others" $policy "$(policy)"
	down left
	expect "hash policy of others" $policy "$(policy)"
	up left --layer4 2>"$SCRATCH/error"
	expect "words with consent" "" "$(<"$SCRATCH/error")"
	expect "hash policy with consent" 1 "$(policy)"
	down left
	expect "hash policy of others" $policy "$(policy)"
done
sysctl_ns "$left" net.ipv4.fib_multipath_hash_fields=55
up left 2>"$SCRATCH/error"
expect "words about fields with ports" "" "$(<"$SCRATCH/error")"
down left
sysctl_ns "$left" net.ipv4.fib_multipath_hash_policy=0 \
	net.ipv4.fib_multipath_hash_fields=7

# A key for all to read deserves a word, as with wg-quick.
chmod 644 "$SCRATCH/left/dc.conf"
chmod 755 "$SCRATCH/left"
up left 2>"$SCRATCH/error"
expect_match "a public file" "everybody has access to .*dc.conf" "$(<"$SCRATCH/error")"
down left
chmod 600 "$SCRATCH/left/dc.conf"
up left 2>"$SCRATCH/error"
expect "words about a secret file" "" "$(<"$SCRATCH/error")"
down left

# Two bundles, that come first and go first: the last one puts it back.
sed -e 's/^ListenPort.*/ListenPort = 5900/' -e 's/10\.50\./10.51./g; s/fd50:/fd51:/g' \
	"$SCRATCH/left/dc.conf" >"$SCRATCH/second.conf"
trace "$left" >"$SCRATCH/before"
up left
tool "$left" bundle up "$SCRATCH/second.conf"
down left
expect "hash policy while one is left" 1 "$(policy)"
tool "$left" bundle down "$SCRATCH/second.conf"
expect "hash policy after the last one" 0 "$(policy)"
no_trace "down" "$left" "$SCRATCH/before"

# What it takes to take it down is in the kernel, should the file be broken or gone.
up left
for line in "Adress = 10.0.0.1" ""; do
	mkdir -p "$SCRATCH/broken"
	rm -f "$SCRATCH/broken/dc.conf"
	[ -z "$line" ] || echo "[Interface]
$line" >"$SCRATCH/broken/dc.conf"
	tool "$left" bundle down "$SCRATCH/broken/dc.conf" 2>"$SCRATCH/error"
	expect_match "down without a file" \
		"(dc.conf:2: Adress is not known|cannot read ).*dc is taken down without its PreDown" \
		"$(xargs -d '\n' <"$SCRATCH/error")"
	no_trace "down without a file" "$left" "$SCRATCH/before"
	tool_refused "down again without a file" "dc.conf" "$left" bundle down \
		"$SCRATCH/broken/dc.conf"
	up left
done
down left

# A hook that fails on the way down leaves the bundle up, to be tried again.
sed -i '2i PreDown = test -e '"$SCRATCH/flag" "$SCRATCH/left/dc.conf"
up left
tool_refused "down" "PreDown failed with status 1" "$left" bundle down \
	"$SCRATCH/left/dc.conf"
touch "$SCRATCH/flag"
down left
no_trace "down" "$left" "$SCRATCH/before"
