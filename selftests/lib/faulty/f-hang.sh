#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: never ends, and ignores being asked to
# timeout: 5
trap "" TERM INT HUP
while :; do sleep 1000; done
