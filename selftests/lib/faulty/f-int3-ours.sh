#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: the kernel dies, the log says: a breakpoint in the module
# timeout: 60
echo '<0>Oops: int3: 0000 [#1] PREEMPT SMP NOPTI' >/dev/kmsg
echo '<0>RIP: 0010:wg_rx+0x5f/0x300 [wireguard]' >/dev/kmsg
echo c >/proc/sysrq-trigger; sleep 50
