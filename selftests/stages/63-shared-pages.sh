#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: splice, sendfile and MSG_ZEROCOPY senders, and clones: bytes stay
# needs: core
. "$(dirname "$0")/../lib/attack.sh"

# The wire is a bridge that floods, so that every sealed packet is cloned for
# a third port.
make_ns "$NS_A" "$NS_B" "$NS_C"
ip -n "$NS_C" link add br0 type bridge || skip "this kernel has no bridge"
ip -n "$NS_C" link set br0 up
wire "$NS_A" va "$NS_C" ca
wire "$NS_B" vb "$NS_C" cb
wire "$NS_C" ve "$NS_C" ce
for port in ca cb ce; do
	ip -n "$NS_C" link set "$port" master br0
	ip -n "$NS_C" link set "$port" type bridge_slave learning off
	# What it has learned in between goes when the port does.
	ip -n "$NS_C" link set "$port" down
	ip -n "$NS_C" link set "$port" up
done
ip -n "$NS_A" addr add 10.77.1.1/24 dev va
ip -n "$NS_B" addr add 10.77.1.2/24 dev vb
wg_add "$NS_A" wg0
wg_add "$NS_B" wg0
python3 "$PROGS/t_shared_pages.py" || exit 1
