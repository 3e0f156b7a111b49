#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build the user-mode-linux debug kernel: Debian's linux-source-7.x with KASAN,
# lockdep, kmemleak and the other options of config and ../vm/debug.config.
# Prints the directory, which then holds
#
#   linux       the kernel
#   obj/        its object tree: KDIR= for "make ARCH=um KDIR=… module"
#   modules/    its /lib/modules/RELEASE, stock wireguard.ko included
#   release     the kernel's release, in one line
#
# Done once, about fifteen minutes on two cores; kept in $WGI_CACHE (default
# /var/cache/wireguard-inline). Built again when something that goes into it
# changes.

# shellcheck disable=SC1091,SC2034 # read by kbuild.sh
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../vm/kbuild.sh"

KB_NAME=uml
KB_ARCH=um
KB_CONFIGS="$HERE/../vm/debug.config $HERE/config"
KB_PATCHES="$HERE/lazy-ipi.patch $HERE/stack-trace.patch"

kb_source() { "$HERE/../vm/roots.sh" source; }
kb_finish() { ln -sfn obj/linux "$KB_DIR/linux"; }
kb_build
