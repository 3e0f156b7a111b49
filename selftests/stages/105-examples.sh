#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the examples for modprobe.d, wg-quick and NetworkManager do what they say
# needs: once tool user
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

PARAMETER=/sys/module/wireguard/parameters/mode

for dir in "$WGI_LIB/../examples" "$WGI_LIB/../../documentation/examples"; do
	[ ! -d "$dir" ] || break
done
need wg-quick modprobe
[ -e $PARAMETER ] || skip "the module under test is stock"

mode_of() { ip netns exec "$1" cat "/sys/class/net/$2/wireguard/mode"; }

# The option, as modprobe reads it, and as the module takes it.
option=$(modprobe -C "$dir/modprobe.conf" -c | grep '^options wireguard ')
expect_match "modprobe reads" '^options wireguard mode=threaded$' "$option"
before=$(<$PARAMETER)
defer sh -c "echo $before >$PARAMETER"
echo "${option##*=}" >$PARAMETER
setup_ns left
ip -n "$left" link add wg-other type wireguard
expect "a new interface's mode" threaded "$(mode_of "$left" wg-other)"
echo inline >$PARAMETER

# wg-quick, with the command in the path and its hook's failure forgiven.
cp "$dir/wg-quick.conf" "$SCRATCH/wg-road.conf"
chmod 600 "$SCRATCH/wg-road.conf"
quick() { in_ns "$left" env PATH="$1" wg-quick "$2" "$SCRATCH/wg-road.conf"; }
quick "${TOOL%/*}:$PATH" up
expect "wg-quick's interface" threaded "$(mode_of "$left" wg-road)"
quick "$PATH" down
mkdir "$SCRATCH/bin"
printf '#!/bin/sh\nexit 1\n' >"$SCRATCH/bin/wg-inline"
chmod +x "$SCRATCH/bin/wg-inline"
quick "$SCRATCH/bin:$PATH" up
expect "where the hook fails" inline "$(mode_of "$left" wg-road)"

# NetworkManager's dispatcher runs it so, before an interface is up.
dispatch() { ip netns exec "$left" "$dir/50-wg-inline" "$@"; }
dispatch wg-road up
expect "not the dispatcher's time" inline "$(mode_of "$left" wg-road)"
dispatch wg-other pre-up
dispatch lo pre-up
dispatch wg-road pre-up
expect "the dispatcher's interface" threaded "$(mode_of "$left" wg-road)"
quick "$PATH" down
