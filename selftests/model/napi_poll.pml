/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The core's NAPI: who polls. The softirqs of two CPUs, and the thread.
 */

/* Returns by `done` what poll() returns. */
inline __napi_poll(n, c)
{
	done = 0;
	if
	:: napi[n].sched ->
		d_step {
			/* Two at once would corrupt its GRO list, and more. */
			assert(!napi[n].polled);
			napi[n].polled = true
		}
		poll(n, c);
		if
		:: done == BUDGET -> napi[n].polled = false
		:: else
		fi
	:: else
	fi
}

proctype net_rx_action(byte c)
{
	LOCALS;
	byte n;

	do
	:: atomic {
		if
		:: napi[0].on_poll_list -> n = 0
		:: napi[1].on_poll_list -> n = 1
		fi;
		napi[n].on_poll_list = false
	   }
	   __napi_poll(n, c);
	   if
	   :: done == BUDGET -> list_add_poll_list(n)
	   :: else
	   fi;
	   d_step { done = 0; n = 0 }
	od
}

inline napi_thread_wait(n, c)
{
	woken = false;
	set_current_state(c, TASK_INTERRUPTIBLE);
	do
	:: napi[n].sched_threaded || woken ->
		/* __set_current_state(TASK_RUNNING) */
		context[c].running = true;
		woken = false;
		break
	:: else ->
		/* schedule() has a full barrier; it sleeps unless woken. */
		smp_mb(c);
		thread.state == TASK_RUNNING;
#if CORE == 61
		woken = true;
#endif
		set_current_state(c, TASK_INTERRUPTIBLE)
	od
}

proctype napi_threaded_poll()
{
	LOCALS;
	bool woken;

	do
	:: napi_thread_wait(THREADED, THREAD);
	   do
	   :: __napi_poll(THREADED, THREAD);
	      if
	      :: done == BUDGET -> done = 0
	      :: else -> done = 0; break
	      fi
	   od
	od
}
