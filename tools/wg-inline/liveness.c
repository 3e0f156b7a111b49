// SPDX-License-Identifier: GPL-2.0
/* When a tunnel is dead, and when it is not. */
#include "liveness.h"

#include <string.h>

#define CALM 500
#define OVERDUE 600
/* To be taken back, it has to answer so often, with no longer pauses. */
#define ROW 3
#define PAUSE 1500

void liveness_begin(struct liveness *liveness, int64_t now)
{
	memset(liveness, 0, sizeof(*liveness));
	liveness->heard = now;
}

bool liveness_ask(struct liveness *liveness, int64_t now)
{
	int64_t silent = now - liveness->heard;
	bool urgent = liveness->alive ? silent > OVERDUE :
		      liveness->row && silent < PAUSE;

	/* Half a turn too early is better than half a turn too late. */
	if (liveness->asked && !urgent &&
	    now - liveness->asked < CALM - LIVENESS_TURN / 2)
		return false;
	liveness->asked = now;
	return true;
}

void liveness_hear(struct liveness *liveness, int64_t now, unsigned int lag)
{
	if (lag > LIVENESS_LAG)
		lag = LIVENESS_LAG;
	if (lag < liveness->lag)
		lag = liveness->lag - (liveness->lag - lag + 3) / 4;
	liveness->lag = lag;
	if (now - liveness->heard > PAUSE)
		liveness->row = 0;
	liveness->row++;
	liveness->heard = now;
	/* One that was never dead need not prove itself. */
	if (!liveness->ever || liveness->row >= ROW)
		liveness->alive = true;
	liveness->ever = true;
}

bool liveness_judge(struct liveness *liveness, int64_t now, unsigned int lag)
{
	int64_t limit = LIVENESS_DEAD + (lag > CALM ? lag : 0);

	if (!liveness->alive || now - liveness->heard < limit)
		return false;
	liveness->alive = false;
	liveness->row = 0;
	liveness->lag = 0;
	return true;
}

void liveness_forgive(struct liveness *liveness, int64_t time)
{
	liveness->heard += time;
}

uint32_t liveness_choose(const uint32_t *answering, unsigned int peers,
			 uint32_t used)
{
	uint32_t all = UINT32_MAX, any = 0;
	unsigned int i;

	for (i = 0; i < peers; i++) {
		if (!answering[i])
			continue;
		all &= answering[i];
		any |= answering[i];
	}
	if (!any)
		return used;
	return all ? all : any;
}
