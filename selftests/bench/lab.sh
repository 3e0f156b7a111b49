#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lab.sh: build the native-speed lab, a user-mode-linux kernel (SMP, real network
# stack, vectorised ChaCha20-Poly1305) and stock wireguard.ko, from Debian's
# linux-source package (see vm/roots.sh). About 8 minutes on two cores; a second call
# does nothing. Leaves
#
#   $UML_LAB/linux   the kernel
#   $UML_LAB/obj     KDIR for ARCH=um module builds
#   $UML_LAB/mods    stock's modules
#
#   UML_LAB     where everything goes ($WGI_CACHE/bench)
#   LAB_CONFIG  more options of scripts/config

# shellcheck disable=SC1091 # files of ours
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
LAB=${UML_LAB:-${WGI_CACHE:-/var/cache/wireguard-inline}/bench}
. "$HERE/../lib/packages.sh"

case ${1:-} in
'') ;;
-h | --help) sed -n '4,15s/^# \{0,1\}//p' "$0"; exit ;;
*) echo "lab: there is no option $1; see --help" >&2; exit 2 ;;
esac
if [ -x "$LAB/linux" ] && [ -e "$LAB/done" ]; then
	echo "lab ready in $LAB"
	exit
fi
packages_install build-essential flex bison bc libelf-dev libssl-dev xz-utils kmod \
	busybox-static wireguard-tools iproute2 iputils-ping iperf3 ethtool procps \
	python3 perl
mkdir -p "$LAB"
tarball=$("$HERE/../vm/roots.sh" source)
cd "$LAB"
rm -rf src obj mods
mkdir src obj mods
tar xf "$tarball" -C src --strip-components=1
python3 "$HERE/adapt.py" src

lab_make() { make -s -C src ARCH=um O="$LAB/obj" "$@"; }

# shellcheck disable=SC2086 # LAB_CONFIG: a word for each
configure()
{
	src/scripts/config --file obj/.config \
		-e SMP --set-val NR_CPUS 8 -d HZ_100 -e HZ_250 -e HIGH_RES_TIMERS \
		-d CC_OPTIMIZE_FOR_SIZE -e CC_OPTIMIZE_FOR_PERFORMANCE \
		-d DEBUG_KERNEL -d DEBUG_INFO -e DEBUG_INFO_NONE \
		-e MODULES -e MODULE_UNLOAD -e HOSTFS -e DEVTMPFS -e TMPFS \
		-e INET -e IPV6 -e RPS -m WIREGUARD -e VETH -e DUMMY -e TUN -e BRIDGE \
		-e IP_ADVANCED_ROUTER -e IP_MULTIPLE_TABLES -e IP_ROUTE_MULTIPATH \
		-e IPV6_MULTIPLE_TABLES -e NETFILTER -m NET_PKTGEN \
		-e NET_SCHED -e NET_SCH_NETEM -e NET_SCH_FQ_CODEL -e NET_SCH_FQ \
		-d SOUND -d UML_SOUND ${LAB_CONFIG:-}
}

lab_make defconfig >/dev/null
configure
lab_make olddefconfig >/dev/null
lab_make -j"$(nproc)"
lab_make INSTALL_MOD_PATH="$LAB/mods" modules_install
ln -sf obj/linux "$LAB/linux"
lab_make kernelrelease >"$LAB/release"
touch "$LAB/done"
echo "lab ready in $LAB (kernel $(cat "$LAB/release"))"
