#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: leaves a device and a namespace behind
# timeout: 20
ip netns add left-over && ip link add wg-left type wireguard
