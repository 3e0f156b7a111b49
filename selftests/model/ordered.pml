/* SPDX-License-Identifier: GPL-2.0 */
/*
 * src/ordered.h, src/ordered.c: whose turn it is, and a peer's items in order of
 * arrival. References and the room in the list are left out.
 */

/* Returns by `send`. */
inline wg_turn_kick(t, c)
{
	send = false;
#ifndef NO_KICK_BARRIER
	smp_mb(c);
#endif
	if
	:: turn[t] == KICKED
	:: else ->
		d_step {
			drain(c);
			send = (turn[t] == IDLE);
			turn[t] = KICKED
		}
	fi
}

inline wg_turn_begin(t, c)
{
#ifdef NO_BEGIN_BARRIER
	context[c].looking[t] = true
#else
	d_step {
		drain(c);
		turn[t] = LOOKING
	}
#endif
}

/* Returns by `ended`. */
inline wg_turn_end(t, c)
{
	d_step {
		drain(c);
#ifdef NO_RECHECK
		turn[t] = IDLE;
		ended = true
#else
		ended = (turn[t] == LOOKING);
		if
		:: ended -> turn[t] = IDLE
		:: else
		fi
#endif
	}
}

/* llist_add() is one step; what the item holds is there before it. */
inline wg_ordered_add(q, i)
{
	d_step {
		i = order[q].added;
		order[q].added++
	}
}

/* smp_store_release(), which says nothing of the loads that come after. */
inline wg_item_done(q, i, c)
{
	order[q].done[i] = DONE_BY(c)
}

/* wg_ordered_peek() is an item. */
#define peek(q)	(order[q].first < order[q].added && \
		 order[q].done[order[q].first] == DONE)

inline wg_ordered_end(q)
{
	order[q].first++
}
