/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The core's NAPI: how it is scheduled and completed.
 *
 * CORE 61 is Linux before 6.10: its thread knows that a NAPI is its own by
 * SCHED_THREADED or, where it sleeps, by being woken at all. CORE 73 is what came
 * after: by SCHED_THREADED, always.
 *
 * A CPU's poll_list and its pending softirq are one flag here, as only that CPU
 * touches them. Nobody busy-polls, and no NAPI is disabled.
 */

/* set_current_state(): smp_store_mb() */
inline set_current_state(c, value)
{
	d_step {
		drain(c);
		thread.state = value
	}
}

/* Takes the task's lock, with a full barrier; a running task stays as it is. */
inline wake_up_process(c)
{
	d_step {
		drain(c);
		if
		:: thread.state == TASK_INTERRUPTIBLE ->
			thread.state = TASK_RUNNING
		:: else
		fi
	}
}

inline list_add_poll_list(n)
{
	d_step {
		assert(!napi[n].on_poll_list);
		napi[n].on_poll_list = true
	}
}

inline __napi_schedule(n, c)
{
	if
	:: napi[n].threaded ->
		if
		:: thread.known ->
#if CORE == 61
			if
			:: thread.state != TASK_INTERRUPTIBLE ->
				napi[n].sched_threaded = true
			:: else
			fi;
#else
			napi[n].sched_threaded = true;
#endif
			wake_up_process(c)
		:: else ->
			list_add_poll_list(n)
		fi
	:: else ->
		list_add_poll_list(n)
	fi
}

/* Its loop around try_cmpxchg() is one step. Returns by `prepared`. */
inline napi_schedule_prep(n, c)
{
	d_step {
		drain(c);
		prepared = !napi[n].sched;
		if
		:: napi[n].sched -> napi[n].missed = true
		:: else -> napi[n].sched = true
		fi
	}
}

/* Likewise. What it returns nobody asks for. */
inline napi_complete_done(n, c)
{
	d_step {
		drain(c);
		assert(napi[n].sched);
		napi[n].polled = false;
		napi[n].sched_threaded = false;
		prepared = napi[n].missed;
		if
		:: napi[n].missed -> napi[n].missed = false
		:: else -> napi[n].sched = false
		fi
	}
	if
	:: prepared ->
		prepared = false;
		__napi_schedule(n, c)
	:: else
	fi
}
