#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# debug.sh 6.1|7: build a debug kernel for QEMU from Debian's linux-source-6.1 or
# linux-source-7.x. Prints the directory, which then holds
#
#   vmlinuz     the kernel
#   root/       a guest's root: / of this machine
#   obj/        its object tree: KDIR= for the module
#   modules/    its /lib/modules/RELEASE, stock wireguard.ko included
#   release     the kernel's release, in one line
#
# Done once, about half an hour each on two cores; kept in $WGI_CACHE (default
# /var/cache/wireguard-inline).

# shellcheck disable=SC1091,SC2034 # read by kbuild.sh
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/kbuild.sh"

VERSION=${1:-}
case $VERSION in
6.1 | 7) ;;
*) sed -n '4,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
KB_NAME=debug-$VERSION
KB_ARCH=x86_64
KB_CONFIGS="$HERE/debug.config $HERE/qemu.config"
KB_PATCHES=

# linux_source_6_1: Debian 12 has it in its archive.
linux_source_6_1()
{
	local dir=$KB_CACHE/linux-source-6.1

	if [ ! -e "$dir/linux-source-6.1.tar.xz" ]; then
		rm -rf "$dir"
		mkdir -p "$dir"
		kb_say "fetching linux-source-6.1"
		apt-get -qq -oDPkg::Lock::Timeout=600 update >&2
		(cd "$dir" && apt-get -qq -oAPT::Sandbox::User=root \
			download linux-source-6.1 >&2 &&
			dpkg -x linux-source-6.1_*.deb . &&
			mv usr/src/linux-source-6.1.tar.xz . &&
			rm -rf usr linux-source-6.1_*.deb)
	fi
	echo "$dir/linux-source-6.1.tar.xz"
}

kb_source()
{
	case $VERSION in
	6.1) linux_source_6_1 ;;
	7) "$HERE/roots.sh" source ;;
	esac
}

kb_finish()
{
	ln -sfn obj/arch/x86/boot/bzImage "$KB_DIR/vmlinuz"
	ln -sfn / "$KB_DIR/root"
}

kb_build
