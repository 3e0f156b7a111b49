#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: peers, devices, namespaces and the module may be removed while 150 peers
#       send and shake hands without end
# needs: slow stress
# timeout: 120
. "$(dirname "$0")/../lib/attack.sh"
. "$(dirname "$0")/../lib/reload.sh"

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

may_unload
ip netns del "$NS_B"
swarm_setup
python3 "$PROGS/t_removal.py" unload "$swarm"
status=$?
[ -e /sys/module/wireguard ] || $WGI_RELOAD || exit 1
exit $status
