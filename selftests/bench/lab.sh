#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build the native-speed lab: a user-mode-linux kernel (SMP, real network stack, AVX-512/AVX2 ChaCha20-Poly1305) and
# stock wireguard.ko from Debian's linux-source package (see vm/roots.sh). About 8 minutes on two cores; a second call is a no-op.
#   UML_LAB   where everything goes ($WGI_CACHE/bench)
# Leaves: $UML_LAB/linux (the kernel), $UML_LAB/obj (KDIR for ARCH=um module builds), $UML_LAB/mods (stock modules).
set -euo pipefail
LAB=${UML_LAB:-${WGI_CACHE:-/var/cache/wireguard-inline}/bench}; HERE=$(cd "$(dirname "$0")" && pwd)
[ -x "$LAB/linux" ] && [ -e "$LAB/done" ] && { echo "lab ready in $LAB"; exit 0; }
apt-get install -y --no-install-recommends build-essential flex bison bc libelf-dev libssl-dev xz-utils kmod busybox-static \
    wireguard-tools iproute2 iputils-ping iperf3 ethtool procps python3 perl >/dev/null
mkdir -p "$LAB"
tarball=$("$HERE/../vm/roots.sh" source)
cd "$LAB" && rm -rf src obj mods && mkdir src obj mods
tar xf "$tarball" -C src --strip-components=1
python3 "$HERE/adapt.py" src
make -s -C src ARCH=um O="$LAB/obj" defconfig >/dev/null
src/scripts/config --file obj/.config -e SMP --set-val NR_CPUS 8 -e MODULES -e MODULE_UNLOAD -e INET -e IPV6 -m WIREGUARD \
    -e VETH -e DUMMY -e TUN -e BRIDGE -e NETFILTER -m NET_PKTGEN -e NET_SCHED -e NET_SCH_NETEM -e NET_SCH_FQ_CODEL -e NET_SCH_FQ -e RPS \
    -e IP_ADVANCED_ROUTER -e IP_MULTIPLE_TABLES -e IP_ROUTE_MULTIPATH -e IPV6_MULTIPLE_TABLES -e HOSTFS -e DEVTMPFS -e TMPFS \
    -e HIGH_RES_TIMERS -d DEBUG_KERNEL -d DEBUG_INFO -e DEBUG_INFO_NONE -d CC_OPTIMIZE_FOR_SIZE -e CC_OPTIMIZE_FOR_PERFORMANCE \
    -d HZ_100 -e HZ_250 -d SOUND -d UML_SOUND ${LAB_CONFIG:-}
make -s -C src ARCH=um O="$LAB/obj" olddefconfig >/dev/null
make -s -C src ARCH=um O="$LAB/obj" -j"$(nproc)"
make -s -C src ARCH=um O="$LAB/obj" INSTALL_MOD_PATH="$LAB/mods" modules_install
ln -sf obj/linux "$LAB/linux"; make -s -C src ARCH=um O="$LAB/obj" kernelrelease >"$LAB/release"; touch "$LAB/done"
echo "lab ready in $LAB (kernel $(cat "$LAB/release"))"
