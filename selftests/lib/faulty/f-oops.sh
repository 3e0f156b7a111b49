#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: leaves a line as of an oops in the kernel log
# timeout: 20
echo '<1>BUG: kernel NULL pointer dereference, address: 0' >/dev/kmsg
