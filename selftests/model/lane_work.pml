/* SPDX-License-Identifier: GPL-2.0 */
/* src/lane.c: what a worker does. */

/* Returns by `resumed`. */
inline resume(self)
{
#ifdef TRANSMIT
	/* has_unfinished() */
	if
	:: workers[self].first -> resumed = true
	:: else -> resumed = (workers[self].arrived != 0)
	fi;
	if
	:: resumed ->
		next_unfinished(self, WORKER(self));
		if
		:: node ->
			d_step { q = node - 1; node = 0 }
			transmit(q, WORKER(self));
			q = 0
		:: else -> resumed = false
		fi
	:: else
	fi
#else
	resumed = false
#endif
}

/* Whether there is another. */
inline wake_another(self)
{
#ifdef SET_CPUS
	if
	:: allowed[1 - self] ->
		another = true;
		wake(1 - self, WORKER(self))
	:: else
	fi
#else
	another = true;
	wake(1 - self, WORKER(self))
#endif
}

/* All items of a burst are done before the first kick. Returns by `count`. */
inline work_burst(self)
{
	d_step {
		count = 0;
		do
		:: count < BURST && len(ring) > 0 ->
			ring?burst[count].peer, burst[count].item;
			count++
		:: else -> break
		od
	}
	if
	:: count == BURST ->
		wake_another(self);
		another = false
	:: else
	fi;
	b = 0;
	do
	:: b < count ->
		q = burst[b].peer;
		i = burst[b].item;
		wg_item_done(q, i, WORKER(self));
		b++
	:: else -> break
	od;
	b = 0;
	do
	:: b < count ->
		q = burst[b].peer;
		i = 0;
		if
		:: b + 1 < count && burst[b + 1].peer == q
		:: else -> kick(q, WORKER(self))
		fi;
		d_step {
			burst[b].peer = 0;
			burst[b].item = 0;
			q = 0;
			b++
		}
	:: else -> break
	od;
	b = 0
}

/* Returns by `another`. */
inline is_relieved(self)
{
#ifdef SET_CPUS
	if
	:: allowed[self]
#ifdef NO_RELIEF_WAKE
	:: else -> another = true
#else
	:: else -> wake_another(self)
#endif
	fi
#else
	another = false
#endif
}

/* Returns by `count` and `resumed`. */
inline work_once(self)
{
	resume(self);
	is_relieved(self);
	if
	:: another -> another = false
	:: else -> work_burst(self)
	fi
}

proctype work(byte self)
{
	LOCALS;
	byte b, i, count;
	bool another, resumed;
	ring_item burst[BURST + 1];

	do
	:: queued_work[self] ->
		queued_work[self] = false;
		do
		:: wg_turn_begin(TURN_OF_WORKER(self), WORKER(self));
			do
			:: work_once(self);
				if
				:: count || resumed ->
					d_step { count = 0; resumed = false }
				:: else -> break
				fi
			od;
			wg_turn_end(TURN_OF_WORKER(self), WORKER(self));
			if
			:: ended -> ended = false; break
			:: else
			fi
		od
	od
}
