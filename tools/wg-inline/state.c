// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#include "config.h"

#include <stdio.h>
#include <string.h>

#define FORMAT "wg-inline bundle %15s tunnel %2u of %2u"
#define REST " table %u hash4 %d hash6 %d mark %d"

void state_write(const struct state *state, char *text)
{
	int length;

	length = snprintf(text, STATE_TEXT,
			  "wg-inline bundle %s tunnel %u of %u", state->bundle,
			  state->tunnel, state->tunnels);
	if (state->tunnel == 1)
		snprintf(text + length, STATE_TEXT - length, REST,
			 state->table, state->hash4, state->hash6,
			 state->mark);
}

bool state_read(struct state *state, const char *text)
{
	int got;

	memset(state, 0, sizeof(*state));
	state->hash4 = NOT_SET;
	state->hash6 = NOT_SET;
	state->mark = NOT_SET;
	got = sscanf(text, FORMAT REST, state->bundle, &state->tunnel,
		     &state->tunnels, &state->table, &state->hash4,
		     &state->hash6, &state->mark);
	return (got == 3 || got == 7) && state->tunnel &&
	       state->tunnel <= state->tunnels &&
	       state->tunnels <= MOST_TUNNELS;
}
