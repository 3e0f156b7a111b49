#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: where workers may run: readable, refused where it makes no sense, and
#       packets go on whatever it says and whichever CPUs come and go
# needs: core modes
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

CPUS=/sys/devices/system/cpu

cpus() {
	ip netns exec "$left" cat /sys/class/net/wg1/wireguard/cpus
}

write() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	ip netns exec "$left" bash -c \
		'echo "$1" >/sys/class/net/wg1/wireguard/cpus' sh "$1"
}

wire_pair
has_mode "$left" wg1 || skip "stock wireguard has no such file"
all=$(cpus)
expect_match "default" '^[0-9]' "$all"
for words in "" x 0-x 999 -1; do
	refused "cpus '$words'" write "$words"
	expect_match "cpus '$words'" "Invalid argument|too large|out of range" \
		"$REFUSAL"
	expect "cpus after '$words'" "$all" "$(cpus)"
done

need setpriv
refused "cpus without CAP_NET_ADMIN" ip netns exec "$left" \
	setpriv --bounding-set=-net_admin --inh-caps=-net_admin \
	bash -c "echo 0 >/sys/class/net/wg1/wireguard/cpus"
expect_match "cpus without CAP_NET_ADMIN" "not permitted" "$REFUSAL"
expect "cpus after that" "$all" "$(cpus)"

for mode in threaded softirq inline; do
	set_mode "$left" wg1 $mode
	set_mode "$right" wg2 $mode
	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		write $cpu
		expect "cpus" $cpu "$(cpus)"
		flood "$left" 10.70.0.2 50
		flood "$right" fd70::1 50
	done
	write "$all"
done

# CPUs that go, the only one that is allowed among them, and come back.
last=$(($(nproc) - 1))
[ -w $CPUS/cpu$last/online ] || {
	echo "# no CPU can be unplugged here; the rest passed"
	exit 0
}
defer sh -c "echo 1 >$CPUS/cpu$last/online"
background_ping "$left" 10.70.0.2
for mode in threaded softirq inline; do
	set_mode "$left" wg1 $mode
	set_mode "$right" wg2 $mode
	write $last
	for _ in 1 2 3; do
		echo 0 >$CPUS/cpu$last/online
		flood "$right" 10.70.0.1 50
		refused "cpus that are all offline" write $last
		echo 1 >$CPUS/cpu$last/online
		flood "$right" 10.70.0.1 50
	done
	write "$all"
done
