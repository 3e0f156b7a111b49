// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#include "config.h"

#include <stdio.h>
#include <string.h>

#define FORMAT(name, number) \
	"wg-inline bundle " name " tunnel " number " of " number \
	" table %u hash4 %d hash6 %d mark %d rules %u %u complete %u"
/* Older ones wrote less, and that only of the first tunnel. */
#define IS_FULL(fields) ((fields) == 3 || (fields) == 7 || (fields) == 10)

void state_write(const struct state *state, char *text)
{
	snprintf(text, STATE_TEXT, FORMAT("%s", "%u"), state->bundle,
		 state->tunnel, state->tunnels, state->table, state->hash4, state->hash6,
		 state->mark, state->rules4, state->rules6, state->complete);
}

bool state_read(struct state *state, const char *text)
{
	int got;

	memset(state, 0, sizeof(*state));
	state->hash4 = NOT_SET;
	state->hash6 = NOT_SET;
	state->mark = NOT_SET;
	got = sscanf(text, FORMAT("%15s", "%2u"), state->bundle,
		     &state->tunnel, &state->tunnels, &state->table,
		     &state->hash4, &state->hash6, &state->mark,
		     &state->rules4, &state->rules6, &state->complete);
	return IS_FULL(got) && state->tunnel &&
	       state->tunnel <= state->tunnels &&
	       state->tunnels <= MOST_TUNNELS;
}
