#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: leaves a line as of a warning in the kernel log
# timeout: 20
echo '<4>WARNING: CPU: 0 PID: 1 at a/b.c:1 c+0x1/0x2' >/dev/kmsg
