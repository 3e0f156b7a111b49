#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: TCP, parallel TCP and UDP without a limit get through, inner v4 and v6
# needs: core ipv6 modes
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

need iperf3
need_ipv6
loop_pair
tcp "$left" "$right" 10.70.0.2
tcp "$right" "$left" fd70::1
tcp "$left" "$right" 10.70.0.2 -P "$(nproc)" -R
udp "$left" "$right" 10.70.0.2
udp "$right" "$left" fd70::1
flood "$left" 10.70.0.2 20
