#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: a peer is created in the log and never destroyed
# timeout: 20
echo '<7>wireguard: wg9: Peer 999 created' >/dev/kmsg
