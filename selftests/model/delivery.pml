/* SPDX-License-Identifier: GPL-2.0 */
/*
 * src/delivery.c: the pipeline's way in, from a kick to the end of an order's
 * turn. What the inline engine queues is left out.
 */

inline napi_schedule(n, c)
{
	napi_schedule_prep(n, c);
	if
	:: prepared ->
		prepared = false;
		__napi_schedule(n, c)
	:: else
	fi
}

inline schedule_here(n, c)
{
#ifdef LATE_CALLED
	napi_schedule(n, c);
	call[n].called = false
#else
	call[n].called = false;
	napi_schedule(n, c)
#endif
}

inline call_its_cpu(n, c)
{
	d_step {
		drain(c);
#ifdef NO_CALLED
		prepared = true
#else
		prepared = !call[n].called;
		call[n].called = true
#endif
	}
	if
	:: prepared ->
		smp_call_function_single_async(n);
		if
		:: prepared -> prepared = false
		:: else ->
			call[n].called = false;
			napi_schedule(n, c)
		fi
	:: else
	fi
}

inline start_softirq(n, c)
{
#ifdef PREEMPT_RT
	napi_schedule(n, c)
#else
	if
	:: n == CPU_OF(c) -> napi_schedule(n, c)
#ifdef CALLS
	:: call_its_cpu(n, c)
#else
	:: else -> call_its_cpu(n, c)
#endif
	fi
#endif
}

/*
 * Not left to a core of before 6.10, which loses wake-ups, and may
 * leave SCHED_THREADED behind with nothing scheduled, so that the thread spins.
 * SCHED and SCHED_THREADED are set in one step, so no poll comes in between.
 */
inline start_threaded(n, c)
{
#ifndef NO_OWN_SCHEDULE
	d_step {
		drain(c);
		prepared = !napi[n].sched;
		if
		:: napi[n].sched -> napi[n].missed = true
		:: else ->
			napi[n].sched = true;
			napi[n].sched_threaded = true
		fi
	}
	if
	:: prepared ->
		prepared = false;
		wake_up_process(c)
	:: else
	fi
#else
	napi_schedule(n, c)
#endif
}

inline start_poll(n, c)
{
	if
	:: napi[n].threaded -> start_threaded(n, c)
	:: else -> start_softirq(n, c)
	fi
}

#define choose(c)	(dev_threaded -> THREADED : CPU_OF(c))

/* wg_fifo_add() comes before. */
inline send_to(q, c)
{
	there = choose(c);
	d_step {
		drain(c);
		delivery[there].arrived = delivery[there].arrived | (1 << q)
	}
	start_poll(there, c);
	there = 0
}

inline wg_delivery_kick(q, c)
{
	wg_turn_kick(q, c);
	if
	:: send ->
		send = false;
		send_to(q, c)
	:: else
	fi
}

/* Of wg_fifo, which needs no order among peers here. */
inline wg_fifo_peek(n, c)
{
	if
	:: !delivery[n].first && delivery[n].arrived ->
		d_step {
			drain(c);
			delivery[n].first = delivery[n].arrived;
			delivery[n].arrived = 0
		}
	:: else
	fi
}

/* Returns by `found`. */
inline poll_order(q, max, c)
{
	d_step {
		/* Two consumers would corrupt the list. */
		assert(!order[q].consumed);
		order[q].consumed = true
	}
	wg_turn_begin(q, c);
	found = 0;
	do
	:: peek(q) && found < max ->
progress:	d_step {
			wg_ordered_end(q);
			found++;
			delivered = true
		}
	:: peek(q) && found == max ->
		order[q].more = true;
		break
	:: else ->
		order[q].more = false;
		break
	od
}

/* Returns by `done`, `visited` and `misplaced`. */
inline poll_orders(n, c)
{
	do
	:: done < BUDGET ->
		wg_fifo_peek(n, c);
		if
		:: delivery[n].first ->
			d_step {
				q = (delivery[n].first & 1 -> 0 : 1);
				delivery[n].first =
					delivery[n].first & ~(1 << q)
			}
			poll_order(q, BUDGET - done, c);
			visited = visited | (1 << q);
			misplaced = misplaced ||
				    dev_threaded != (n == THREADED);
			done = done + (found -> found : 1);
			d_step { found = 0; q = 0 }
		:: else -> break
		fi
	:: else -> break
	od
}

inline settle(c)
{
	do
	:: visited ->
		d_step {
			q = (visited & 1 -> 0 : 1);
			visited = visited & ~(1 << q);
			order[q].consumed = false
		}
		if
		:: order[q].more -> ended = false
		:: else -> wg_turn_end(q, c)
		fi;
		if
		:: ended -> skip
		:: else -> send_to(q, c)
		fi;
		d_step { ended = false; q = 0 }
	:: else -> break
	od
}

inline finish(n, c)
{
	more = delivery[n].first;
	napi_complete_done(n, c);
	settle(c);
#ifndef NO_SECOND_LOOK
	smp_mb(c);
	if
	:: more || delivery[n].arrived -> start_poll(n, c)
	:: else
	fi;
#endif
	more = false
}

/* Returns by `done`. */
inline poll(n, c)
{
	poll_orders(n, c);
	if
#ifdef NO_IDLE_END
	:: done < BUDGET || misplaced ->
#else
	:: done < BUDGET || misplaced || !delivered ->
#endif
		done = (done < BUDGET -> done : BUDGET - 1);
		misplaced = false;
		delivered = false;
		finish(n, c)
	:: else ->
		/* put_back() */
		d_step {
			drain(c);
			order[0].consumed = order[0].consumed && !(visited & 1);
#if PEERS > 1
			order[1].consumed = order[1].consumed && !(visited & 2);
#endif
			delivery[n].arrived = delivery[n].arrived | visited;
			visited = 0;
			delivered = false
		}
	fi
}
