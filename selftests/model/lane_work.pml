/* SPDX-License-Identifier: GPL-2.0 */
/* src/lane.c: what a worker does. */

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
	:: count == BURST -> wake(1 - self, WORKER(self))
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

proctype work(byte self)
{
	LOCALS;
	byte b, i, count;
	ring_item burst[BURST + 1];

	do
	:: queued_work[self] ->
		queued_work[self] = false;
		do
		:: wg_turn_begin(TURN_OF_WORKER(self), WORKER(self));
			do
			:: work_burst(self);
				if
				:: count -> count = 0
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
