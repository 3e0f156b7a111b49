/* SPDX-License-Identifier: GPL-2.0 */
/*
 * src/pipeline.c: the way out, from a kick to the end of an order's turn. Time is a
 * choice: an order may be settled, or overdue, whenever somebody asks; a device that
 * is inline lets everybody send, as if all were settled.
 */

/* The consumer's turn. This CPU is `self` in all who do this. */
inline transmit(q, c)
{
	d_step {
		/* Two consumers would corrupt the list, and the order on the wire. */
		assert(!order[q].consumed && !(lists & (1 << q)));
		order[q].consumed = true;
		order[q].cpu = self;
		order[q].handed_over = false
	}
	do
	:: wg_turn_begin(q, c);
		do
		:: peek(q) && found < TRANSMIT_MAX ->
			d_step {
				wg_ordered_end(q);
				found++
			}
		:: peek(q) && found == TRANSMIT_MAX ->
			order[q].consumed = false;
			wg_lane_finish(q, self, c);
			ended = true;
			break
		:: else ->
			order[q].consumed = false;
#ifdef NO_TRANSMIT_RECHECK
			d_step {
				drain(c);
				turn[q] = IDLE;
				ended = true
			}
#else
			wg_turn_end(q, c);
#endif
			break
		od;
		if
		:: ended -> break
		:: else ->
			d_step {
				assert(!order[q].consumed);
				order[q].consumed = true
			}
		fi
	od;
	ended = false;
	found = 0
}

inline take_over_if_overdue(q, c)
{
#if (defined(OVERDUE) || defined(STUCK)) && !defined(NO_TAKE_OVER)
	if
	:: d_step { order[q].handed_over -> from = order[q].cpu };
#ifdef TAKE_OVER_BY_FLAG
		give(q, 1 - from, c);
#else
		wg_lane_take_over(from, c);
#endif
		from = 0
	:: !order[q].handed_over || !late
	fi
#else
	skip
#endif
}

inline kick_tx(q, c)
{
	wg_turn_kick(q, c);
	if
	:: send ->
		send = false;
		if
		:: transmit(q, c)
		:: order[q].cpu != self && order[q].cpu != NONE ->
			wg_lane_finish(q, order[q].cpu, c)
		fi
	:: else -> take_over_if_overdue(q, c)
	fi
}

inline kick_tx_later(q, c)
{
	wg_turn_kick(q, c);
	if
	:: send ->
		send = false;
		wg_lane_finish(q, order[q].cpu, c)
#ifdef NO_TAKE_OVER_ON_FULL
	:: else
#else
	:: else -> take_over_if_overdue(q, c)
#endif
	fi
}
