#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the kernel dies under it
# timeout: 60
echo c >/proc/sysrq-trigger; sleep 50
