#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: peers, devices, namespaces and the module may be removed while 150 peers
#       send and shake hands without end
# needs: slow stress
# timeout: 120
# WGI_RELOAD is the command that loads the module, see 49-teardown.sh.
. "$(dirname "$0")/../lib/attack.sh"

if [ -z "${WGI_RELOAD:-}" ] && [ -n "${WGI_KERNEL:-}" ]; then
	WGI_RELOAD="modprobe wireguard"
	[ -z "${WGI_MODULE:-}" ] || WGI_RELOAD="insmod $WGI_MODULE"
fi

# Every peer has an address of its own, as in life: the limits are by source.
swarm_setup()
{
	attack_setup
	ip -n "$NS_B" route add local 10.80.0.0/16 dev lo
	ip -n "$NS_A" route add 10.80.0.0/16 via 10.77.1.2
}

each_module
swarm=$(prog wgswarm) || exit 1
export PYTHONPATH=$PYTHONPATH:$STAGE_DIR/netlink
swarm_setup
python3 "$PROGS/t_removal.py" objects "$swarm" || exit 1

# User-mode-linux leaves KASAN's marks of a module's variables behind when it is
# unloaded, and its own loader trips over them the next time.
if grep -qs "User Mode Linux" /proc/cpuinfo &&
	grep -q " kasan_report" /proc/kallsyms; then
	echo "# the module was not unloaded: KASAN cannot bear it here"
	exit 0
fi
if [ -z "${WGI_RELOAD:-}" ]; then
	echo "# the module itself was left alone: no WGI_RELOAD"
	exit 0
fi
ip netns del "$NS_B"
swarm_setup
python3 "$PROGS/t_removal.py" unload "$swarm"
status=$?
[ -e /sys/module/wireguard ] || $WGI_RELOAD || exit 1
exit $status
