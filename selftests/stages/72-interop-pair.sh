#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the two-guest script between two namespaces: both ends are this module
# needs: interop once long
# timeout: 120
. "$(dirname "$0")/../lib/attack.sh"

command -v ncat >/dev/null || skip "no ncat"
make_ns "$NS_A" "$NS_B"
wire "$NS_A" va "$NS_B" vb
ip -n "$NS_A" addr add 10.77.0.1/24 dev va
ip -n "$NS_B" addr add 10.77.0.2/24 dev vb
export WGI_AGENT=$PROGS/agent.py
ip netns exec "$NS_B" ncat -lk 10.77.0.2 7000 --sh-exec 'bash -s 2>&1' &
export WGI_PEER_HOST=10.77.0.2 WGI_WIRE=va WGI_WIRE_B=vb
export WGI_BULK=${WGI_BULK:-300000}
ip netns exec "$NS_A" bash "$STAGE_DIR/interop/a.sh" || exit
