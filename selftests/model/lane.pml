/* SPDX-License-Identifier: GPL-2.0 */
/*
 * src/lane.c: the ring and the workers of two CPUs, as those see it who are none. A
 * work that is queued is a flag: the workqueue runs it after all that its queuer did.
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

/*
 * Any, also one that is not to run any more: whoever was woken last, if he is at it;
 * if not, who is preferred or the next_cpu(); and if he is overdue, another. STUCK is
 * looked at where CPU 1 has been found overdue already.
 */
inline wake_one(c)
{
	if
	:: cpu = 0
#ifndef STUCK
	:: cpu = 1
#endif
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
#if defined(LANE) || defined(TRANSMIT)
	wake_one(c)
#endif
}

#ifdef TRANSMIT
/*
 * Returns by `node` an order and one, or 0. Which one of several is not said; wg_fifo
 * needs no order among peers here.
 */
inline next_unfinished(w, c)
{
#ifndef NO_LOCK
	d_step {
		!workers[w].locked -> workers[w].locked = true;
		drain(c)
	}
#endif
	if
	:: !workers[w].first && workers[w].arrived ->
		d_step {
			drain(c);
			workers[w].reversed = workers[w].arrived;
			workers[w].arrived = 0
		}
		d_step {
			workers[w].first = workers[w].reversed;
			workers[w].reversed = 0
		}
	:: else
	fi;
	node = (workers[w].first & 1 -> 1 : workers[w].first);
	d_step {
		workers[w].first = (node == 1 -> workers[w].first & 2 : 0);
		workers[w].locked = false
	}
}

/* wg_lane_finish(), where that CPU may run. */
inline give(t, to, c)
{
	d_step {
		assert(!order[t].consumed);
		order[t].cpu = to;
		order[t].handed_over = true
	}
	d_step {
		drain(c);
		/* Twice would tie the list into a knot. */
		assert(!(lists & (1 << t)));
		workers[to].arrived = workers[to].arrived | (1 << t)
	}
#ifndef NO_WAKE_AFTER_FINISH
	wake(to, c)
#endif
}

/* A CPU that may not run, or none yet: another, which may be any. */
inline wg_lane_finish(t, to, c)
{
	if
	:: to != NONE -> at = to
#ifdef SET_CPUS
	:: to != NONE && !allowed[to] -> at = 1 - (to)
#endif
	:: to == NONE -> at = 0
	:: to == NONE -> at = 1
	fi;
	give(t, at, c);
	at = 0
}

/* The stand_in() is the other one, if that may run. */
inline wg_lane_take_over(from, c)
{
#ifdef SET_CPUS
	node = (allowed[1 - from] || !allowed[from]);
#else
	node = 1;
#endif
	do
	:: node == 0 -> break
	:: else ->
		next_unfinished(from, c);
		if
		:: node ->
			d_step { t = node - 1; node = 0 }
#ifdef TAKE_OVER_ANYWHERE
			wg_lane_finish(t, 1 - from, c);
#else
			give(t, 1 - from, c);
#endif
#ifdef TAKE_OVER_ONE
			t = 0
#else
			d_step { t = 0; node = 1 }
#endif
		:: else
		fi
	od
}
#endif
