#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: 2,000 active peers on one device, all of them reconnecting at once, and
#       some of them removed
# needs: scale slow
# timeout: 300
. "$(dirname "$0")/../lib/attack.sh"

each_module
swarm=$(prog wgswarm) || exit 1
attack_setup
# Every peer has an address of its own, as in life: the limits are by source.
ip -n "$NS_B" route add local 10.80.0.0/16 dev lo
ip -n "$NS_A" route add 10.80.0.0/16 via 10.77.1.2
# As a NIC does that spreads flows over its queues; up to 8 CPUs of them.
cpus=$(nproc)
[ "$cpus" -le 8 ] || cpus=8
spread=/sys/class/net/va/queues/rx-0/rps_cpus
# shellcheck disable=SC2016 # for the inner shell
ip netns exec "$NS_A" sh -c '[ ! -e "$1" ] || echo "$2" >"$1"' sh "$spread" \
	"$(printf %x $(((1 << cpus) - 1)))" ||
	die "cannot spread packets over the CPUs"
export PYTHONPATH=$PYTHONPATH:$STAGE_DIR/netlink
python3 "$PROGS/t_swarm.py" "$swarm" || exit 1
