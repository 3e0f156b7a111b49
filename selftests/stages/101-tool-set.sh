#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: wg-inline set changes the mode of this namespace's interface, with /sys
#       read-only too if the module has flags; what it refuses changes nothing
# needs: tool
# timeout: 120
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

file() {
	ip netns exec "$1" cat "/sys/class/net/wg0/wireguard/$2"
}

has_file() {
	ip netns exec "$1" test -e "/sys/class/net/wg0/wireguard/$2"
}

# known WORD: is it a mode of the module under test?
known() {
	ip netns exec "$other" sh -c "echo $1 >/sys/class/net/wg0/wireguard/mode" \
		2>/dev/null
}

# wrong ARGUMENTS…: refused, and afterwards all is as it was.
wrong() {
	local what=$1 regex=$2
	local before=none after=none
	! has_mode "$here" wg0 || before=$(file "$here" mode)
	shift 2
	tool_refused "$what" "$regex" "$here" set "$@"
	! has_mode "$here" wg0 || after=$(file "$here" mode)
	expect "$what: mode afterwards" "$before" "$after"
}

setup_ns here other
add_wg "$here" wg0
add_wg "$other" wg0
ip -n "$here" link add tap type dummy

wrong "nothing to set" "usage: wg-inline set" wg0
wrong "no interface" "usage: wg-inline set"
wrong "half a wish" "usage: wg-inline set" wg0 mode
wrong "one wish twice" "usage: wg-inline set" wg0 mode inline mode inline
wrong "an unknown wish" "usage: wg-inline set" wg0 colour red
wrong "an unknown mode" "no mode Inline" wg0 mode Inline
wrong "no word" "there is no mode" wg0 mode ""
wrong "an unknown interface" "no interface wg9" wg9 mode inline
wrong "a dummy" "not a WireGuard interface" tap mode inline
for list in x 1- 3-1 1,,2 ',' "" 1-2: 0-3:2/1 0-3:0/0 99999999999999999999 -1 "0 1"; do
	wrong "CPUs '$list'" "not a list of CPUs" wg0 cpus "$list"
	wrong "CPUs '$list'" "not a list of CPUs" wg0 mode softirq cpus "$list"
done

if ! has_mode "$here" wg0; then
	wrong "stock" "wg0 has no modes: the loaded module is the kernel's own" \
		wg0 mode inline
	exit 0
fi

# Every mode, from every other one; a namespace's neighbour is not touched.
for from in inline threaded softirq; do
	for to in inline threaded softirq; do
		if ! known "$from" || ! known "$to"; then
			known "$to" || wrong "a mode that the module lacks" \
				"does not have the mode $to" wg0 mode "$to"
			continue
		fi
		known inline
		tool "$here" set wg0 mode "$from"
		expect "mode" "$from" "$(file "$here" mode)"
		tool "$here" set wg0 mode "$to"
		expect "mode" "$to" "$(file "$here" mode)"
		expect "mode of the other wg0" inline "$(file "$other" mode)"
		tool "$here" set wg0 mode "$to"
		expect "mode set again" "$to" "$(file "$here" mode)"
	done
done
tool "$here" set wg0 mode inline

# Who may not.
status=0
in_ns "$here" setpriv --bounding-set=-net_admin --inh-caps=-net_admin \
	"$TOOL" set wg0 mode inline >"$SCRATCH/said" 2>"$SCRATCH/error" || status=$?
one_sentence "without CAP_NET_ADMIN" "no permission" "$status"

# With the capability for networks only, /sys is the namespace's own.
# shellcheck disable=SC2016 # expanded by the inner shell
ip netns exec "$here" setpriv --bounding-set=-all,+net_admin --inh-caps=-all \
	"$TOOL" set wg0 mode inline || fail "expected CAP_NET_ADMIN to be enough"

# As in a container: /sys cannot be written.
# shellcheck disable=SC2016 # expanded by the inner shell
readonly_sys() {
	ip netns exec "$here" unshare -m sh -c 'mount -o remount,ro /sys && exec "$@"' \
		sh setpriv --bounding-set=-all,+net_admin --inh-caps=-all \
		"$TOOL" "$@"
}
if in_ns "$here" ethtool --show-priv-flags wg0 2>/dev/null | grep -q inline; then
	readonly_sys set wg0 mode inline ||
		fail "expected ethtool's flags to do with a read-only /sys"
else
	status=0
	readonly_sys set wg0 mode inline >"$SCRATCH/said" 2>"$SCRATCH/error" ||
		status=$?
	one_sentence "a read-only /sys" "/sys is read-only" "$status"
fi

# Where workers may run. A mode that is refused leaves the list alone.
if ! has_file "$here" cpus; then
	wrong "no workers" "has no list of CPUs" wg0 cpus 0
	wrong "no workers" "has no list of CPUs" wg0 mode inline cpus 0
	exit 0
fi
before=$(file "$here" cpus)
tool "$here" set wg0 cpus 0
expect "CPUs" 0 "$(file "$here" cpus)"
tool "$here" set wg0 mode inline cpus "$before"
expect "CPUs" "$before" "$(file "$here" cpus)"
wrong "a CPU that no machine has" "not have the CPUs 65000" wg0 cpus 65000
expect "CPUs afterwards" "$before" "$(file "$here" cpus)"
