/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Can a batch that is done stay in the pipeline for ever? README says how to read
 * this; what may be defined:
 *
 *	CORE		61 or 73: see napi.pml
 *	DEV_THREADED	the device's flag `threaded` at first
 *	TOGGLE		it changes, twice
 *	PEERS, ITEMS	one or two, and most items of one of them
 *	SENT_BY_0, _1	items of the first peer from one CPU, and of the last one
 *			from the other
 *	RING, BUDGET	room in the ring; a poll's budget
 *	BURST		what a worker takes at once
 *	CALLS		any CPU may call any to schedule its NAPI, as if there were more
 *	PREEMPT_RT	no such calls at all
 *	LANE		only the workers and their ring
 *	TRANSMIT	the way out: both, and what comes after. Without these two only
 *			the way in, what comes after workers that forget nothing
 *	SET_CPUS	it changes where workers may run
 *	TRANSMIT_MAX	a consumer's budget
 *	SENT_LAST	the CPU that every peer was sent from last, or NONE
 *	OVERDUE		what waits for a CPU may be overdue whenever somebody asks
 *	STUCK		CPU 1 never gets to what its worker is to do; one more packet
 *			comes at the end
 *	BEHIND		CPU 1 has an inline sender
 *	REFUSED		a sender finds the list full; with STUCK, the last one does
 *
 * and what may be broken: NO_RECHECK, NO_KICK_ON_FULL, NO_KICK_BARRIER,
 * NO_BEGIN_BARRIER, NO_SECOND_LOOK, NO_IDLE_END, NO_OWN_SCHEDULE, NO_CALLED,
 * LATE_CALLED, NO_RELIEF_WAKE, NO_WAKE_AFTER_FINISH, NO_LOCK, NO_TRANSMIT_RECHECK,
 * NO_TAKE_OVER, NO_TAKE_OVER_ON_FULL, TAKE_OVER_BY_FLAG, TAKE_OVER_ONE,
 * TAKE_OVER_ANYWHERE.
 */
#define LOCALS	bool prepared, send, added, ended, more, misplaced, delivered; \
		byte done, found, visited, there, cpu, q LOCALS_TRANSMIT
#ifdef TRANSMIT
#define LOCALS_TRANSMIT	, at, from, t, node
#else
#define LOCALS_TRANSMIT
#endif

#ifndef BURST
#define BURST		2
#endif
#ifndef TRANSMIT_MAX
#define TRANSMIT_MAX	1
#endif
#ifndef SENT_LAST
#define SENT_LAST	NONE
#endif

#include "memory.pml"
#include "ordered.pml"
#include "lane.pml"

#if defined(LANE)
/* What becomes of an item that is done is no concern of this part. */
#define kick(q, c)		skip
#define kick_later(q, c)	skip
#include "lane_work.pml"
#elif defined(TRANSMIT)
#define kick(q, c)		kick_tx(q, c)
#define kick_later(q, c)	kick_tx_later(q, c)
#include "transmit.pml"
#include "lane_work.pml"
#else
#define kick(q, c)		wg_delivery_kick(q, c)
#define kick_later(q, c)	wg_delivery_kick(q, c)
#include "napi.pml"
#include "delivery.pml"
#include "call.pml"
#include "napi_poll.pml"

/*
 * A worker, if lane.pml is right: no item stays in the ring. It may have more of
 * them done before it kicks.
 */
proctype worker(byte self)
{
	LOCALS;
	byte i;

	do
	:: ring?q, i ->
		wg_item_done(q, i, WORKER(self));
		i = 0;
		if
		:: kick(q, WORKER(self))
		:: ring?eval(q), i ->
			wg_item_done(q, i, WORKER(self));
			i = 0;
			kick(q, WORKER(self))
		fi;
		q = 0
	od
}
#endif

proctype sender(byte self; byte p; byte n)
{
	LOCALS;
	byte i;

	do
	:: n == 0 -> break
	:: else ->
		n--;
		wg_ordered_add(p, i);
		wg_lane_add(p, i, SENDER(self));
		if
		:: added -> added = false
		:: else ->
			wg_item_done(p, i, SENDER(self));
#ifndef NO_KICK_ON_FULL
			kick_later(p, SENDER(self))
#endif
		fi;
		i = 0
	od
}

