#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# probe.sh KDIR: look into a kernel's headers. Prints -D flags for include/compat;
# where something is amiss, says what in one sentence and fails.

kdir=$1

die()
{
	echo "wireguard-inline: $*" >&2
	exit 1
}

[ -e "$kdir/Makefile" ] ||
	die "$kdir is no kernel to build for: install its linux-headers package, or give KVER= or KDIR=."
# A build directory, and Debian's header packages, name the source in here.
srctree=$(sed -n 's,^include \(/.*\)/Makefile$,\1,p' "$kdir/Makefile")
include=${srctree:-$kdir}/include
[ -d "$include/linux" ] || die "$kdir has no kernel headers."
