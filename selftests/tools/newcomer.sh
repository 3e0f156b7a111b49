# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by a shell in each of two guests that are joined by link0: a newcomer there,
# who follows README. What "hear" and "at" of a stage may ask for:
#
#   arrive N PEER  be site N of 1 and 2, in a network namespace with link0 and with
#                 systemd; there are /etc/wireguard/dc.conf, with PEER's address,
#                 and a clone
#   line WORD     do what README's line says that has this word
#   paste LINE    into the section [Peer] of dc.conf
#   run WORD…     a command in that namespace
#   in_use        the tunnels that are, for IPv4, and for IPv6
#   sent          each tunnel, and how many bytes it has sent, IPv4 and IPv6
#   begin         with one tunnel, when all that is there has been noted
#   end           the same afterwards: is all as it was before?
#   leave         as if nobody had been here
#
# Not as README has it: apt does not install, but looks whether it is installed, as
# a guest has no network; and of systemd there is nothing but what runs services.

FACTOR=${WGI_FACTOR:-1}
HOST=wgi-newcomer
NEWCOMER=/run/newcomer
UNITS=$NEWCOMER/units

# readme_lines: what it says about bundles, a command a line
readme_lines() {
	awk '/^To use several cores/ { here = 1 }
		here && /^```$/ { exit }
		lines { print }
		here && /^```sh$/ { lines = 1 }' "$WGI_LIB/../project/README.md"
}

# systemd hears only who is in its namespace of processes.
run() {
	nsenter --target "$(<"$NEWCOMER/pid")" --net --pid --mount \
		env PATH="$NEWCOMER/bin:$PATH" SYSTEMD_UNIT_PATH="$UNITS" "$@"
}

arrive() {
	ip netns add "$HOST"
	ip -n "$HOST" link set lo up
	ip link set link0 netns "$HOST"
	ip -n "$HOST" link set link0 up
	addr "$HOST" link0 "192.0.2.$1/24" "2001:db8::$1/64"
	mkdir -p "$NEWCOMER/bin" "$UNITS" /etc/wireguard
	cp -a "$WGI_LIB/../project" "$NEWCOMER/clone"
	(umask 077 && site "$1" $((3 - $1)) "$2" >/etc/wireguard/dc.conf)
	printf '#!/bin/sh\nexec "$@"\n' >"$NEWCOMER/bin/sudo"
	printf '#!/bin/sh\nshift\nexec dpkg -s "$@" >/dev/null\n' \
		>"$NEWCOMER/bin/apt"
	chmod 755 "$NEWCOMER"/bin/*
	start_systemd
}

# Where make installs units is looked into for the one of the bundle alone.
start_systemd() {
	local target
	for target in sysinit basic multi-user network-online nss-lookup shutdown; do
		printf '[Unit]\nDefaultDependencies=no\n' >"$UNITS/$target.target"
	done
	ln -s /usr/lib/systemd/system/wg-inline@.service "$UNITS/"
	mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup
	nsenter --net="/run/netns/$HOST" env container=wgi \
		SYSTEMD_UNIT_PATH="$UNITS" setsid unshare --pid --fork \
		--kill-child --mount-proc /lib/systemd/systemd --system \
		--unit=multi-user.target </dev/null >"$NEWCOMER/systemd.log" 2>&1 &
	await $((20 * FACTOR)) "systemd" child_of $! "$NEWCOMER/pid"
	await $((20 * FACTOR)) "services" services_start
}

services_start() {
	run systemctl -q is-active multi-user.target 2>/dev/null
}

# child_of PID FILE: the namespace's first process, into FILE
child_of() {
	pgrep -P "$1" >"$2" && grep -q '^systemd$' "/proc/$(<"$2")/comm"
}

# line WORD: as it is printed there, and with the shell that a newcomer has
line() {
	local text
	text=$(readme_lines | grep -F -- "$1") || fail "README has no line with $1"
	[ "$(wc -l <<<"$text")" = 1 ] || fail "README has more than a line with $1"
	run env -C "$NEWCOMER/clone" bash -c "$text"
}

paste() {
	echo "$1" >>/etc/wireguard/dc.conf
}

in_use() {
	echo "$(members "$HOST" 0), $(members "$HOST" 1)"
}

# Of IPv4 at least that much, as a packet grows by 47 bytes at most.
sent() {
	ip -n "$HOST" -s -o link show type wireguard | awk '{
		sub(/:$/, "", $2)
		for (i = 1; $i != "TX:"; i++);
		while ($i !~ /^[0-9]+$/)
			i++
		print $2, $i, $(i + 1)
	}' | while read -r device bytes packets; do
		v6=$(in_ns "$HOST" awk '$1 == "Ip6OutOctets" { print $2 }' \
			"/proc/net/dev_snmp6/$device")
		echo "$device $((bytes - v6 - 47 * packets)) $v6"
	done
}

# all_that_is: what a bundle could leave behind. WireGuard itself, stock as well, sees
# to it that no redirects are sent as soon as it has had an interface.
all_that_is() {
	trace "$HOST"
	run sysctl -a -r '^net\.(core|ipv4|ipv6)\.' 2>/dev/null |
		grep -v '^net\.ipv4\.conf\.all\.send_redirects '
}

begin() {
	all_that_is >"$NEWCOMER/before"
	run wg-quick up dc
}

end() {
	run wg-quick down dc
	all_that_is >"$NEWCOMER/after"
	diff "$NEWCOMER/before" "$NEWCOMER/after" || fail "something was left"
	echo "# of $(wc -l <"$NEWCOMER/before") lines none is another"
}

link_is_back() {
	[ -e /sys/class/net/link0 ]
}

leave() {
	remove_ns "$HOST"
	await 60 "link0 is back" link_is_back
	rm -rf "$NEWCOMER" /run/systemd /etc/wireguard/dc.conf \
		/etc/systemd/system/multi-user.target.wants/wg-inline@dc.service
}
