#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh [RELEASE [MODULES]]: does DKMS put the module in the place of the
# kernel's own, and take it away again? RELEASE is that of the running kernel and
# MODULES its /lib/modules/RELEASE if not given; MODULES/build are its headers.
# Everything happens in a temporary directory: nothing of this system is changed.

set -u
# As a user runs it; make may have called us, and DKMS would stumble over that.
unset MAKELEVEL MAKEFLAGS MFLAGS
TOP=$(cd "$(dirname "$0")/../.." && pwd)
RELEASE=${1:-$(uname -r)}
MODULES=${2:-/lib/modules/$RELEASE}
HEADERS=$(readlink -f "$MODULES/build")
VERSION=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$TOP/dkms.conf")
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
LOG=$WORK/log
TREE=$WORK/lib/modules/$RELEASE
number=0 failed=0

skip_all()
{
	echo "1..0 # SKIP $*"
	exit 4
}

# report NAME COMMAND...: a test, with the log if it fails.
report()
{
	local name=$1

	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number - $name"
	else
		sed 's/^/# /' "$LOG"
		echo "not ok $number - $name"
		failed=$((failed + 1))
	fi
}

# dkms_do HEADERS ACTION: on a tree, sources and modules of our own.
dkms_do()
{
	dkms "$2" -m wireguard-inline -v "$VERSION" -k "$RELEASE" --no-depmod \
		--dkmstree "$WORK/dkms" --sourcetree "$WORK/src" \
		--installtree "$WORK/lib/modules" --kernelsourcedir "$1" \
		>"$LOG" 2>&1 </dev/null
}

# add, build, install: one after the other, all have to succeed.
dkms_all()
{
	local action

	for action in add build install; do
		dkms_do "$HEADERS" "$action" || return 1
	done
	depmod -b "$WORK" "$RELEASE"
}

dkms_undo()
{
	dkms_do "$HEADERS" remove && depmod -b "$WORK" "$RELEASE"
}

# in_place FIELD PATTERN: of the module that modprobe would load.
in_place()
{
	modinfo -b "$WORK" -k "$RELEASE" -F "$1" wireguard >"$LOG" 2>&1 &&
		grep -qx "$2" "$LOG"
}

# depmod's order is what counts, so ask the program that goes by it.
loads()
{
	modprobe -d "$WORK" -S "$RELEASE" -n --show-depends wireguard \
		>"$LOG" 2>&1
	grep -q "^insmod .*/$1/.*wireguard\.ko" "$LOG"
}

# headers_with EDIT: headers like the kernel's, but for the configuration.
headers_with()
{
	local fake=$WORK/headers

	rm -rf "$fake"
	mkdir -p "$fake/include/config"
	find "$HEADERS/" -mindepth 1 -maxdepth 1 ! -name include ! -name .config \
		-exec ln -s {} "$fake/" \;
	find "$HEADERS/include/" -mindepth 1 -maxdepth 1 ! -name config \
		-exec ln -s {} "$fake/include/" \;
	cp "$HEADERS/include/config/auto.conf" \
		"$HEADERS/include/config/kernel.release" "$fake/include/config/"
	cp "$HEADERS/.config" "$fake/"
	sed -i "$1" "$fake/.config" "$fake/include/config/auto.conf"
	echo "$fake"
}

# one_sentence TEXT: the log has one line of ours, and TEXT is in it.
one_sentence()
{
	[ "$(grep -c '^wireguard-inline: ' "$LOG")" = 1 ] &&
		grep -q "^wireguard-inline: .*$1.*\.\$" "$LOG"
}

# dkms_refuses HEADERS TEXT: DKMS has its own exit code for "not meant for this".
dkms_refuses()
{
	dkms_do "$1" build
	[ $? = 77 ] && one_sentence "$2"
}

make_refuses()
{
	! make -C "$WORK/src/wireguard-inline-$VERSION" module KDIR="$1" \
		>"$LOG" 2>&1 && one_sentence "$2"
}

command -v dkms >/dev/null || skip_all "dkms is not installed"
[ -e "$HEADERS/.config" ] || skip_all "no headers for $RELEASE"
stock=$(find "$MODULES/kernel/drivers/net/wireguard" -name 'wireguard.ko*' \
	2>/dev/null)
[ -n "$stock" ] || skip_all "$RELEASE has no wireguard module to replace"

mkdir -p "$WORK/dkms" "$WORK/src" "$TREE/kernel/drivers/net/wireguard"
cp "$stock" "$TREE/kernel/drivers/net/wireguard/"
cp "$MODULES"/modules.order "$MODULES"/modules.builtin* "$TREE/"
depmod -b "$WORK" "$RELEASE"
make -s -C "$TOP" SOURCE="$WORK/src/wireguard-inline-$VERSION" dkms-source \
	>"$LOG" 2>&1 || { cat "$LOG"; exit 1; }

echo "KTAP version 1"
echo "1..11"
report "at first there is stock" loads kernel
report "add, build, install" dkms_all
report "modprobe takes ours, from updates" loads updates
report "it shows its version" in_place version "$VERSION"
report "it is for this kernel" in_place vermagic "$RELEASE .*"
report "remove" dkms_undo
report "then stock is back" loads kernel
dkms_do "$HEADERS" add
headers=$(headers_with 's/^CONFIG_WIREGUARD=m/CONFIG_WIREGUARD=y/')
report "dkms: built in" dkms_refuses "$headers" 'CONFIG_WIREGUARD=y'
report "make: built in" make_refuses "$headers" 'CONFIG_WIREGUARD=y'
headers=$(headers_with '/^CONFIG_WIREGUARD=/d; /^CONFIG_NET_UDP_TUNNEL=/d')
report "dkms: option missing" dkms_refuses "$headers" 'CONFIG_WIREGUARD=m'
report "make: option missing" make_refuses "$headers" 'CONFIG_NET_UDP_TUNNEL'
echo "# $((number - failed)) passed, $failed failed"
[ "$failed" = 0 ]
