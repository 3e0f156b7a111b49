/* SPDX-License-Identifier: GPL-2.0 */
/*
 * src/lane.c: the ring and the workers of two CPUs. A work that is queued is a
 * flag: the workqueue runs it after all that its queuer did.
 */

typedef ring_item {
	byte peer, item
};

inline wake(cpu, c)
{
	wg_turn_kick(TURN_OF_WORKER(cpu), c);
	if
	:: send ->
		send = false;
		assert(!queued_work[cpu]);
		queued_work[cpu] = true
	:: else
	fi
}

/* The next_cpu() is the other one. Who is at it may be overdue at any time. */
inline wake_one(c)
{
	cpu = last_cpu;
	if
	:: cpu = 1 - cpu;
		last_cpu = cpu
	:: turn[TURN_OF_WORKER(cpu)] != IDLE
	fi;
	wake(cpu, c);
	cpu = 0
}

/* Returns by `added`. The ring has locks. */
inline wg_lane_add(q, i, c)
{
	d_step {
		added = nfull(ring);
		if
		:: added -> ring!q, i
		:: else
		fi
	}
#ifdef LANE
	wake_one(c)
#endif
}
