// SPDX-License-Identifier: GPL-2.0
/* Which size fits, with few questions. */
#include "measure.h"

/* What is encrypted is filled up to a multiple of this. */
#define STEP 16

void search_begin(struct search *search, unsigned int most)
{
	search->fits = MEASURE_LEAST;
	search->not = (most < MEASURE_MOST ? most : MEASURE_MOST) + 1;
	search->begun = false;
}

/* First what is hoped for, then the middle of what is left, in steps. */
unsigned int search_next(const struct search *search)
{
	unsigned int low = search->fits / STEP + 1;
	unsigned int high = (search->not - 1) / STEP;

	if (search->not - 1 <= search->fits)
		return 0;
	if (!search->begun)
		return search->not - 1;
	return low > high ? 0 : (low + (high - low) / 2) * STEP;
}

void search_tell(struct search *search, unsigned int size, bool fits)
{
	search->begun = true;
	if (fits)
		search->fits = size;
	else
		search->not = size;
}