#ifdef BEHIND
/* wg_pipeline_send_behind() */
proctype inline_sender(byte self; byte p; byte n)
{
	LOCALS;
	byte i;

	do
	:: n == 0 -> break
	:: else ->
		n--;
		wg_ordered_add(p, i);
		wg_item_done(p, i, SENDER(self));
		i = 0;
		kick_tx(p, SENDER(self))
	od
}
#endif

#ifdef REFUSED
/* One who finds no room in the peer's list. */
proctype refused(byte self; byte p)
{
	LOCALS;

	kick_tx_later(p, SENDER(self))
}
#endif

/* wg_pipeline_set_cpus(); who reads the mask meanwhile sees some of either. */
proctype set_cpus()
{
	allowed[0] = false;
	allowed[1] = false;
	allowed[0] = true
}

/* What is in a buffer may leave it at any time. */
proctype store_buffers()
{
	do
	:: d_step { context[THREAD].running -> drain_running(THREAD) }
	:: d_step { order[0].done[0] > DONE -> order[0].done[0] = DONE }
#if ITEMS > 1
	:: d_step { order[0].done[1] > DONE -> order[0].done[1] = DONE }
#endif
#if ITEMS > 2
	:: d_step { order[0].done[2] > DONE -> order[0].done[2] = DONE }
#endif
#if PEERS > 1
	:: d_step { order[1].done[0] > DONE -> order[1].done[0] = DONE }
#endif
#ifdef NO_BEGIN_BARRIER
	:: d_step { context[0].looking[0] -> drain_looking(0, 0) }
	:: d_step { context[1].looking[0] -> drain_looking(1, 0) }
	:: d_step { context[2].looking[0] -> drain_looking(2, 0) }
#endif
	od
}

/* Somebody writes to /sys/class/net/wg0/threaded. */
proctype toggle()
{
	dev_threaded = !dev_threaded;
	dev_threaded = !dev_threaded
}

#if PEERS > 1
#define all_of(peer_0, peer_1)	(peer_0 && peer_1)
#else
#define all_of(peer_0, peer_1)	(peer_0)
#endif

init {
	byte n;

	atomic {
		for (n : 0 .. PEERS + 1) {
			turn[n] = IDLE
		}
		n = 0;
		run store_buffers();
#if defined(LANE) || defined(TRANSMIT)
		for (n : 0 .. PEERS - 1) {
			order[n].cpu = SENT_LAST
		}
		n = 0;
		run work(0);
#ifndef STUCK
		run work(1);
#endif
#ifdef SET_CPUS
		run set_cpus();
#endif
#else
		run worker(0);
		run worker(1);
		napi[THREADED].threaded = true;
#if DEV_THREADED || defined(TOGGLE)
		thread.state = TASK_RUNNING;
		thread.known = true;
		run napi_threaded_poll();
#endif
#if !DEV_THREADED || defined(TOGGLE)
		run net_rx_action(0);
		run net_rx_action(1);
		run flush_smp_call_function_queue(0);
		run flush_smp_call_function_queue(1);
#endif
#ifdef TOGGLE
		run toggle();
#endif
#endif
#if defined(REFUSED) && !defined(STUCK)
		run refused(1, 0);
#endif
		run sender(0, 0, SENT_BY_0);
#ifdef BEHIND
		run inline_sender(1, PEERS - 1, SENT_BY_1)
#else
		run sender(1, PEERS - 1, SENT_BY_1)
#endif
	}
	/* When nobody can do anything any more: */
	timeout;
#ifdef STUCK
	/* A while later one more comes. */
	late = true;
#ifdef REFUSED
	run refused(0, 0);
#else
	run sender(0, 0, 1);
#endif
	timeout;
#endif
#if defined(LANE) || defined(TRANSMIT)
	assert(len(ring) == 0 && turn[TURN_OF_WORKER(0)] == IDLE);
#ifndef STUCK
	assert(len(ring) == 0 && turn[TURN_OF_WORKER(1)] == IDLE);
#endif
	assert(lists == 0);
#endif
#ifndef LANE
	assert(all_of(order[0].first == order[0].added,
		      order[1].first == order[1].added));
	assert(all_of(turn[0] == IDLE, turn[1] == IDLE))
#endif
}
