#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: with dynamic debug, each interface, peer and keypair that says that it
#       is created says later that it is destroyed
# needs: core
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

dyndbg() {
	echo "module wireguard $1" >"$CONTROL"
}

# left_over: what was created and not destroyed, or destroyed and not created
left_over() {
	kernel_log >"$SCRATCH/log"
	awk '/: wgl[0-9]+: .* (created|destroyed)/ {
		sub(/.*: wgl/, "wgl")
		name = $2 == "Interface" ? $1 " " $2 : $1 " " $2 " " $3
		count[name] += / created/ ? 1 : -1
	}
	END {
		for (name in count)
			if (count[name])
				print name, count[name]
		print "end"
	}' "$SCRATCH/log"
}

made() {
	awk -v kind="$1" '/: wgl[0-9]+: .* created/ && index($0, ": " kind) {
		n++ } END { print n + 0 }' "$SCRATCH/log"
}

all_destroyed() {
	[ "$(left_over)" = end ]
}

for CONTROL in /proc/dynamic_debug/control \
	/sys/kernel/debug/dynamic_debug/control ""; do
	[ -z "$CONTROL" ] || [ ! -w "$CONTROL" ] || break
done
[ -n "$CONTROL" ] || skip "this kernel has no dynamic debug"
limit=$(sysctl -n net.core.message_cost) 2>/dev/null ||
	skip "the limit on kernel messages belongs to another namespace"
# Whoever had it on already may have it on.
if ! grep -q '\[wireguard\].* =[a-z]*p' "$CONTROL"; then
	dyndbg +p
	defer dyndbg -p
fi
# No message may be left out because there are many.
sysctl -qw net.core.message_cost=0
defer sysctl -qw net.core.message_cost="$limit"
kernel_log_start

setup_ns host right
for n in 3 4; do
	add_wg "$host" wgl$n
done
ip -n "$host" link set wgl4 netns "$right"
wg_set "$host" wgl3 KEY:3 listen-port 5103 peer "${PUB[4]}" \
	endpoint 127.0.0.1:5104 allowed-ips 10.70.0.4/32
wg_set "$right" wgl4 KEY:4 listen-port 5104 peer "${PUB[3]}" \
	allowed-ips 10.70.0.3/32
inner_up "$host" wgl3 3
inner_up "$right" wgl4 4
ping_ok "first keypairs" "$host" 10.70.0.4
wg_set "$host" wgl3 KEY:5
wg_set "$right" wgl4 peer "${PUB[5]}" allowed-ips 10.70.0.3/32
ping_ok "second keypairs" "$host" 10.70.0.4
ip -n "$host" link set wgl3 down
ip -n "$host" link set wgl3 up
ping_ok "third keypairs" "$host" 10.70.0.4
wg_set "$right" wgl4 peer "${PUB[3]}" remove peer "${PUB[6]}"
wg_set "$host" wgl3 peer "${PUB[4]}" remove peer "${PUB[4]}" \
	endpoint 127.0.0.1:5104 allowed-ips 10.70.0.4/32
ping_ok "fourth keypairs" "$host" 10.70.0.4
remove_ns "$host"
remove_ns "$right"

busywait 20 all_destroyed || expect "left over after 20 s" end "$(left_over)"
expect "interfaces created" 2 "$(made Interface)"
expect "peers created" 5 "$(made Peer)"
[ "$(made Keypair)" -ge 8 ] ||
	fail "expected at least 8 keypairs created, saw $(made Keypair)"
