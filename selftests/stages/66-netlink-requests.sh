#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: requests of every kind: what is refused, with which error, and that nothing
#       has changed then; what is ignored; what is done
# needs: core once
# timeout: 120
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

need python3
python3 "$WGI_LIB/../netlink/requests.py"
