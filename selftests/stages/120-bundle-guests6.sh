#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the bundle of 118, its tunnels over IPv6
# needs: two-guests tool once
# timeout: 120
# shellcheck disable=SC2034 # read there
UNDERLAY=ip6
# shellcheck source-path=SCRIPTDIR source=118-bundle-guests.sh
. "$(dirname "$(readlink -f "$0")")/118-bundle-guests.sh"
