#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: flood ping loses nothing, both ways, inner IPv4 and inner IPv6
# needs: core ipv6
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

need_ipv6
loop_pair
flood "$left" 10.70.0.2 200
flood "$right" 10.70.0.1 200
flood "$left" fd70::2 200
flood "$right" fd70::1 200
