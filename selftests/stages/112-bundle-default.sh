#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: fields of wg-quick's files mean in a bundle what they mean there: default
#       routes by rules and a table, FwMark, Table, MTU, PresharedKey, hooks
# needs: once tool user
# timeout: 120
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

# with SED-COMMANDS: a file changed, as dc.conf of its own
with() {
	mkdir -p "$SCRATCH/x"
	sed "$@" "$SCRATCH/left/dc.conf" >"$SCRATCH/x/dc.conf"
	tool "$left" bundle up "$SCRATCH/x/dc.conf"
}

without() {
	tool "$left" bundle down "$SCRATCH/x/dc.conf"
	no_trace "$1" "$left" "$SCRATCH/before"
}

# count REGEX: lines of standard input that match; none is no failure
count() {
	grep -c -- "$1" || :
}

need_ipv6
sites
introduce 2 2
addr "$left" w1 198.51.100.1/24
sed -i 's/^\(AllowedIPs\).*/\1 = 10.50.0.0\/24, fd50::\/64/' \
	"$SCRATCH/right/dc.conf"
up right
trace "$left" >"$SCRATCH/before"

# Everything goes through it, but its own outer packets, and what the main table
# has a route for.
with 's,^AllowedIPs.*,AllowedIPs = 0.0.0.0/0\, ::/0,'
mark=$(in_ns "$left" wg show dc fwmark)
expect "mark" "$mark" "$(in_ns "$left" wg show dc-2 fwmark)"
expect "table" 1 "$(ip -n "$left" route show table $((mark)) | count '^default')"
expect "table" 1 "$(ip -n "$left" -6 route show table $((mark)) | count '^default')"
expect_match "a route anywhere" " dev dc" "$(ip -n "$left" route get 8.8.8.8)"
expect_match "a route anywhere" " dev dc" "$(ip -n "$left" -6 route get 2001:db8:9::1)"
expect_match "a route on the wire" " dev w1" "$(ip -n "$left" route get 198.51.100.7)"
expect "src_valid_mark" 1 "$(in_ns "$left" sysctl -n net.ipv4.conf.all.src_valid_mark)"
ip -n "$right" addr add 8.8.8.8/32 dev lo
ping_ok "anywhere" "$left" 8.8.8.8 -I 10.50.0.1
ping_ok "its own network" "$left" 10.50.0.2
ping_ok "its own network" "$left" fd50::2
without "a default route"

# A mark of the file's is the number of the table, too.
with -e 's,^AllowedIPs.*,AllowedIPs = 0.0.0.0/0,' -e '2i FwMark = 0x4d2'
expect "table" 1 "$(ip -n "$left" route show table 1234 | count '^default')"
expect "no rule for IPv6" 0 "$(ip -n "$left" -6 rule show | count 1234)"
ping_ok "anywhere" "$left" 8.8.8.8 -I 10.50.0.1
without "a mark"

# Two of them share a rule; each takes its own away.
with 's,^AllowedIPs.*,AllowedIPs = 0.0.0.0/0,'
trace "$left" >"$SCRATCH/one"
sed -e 's/^ListenPort.*/ListenPort = 5900/' -e 's/10\.50\./10.51./g' \
	-e 's/fd50:/fd51:/g' "$SCRATCH/x/dc.conf" >"$SCRATCH/second.conf"
tool "$left" bundle up "$SCRATCH/second.conf"
tool "$left" bundle down "$SCRATCH/second.conf"
no_trace "the second of two" "$left" "$SCRATCH/one"
without "the first of two"

# Whichever goes first: what the main table has a route for stays with the other.
with 's,^AllowedIPs.*,AllowedIPs = 0.0.0.0/0,'
tool "$left" bundle up "$SCRATCH/second.conf"
tool "$left" bundle down "$SCRATCH/x/dc.conf"
expect_match "a route on the wire" " dev w1" "$(ip -n "$left" route get 198.51.100.7)"
expect_match "a route anywhere" " dev second" "$(ip -n "$left" route get 8.8.8.8)"
tool "$left" bundle down "$SCRATCH/second.conf"
no_trace "the second of two, as the last" "$left" "$SCRATCH/before"

