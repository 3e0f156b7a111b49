#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build the debug kernel: user-mode-linux from Debian's linux-source-7.x with
# KASAN, lockdep, kmemleak and the other options of the file "config" here.
# Prints the directory, which then holds
#
#   linux       the kernel
#   obj/        its object tree: KDIR= for "make ARCH=um KDIR=… module"
#   modules/    lib/modules/RELEASE, stock wireguard.ko included
#   release     the kernel's release, in one line
#
# Done once, about fifteen minutes on two cores; kept in $WGI_CACHE (default
# /var/cache/wireguard-inline). Rebuilt when something in this directory changes.

set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
CACHE=${WGI_CACHE:-/var/cache/wireguard-inline}
JOBS=${JOBS:-$(nproc)}
PACKAGES="bc bison build-essential flex kmod libelf-dev libssl-dev patch
	python3 xz-utils"

say() { echo "uml: $*" >&2; }
die() { say "$*"; exit 1; }

# missing_packages: those of ours that this machine lacks.
missing_packages()
{
	local package

	for package in $PACKAGES; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
			grep -qx installed || echo "$package"
	done
}

install_packages()
{
	local missing

	missing=$(missing_packages)
	[ -n "$missing" ] || return 0
	say "installing" $missing
	apt-get -qq -oDPkg::Lock::Timeout=600 update >&2
	# shellcheck disable=SC2086 # one word per package
	DEBIAN_FRONTEND=noninteractive apt-get -qq -oDPkg::Lock::Timeout=600 \
		install -y --no-install-recommends $missing >&2
}

kernel_make()
{
	make -s -C "$SRC" ARCH=um O="$OBJ" "$@" >&2
}

# configure: the defaults of ARCH=um with our lines on top, and a look at
# whether Kconfig took them.
configure()
{
	local line wanted refused=''

	kernel_make defconfig
	sed -E 's/ +# optional$//' "$HERE/config" >>"$OBJ/.config"
	# Every line of ours replaces one of defconfig's: that is meant.
	kernel_make olddefconfig 2>"$WORK/olddefconfig.log" ||
		die "Kconfig: $(cat "$WORK/olddefconfig.log")"
	while read -r line; do
		case $line in
		CONFIG_*) wanted=${line%% *} ;;
		'# CONFIG_'*' is not set')
			wanted=${line#\# }
			grep -qE "^${wanted%% *}=" "$OBJ/.config" &&
				refused+=" no-${wanted%% *}"
			continue ;;
		*) continue ;;
		esac
		grep -qxF "$wanted" "$OBJ/.config" && continue
		case $line in
		*'# optional') say "not on this kernel: $wanted" ;;
		*) refused+=" $wanted" ;;
		esac
	done <"$HERE/config"
	[ -z "$refused" ] || die "Kconfig refuses:$refused"
}

# What the kernel is made of: a change of it means another kernel.
wanted_stamp()
{
	cat "$HERE/config" "$HERE/build.sh" "$HERE"/*.patch | sha256sum | cut -c1-16
}

FINAL=$CACHE/uml
stamp=$(wanted_stamp)
if [ "$(cat "$FINAL/stamp" 2>/dev/null)" = "$stamp" ]; then
	echo "$FINAL"
	exit 0
fi
mkdir -p "$CACHE"
exec {lock}>"$CACHE/.lock-uml"
flock "$lock"
if [ "$(cat "$FINAL/stamp" 2>/dev/null)" = "$stamp" ]; then
	echo "$FINAL"
	exit 0
fi

WORK=$FINAL
SRC=$WORK/src
OBJ=$WORK/obj
install_packages
tarball=$("$HERE/../vm/roots.sh" source)
rm -f "$WORK/stamp"
source_stamp="$tarball $(cat "$HERE"/*.patch | sha256sum | cut -c1-16)"
if [ "$(cat "$WORK/source" 2>/dev/null)" != "$source_stamp" ]; then
	rm -rf "$WORK"
	mkdir -p "$SRC"
	say "unpacking ${tarball##*/}"
	tar -xf "$tarball" -C "$SRC" --strip-components=1
	for fix in "$HERE"/*.patch; do
		patch -s -p1 -d "$SRC" <"$fix" >&2 || die "${fix##*/} does not fit"
	done
	echo "$source_stamp" >"$WORK/source"
fi
mkdir -p "$OBJ"
configure
say "building with $JOBS jobs; this takes a while, once"
kernel_make -j"$JOBS" 2>"$WORK/build.log" || {
	tail -n 40 "$WORK/build.log" >&2
	die "the build failed; see $WORK/build.log"
}
rm -rf "$WORK/tree"
kernel_make INSTALL_MOD_PATH="$WORK/tree" modules_install
make -s -C "$SRC" ARCH=um O="$OBJ" kernelrelease >"$WORK/release"
ln -sfn obj/linux "$WORK/linux"
ln -sfn "tree/lib/modules/$(cat "$WORK/release")" "$WORK/modules"
echo "$stamp" >"$WORK/stamp"
say "kernel $(cat "$WORK/release") ready in $FINAL"
echo "$FINAL"
