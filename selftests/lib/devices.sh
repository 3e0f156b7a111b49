# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by what uses the running kernel: unloading WireGuard takes away all its
# devices, in whatever network namespace they are.

# wireguard_devices: in namespaces with a process or with a name, a line each.
wireguard_devices() {
	local pid name

	for pid in $(lsns -t net -n -o PID); do
		nsenter -t "$pid" -n ip -o link show type wireguard
	done
	for name in $(ip netns list | cut -d' ' -f1); do
		nsenter --net="/run/netns/$name" ip -o link show type wireguard
	done
}
