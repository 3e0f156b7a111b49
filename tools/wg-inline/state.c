// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#include "config.h"

#include <stdio.h>
#include <string.h>

#define REST " table %u hash4 %d hash6 %d mark %d rules %u %u complete %u"

/* Older ones wrote less, and that only of the first tunnel. */
static bool is_full(int fields)
{
	return fields == 3 || fields == 7 || fields == 10;
}

void state_write(const struct state *state, char *text)
{
	snprintf(text, STATE_TEXT, "wg-inline bundle %s tunnel %u of %u" REST,
		 state->bundle, state->tunnel, state->tunnels, state->table,
		 state->hash4, state->hash6, state->mark, state->rules4,
		 state->rules6, state->complete);
}

bool state_read(struct state *state, const char *text)
{
	int got;

	memset(state, 0, sizeof(*state));
	state->hash4 = NOT_SET;
	state->hash6 = NOT_SET;
	state->mark = NOT_SET;
	got = sscanf(text, "wg-inline bundle %15s tunnel %2u of %2u" REST,
		     state->bundle, &state->tunnel, &state->tunnels, &state->table,
		     &state->hash4, &state->hash6, &state->mark,
		     &state->rules4, &state->rules6, &state->complete);
	return is_full(got) && state->tunnel &&
	       state->tunnel <= state->tunnels &&
	       state->tunnels <= MOST_TUNNELS;
}
