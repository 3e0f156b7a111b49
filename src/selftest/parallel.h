/* SPDX-License-Identifier: GPL-2.0 */
/* One thread on every CPU, for self-tests of what several CPUs share. */
#ifndef _WG_SELFTEST_PARALLEL_H
#define _WG_SELFTEST_PARALLEL_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

/**
 * struct wg_parallel - threads at work
 * @fn: what they do
 * @arg: for @fn
 * @started: how many have begun to
 * @n: how many there are
 * @tasks: one on each CPU, with a reference, as a thread may end early
 */
struct wg_parallel {
	int (*fn)(void *arg);
	void *arg;
	atomic_t started;
	unsigned int n;
	struct task_struct *tasks[];
};

static inline int wg_parallel_thread(void *data)
{
	struct wg_parallel *parallel = data;

	atomic_inc(&parallel->started);
	return parallel->fn(parallel->arg);
}

/**
 * wg_parallel_stop() - wait for all threads to end
 * @parallel: threads; freed
 *
 * Context: Process context. kthread_should_stop() is true for the threads.
 * Return: true if every thread ended with 0.
 */
static inline bool wg_parallel_stop(struct wg_parallel *parallel)
{
	bool good = true;
	unsigned int i;

	for (i = 0; i < parallel->n; ++i) {
		good &= !kthread_stop(parallel->tasks[i]);
		put_task_struct(parallel->tasks[i]);
	}
	kfree(parallel);
	return good;
}

/**
 * wg_parallel_start() - run a function on all CPUs at once
 * @fn: the function; its return value is the thread's
 * @arg: for @fn
 *
 * Context: Process context; waits until all threads run, as one that is stopped
 *	before it has begun never does.
 * Return: the threads for wg_parallel_stop(), or NULL if there are none.
 */
static inline struct wg_parallel *wg_parallel_start(int (*fn)(void *arg),
						    void *arg)
{
	struct wg_parallel *parallel;
	struct task_struct *task;
	unsigned int i;
	int cpu;

	parallel = kzalloc(struct_size(parallel, tasks, nr_cpu_ids),
			   GFP_KERNEL);
	if (!parallel)
		return NULL;
	parallel->fn = fn;
	parallel->arg = arg;
	for_each_online_cpu(cpu) {
		task = kthread_create(wg_parallel_thread, parallel,
				      "wg_selftest/%d", cpu);
		if (IS_ERR(task)) {
			wg_parallel_stop(parallel);
			return NULL;
		}
		kthread_bind(task, cpu);
		parallel->tasks[parallel->n++] = get_task_struct(task);
	}
	for (i = 0; i < parallel->n; ++i)
		wake_up_process(parallel->tasks[i]);
	while (atomic_read(&parallel->started) < parallel->n)
		schedule_timeout_uninterruptible(1);
	return parallel;
}

#endif /* _WG_SELFTEST_PARALLEL_H */