# Rules for the same table that were there before are somebody else's.
ip -n "$left" rule add not fwmark 1234 table 1234
ip -n "$left" rule add table main suppress_prefixlength 0
trace "$left" >"$SCRATCH/before"
default="s,^AllowedIPs.*,AllowedIPs = 0.0.0.0/0,"
if with -e "$default" -e '2i FwMark = 1234' -e '2i PreUp = false' 2>/dev/null; then
	fail "a hook that fails is no matter"
fi
no_trace "a bundle that did not come up" "$left" "$SCRATCH/before"
with -e "$default" -e '2i FwMark = 1234'
expect "rules for the table" 2 "$(ip -n "$left" rule show | count 'lookup 1234')"
without "a bundle beside others' rules"
ip -n "$left" rule del not fwmark 1234 table 1234
ip -n "$left" rule del table main suppress_prefixlength 0
trace "$left" >"$SCRATCH/before"

with -e '2i Table = off'
expect "routes" 1 "$(ip -n "$left" route show table all | count 'static.*scope link')"
expect "routes to its own networks" "1 1" "$(ip -n "$left" route | count '^10.50.0.0/24') \
$(ip -n "$left" -6 route | count '^fd50::/64')"
ping_ok "Table = off: its own network" "$left" 10.50.0.2
without "Table = off"
with -e '2i Table = 77' -e 's,^AllowedIPs.*,AllowedIPs = 0.0.0.0/0\, fd50::2/128,'
expect "routes in table 77" 1 "$(ip -n "$left" route show table 77 | count '^[^[:space:]]')"
expect "routes in table 77" 1 "$(ip -n "$left" -6 route show table 77 | count '^[^[:space:]]')"
expect "routes to its own networks" "1 1" "$(ip -n "$left" route | count '^10.50.0.0/24') \
$(ip -n "$left" -6 route | count '^fd50::/64')"
ping_ok "Table = 77: its own network" "$left" 10.50.0.2
expect "rules" 0 "$(ip -n "$left" rule show | count 77)"
without "Table = 77"

# Of several addresses, packets have the one that is in the network they go to.
with -e '2i Address = 10.52.0.1/24'
expect_match "source" "src 10.50.0.1" "$(ip -n "$left" route get 10.50.0.2)"
expect_match "source" "src 10.52.0.1" "$(ip -n "$left" route get 10.52.0.2)"
ping_ok "several addresses" "$left" 10.50.0.2
without "several addresses"
with -e '2i MTU = 1300'
expect "MTU" "1300 1300" "$(json "$left" "*(x['mtu'] for x in i.values())")"
without "MTU = 1300"
ip -n "$left" link set w1 mtu 1400
trace "$left" >"$SCRATCH/before"
with -e ""
expect "MTU from the path" "1320 1320" "$(json "$left" "*(x['mtu'] for x in i.values())")"
without "a smaller path"

# A preshared key that only one end has.
with "\$i PresharedKey = ${PSK[1]}"
ping_dead "one end's preshared key" "$left" 10.50.0.2
without "PresharedKey"

# Hooks: in order, with the name, in the namespace, by bash.
log=$SCRATCH/log
with -e "2i PreUp = echo pre-up %i \$(ip -br addr show dev %i | wc -w) >>$log" \
	-e "2i PostUp = [[ %i == d? ]] && echo post-up %i \$(ip -br link show up group 5100 | wc -l) >>$log" \
	-e "2i PreDown = echo pre-down \$(ip -br link show group 5100 | wc -l) >>$log" \
	-e "2i PostDown = echo post-down \$(ip -br link show group 5100 | wc -l) >>$log"
without "hooks"
expect "what the hooks saw" "pre-up dc 2 post-up dc 2 pre-down 2 post-down 0" \
	"$(xargs <"$log")"
