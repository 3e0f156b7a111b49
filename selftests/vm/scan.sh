#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scan.sh FILE...: search a guest's log (console and kernel log) for signs of a
# broken kernel and for objects of the module that were created and never
# destroyed. Prints each finding; exit status 1 when there is one.
#
# What the kernel said before the line "wgi: guest begins" is its own business,
# unless it never came that far.

set -u
[ $# -gt 0 ] || { sed -n '4,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }

# One expression a line, extended regular, upper and lower case distinct.
NEEDLES='BUG: |kernel BUG at|BUG [a-z]
WARNING: |INFO: (task|lockdep|trying to register|rcu|NMI|possible)
Oops|general protection fault|Kernel panic|Unable to handle kernel|double fault
Call Trace:|RIP: 00(10|18):|Modules linked in:
possible circular locking|possible recursive locking|inconsistent lock state
irq lock inversion|bad unlock balance|held lock freed|lock held when returning
suspicious RCU usage|Voluntary context switch within RCU
rcu.*(self-)?detected stall|rcu.*kthread starved|RCU grace-period
soft lockup|hard LOCKUP|workqueue lockup|blocked for more than
KASAN: |UBSAN: |KCSAN: |KFENCE: |KMSAN: |ODEBUG: |kmemleak: .* suspected
unreferenced object 0x|kmemleak: Cannot|kmemleak: .*disabled
refcount_t: |ref_tracker: |unregister_netdevice: waiting for
list_(add|del) corruption|Redzone|Poison overwritten|Objects remaining
sleeping function called|scheduling while atomic|stack-protector
page allocation failure|Out of memory|oom-kill|invoked oom-killer
Kernel failure|exited with preempt_count|mode:.*gfp_mask.*order:
DEBUG_LOCKS_WARN_ON|MAX_LOCKDEP|turning off the locking correctness
wireguard: .*(self-?test|selftest).*(FAIL|fail)'

found=0
grep -qa 'wgi: guest begins' "$@" || { echo "the guest never began"; found=1; }
for file; do
	[ -e "$file" ] || { echo "no log $file"; found=1; continue; }
	# The console and the log repeat each other: each finding once is enough.
	hits=$(sed -n '/wgi: guest begins/,$p' "$file" |
		grep -aE -f <(printf '%s\n' "$NEEDLES") |
		sed 's/^<[0-9]*>//; s/\r$//' | awk '!seen[$0]++' | head -n 40)
	grep -qa 'wgi: guest begins' "$file" ||
		hits=$(tail -n 30 "$file" | grep -aE \
			'Kernel panic|BUG: |Oops|wgi-init: ')
	[ -n "$hits" ] || continue
	found=1
	printf '%s\n' "$hits"
done

# Peers and key pairs have numbers that stay theirs; a device may be renamed.
# Only the log from /dev/kmsg has these lines, the console leaves them out.
awk '
function count(key, by)
{
	balance[key] += by
	if (balance[key] < 0 && !told[key]++) {
		print "destroyed but never created: " key
		bad = 1
	}
}
{ by = 0 }
/ created( for peer [0-9]+)?( *\(.*\))?\r?$/ { by = 1 }
/ destroyed( for peer [0-9]+)?( *\(.*\))?\r?$/ { by = -1 }
by && /: Interface / { count("an interface", by) }
by && match($0, /: Peer [0-9]+/) { count(substr($0, RSTART + 2, RLENGTH - 2), by) }
by && match($0, /: Keypair [0-9]+/) { count(substr($0, RSTART + 2, RLENGTH - 2), by) }
END {
	for (key in balance)
		if (balance[key] > 0) {
			left++
			if (left <= 20)
				print "created but never destroyed: " key \
				    (key ~ /^an/ ? " (" balance[key] ")" : "")
		}
	if (left > 20)
		print "… and " left - 20 " more"
	exit bad || left > 0
}' "${@: -1}" || found=1
exit "$found"
