/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What CPUs share, and how late they may see of each other what they stored.
 */
mtype = { TASK_RUNNING, TASK_INTERRUPTIBLE };

/* One per CPU that softirqs poll, and one with a thread. */
#define NAPIS		3
#define THREADED	2

typedef napi_struct {
	bool sched, missed, threaded, sched_threaded;	/* state */
	bool on_poll_list;
	bool polled			/* by somebody, now */
};
napi_struct napi[NAPIS];

typedef task_struct {
	bool known;			/* napi->thread */
	mtype state
};
task_struct thread;

mtype = { IDLE, KICKED, LOOKING };

/* Of a peer's order, and then of the two workers. */
#define TURN_OF_WORKER(cpu)	(PEERS + cpu)
mtype turn[PEERS + 2];

/* items[].done: not yet; yes; or in the store buffer of a context. */
#define NOT_DONE	0
#define DONE		1
#define DONE_BY(c)	(2 + c)

typedef wg_ordered {
	byte added;			/* items that were ever in the list */
	byte first;			/* the one at the front */
	byte done[ITEMS + 1];		/* the last one never is */
	bool more;
	bool consumed;			/* by somebody, now */
	byte cpu;
	bool handed_over
};
wg_ordered order[PEERS];
#define NONE		2	/* order[].cpu */

/* Orders that wait for a NAPI: wg_fifo's two lists, as sets of peers. */
typedef wg_delivery {
	byte arrived, first
};
wg_delivery delivery[NAPIS];

/*
 * How a CPU is called to schedule its NAPI: the core's call_single_data_t, in that
 * CPU's queue or locked, and our flag beside it.
 */
typedef call_single_data {
	bool queued, locked, called
};
call_single_data call[2];

/* struct wg_lane */
chan ring = [RING] of { byte, byte };	/* peer, item */
bool queued_work[2];
bool allowed[2] = true;			/* cpus */

/*
 * Orders that wait for a worker, as sets of peers, and its lock. Those in `reversed`
 * are in neither list of wg_fifo for a moment.
 */
typedef wg_worker {
	byte arrived, reversed, first;
	bool locked
};
wg_worker workers[2];
#define lists	(workers[0].arrived | workers[0].reversed | workers[0].first | \
		 workers[1].arrived | workers[1].reversed | workers[1].first)

/* What is handed over is overdue now, if it was not before. */
bool late;

/* Where choose() sends: the device's flag `threaded`. */
bool dev_threaded = DEV_THREADED;

/*
 * Store buffers: a store with no barrier behind it may become visible after what
 * its CPU loads next. It stays in the buffer of its context until the next full
 * barrier there, or until store_buffers() feels like it. One store may overtake
 * another, as on arm64. What reads, modifies, writes and returns a value is a full
 * barrier.
 */
#define THREAD		2	/* 0 and 1: softirqs of two CPUs */
#define WORKER(cpu)	(3 + cpu)
#define SENDER(cpu)	(5 + cpu)
#define INTERRUPT(cpu)	(7 + cpu)
#define CPU_OF(c)	(c == THREAD -> 0 : (c < THREAD -> c : (c - 1) % 2))
#define CONTEXTS	9

typedef store_buffer {
	bool running;			/* thread.state = TASK_RUNNING */
	bool looking[PEERS + 2]		/* turn[] = LOOKING */
};
store_buffer context[CONTEXTS];
hidden byte q_, i_;

inline drain_running(c)
{
	context[c].running = false;
	thread.state = TASK_RUNNING
}

inline drain_looking(c, t)
{
	context[c].looking[t] = false;
	turn[t] = LOOKING
}

inline drain(c)
{
	if
	:: c == THREAD && context[c].running -> drain_running(c)
	:: else
	fi;
#ifdef NO_BEGIN_BARRIER
	for (q_ : 0 .. PEERS + 1) {
		if
		:: context[c].looking[q_] ->
			drain_looking(c, q_)
		:: else
		fi
	}
	q_ = 0;
#endif
	if
	:: c >= WORKER(0) ->
		for (q_ : 0 .. PEERS - 1) {
			for (i_ : 0 .. ITEMS - 1) {
				if
				:: order[q_].done[i_] == DONE_BY(c) ->
					order[q_].done[i_] = DONE
				:: else
				fi
			}
		}
		q_ = 0;
		i_ = 0
	:: else
	fi
}

inline smp_mb(c)
{
	d_step { drain(c) }
}
