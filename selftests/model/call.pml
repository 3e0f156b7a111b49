/* SPDX-License-Identifier: GPL-2.0 */
/* The core's kernel/smp.c: a function call on another CPU that nobody waits for. */

/*
 * Looks at the lock, then takes it: two callers at once would queue the same entry
 * twice, which ruins the list. Returns by `prepared` whether it is on its way.
 */
inline smp_call_function_single_async(n)
{
	prepared = !call[n].locked;
	if
	:: prepared ->
		call[n].locked = true;
		d_step {
			assert(!call[n].queued);
			call[n].queued = true
		}
	:: else
	fi
}

/* The entry is free before its function runs. */
proctype flush_smp_call_function_queue(byte self)
{
	LOCALS;

	do
	:: call[self].queued ->
		call[self].queued = false;
		call[self].locked = false;
		schedule_here(self, INTERRUPT(self))
	od
}
