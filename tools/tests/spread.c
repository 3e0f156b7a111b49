// SPDX-License-Identifier: GPL-2.0
/* Do tunnels get spread, on NICs that are made up? KTAP. */
#include "spread.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 2000

static int number, failed;

static void result(bool good, const char *what)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++number, what);
	failed += !good;
}

/* As good as any hash: where a flow lands changes with either end's port. */
static int landing(unsigned int nic, unsigned int tunnel, unsigned int here,
		   unsigned int there, unsigned int queues)
{
	uint64_t x = nic + 1;

	x = (x ^ tunnel) * 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 31 ^ here) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 29 ^ there) * 0x94d049bb133111ebu;
	return (x >> 33) % queues;
}

/**
 * struct side - an end
 * @spread: what it knows
 * @nic: whose hash it has
 * @queues: of that
 * @ports: of its tunnels
 * @tried: how many ports
 */
struct side {
	struct spread spread;
	unsigned int nic;
	unsigned int queues;
	unsigned int ports[MOST_TUNNELS];
	unsigned int tried;
};

static void begin(struct side *side, unsigned int nic, unsigned int tunnels,
		  unsigned int cpus, unsigned int queues)
{
	unsigned int i;

	spread_begin(&side->spread, tunnels, cpus);
	side->nic = nic;
	side->queues = queues;
	side->tried = 0;
	for (i = 0; i < tunnels; i++)
		side->ports[i] = 1000 + i;
}

static void look(struct side *side, const struct side *other, uint32_t moved)
{
	unsigned int i;

	for (i = 0; i < side->spread.tunnels; i++)
		spread_tell(&side->spread, i,
			    landing(side->nic, i, side->ports[i],
				    other->ports[i], side->queues),
			    moved & 1U << i);
}

static uint32_t move(struct side *side)
{
	uint32_t surplus = spread_surplus(&side->spread);
	unsigned int i;

	for (i = 0; i < side->spread.tunnels; i++) {
		if (surplus & 1U << i)
			side->ports[i] = 2000 + side->tried++;
	}
	return surplus;
}

/* Is no CPU's load by more than one above that of another one that there is? */
static bool is_even(const struct spread *spread, unsigned int queues)
{
	unsigned int load[64] = { 0 }, i, least = 64, most = 0;

	for (i = 0; i < spread->tunnels; i++)
		load[spread->at[i]]++;
	for (i = 0; i < queues; i++) {
		if (load[i] < least)
			least = load[i];
		if (load[i] > most)
			most = load[i];
	}
	return most - least <= 1;
}

/* One end alone: how many rounds it took, or ROUNDS. */
static unsigned int run(struct side *side, bool *steady)
{
	struct side other = *side;
	unsigned int round, placed, before = 0;
	uint32_t moved = 0;

	for (round = 0; round < ROUNDS; round++) {
		look(side, &other, moved);
		placed = side->spread.tunnels -
			 __builtin_popcount(spread_surplus(&side->spread));
		if (!spread_is_all(&side->spread))
			*steady &= placed >= before;
		before = placed;
		moved = move(side);
		if (!moved)
			break;
	}
	return round;
}

static void alone(void)
{
	unsigned int tunnels, queues, nic, rounds, worst = 0, ports = 0;
	bool even = true, steady = true, all = true;
	struct side side;

	for (tunnels = 2; tunnels <= 16; tunnels++) {
		for (queues = 2; queues <= 16; queues++) {
			for (nic = 0; nic < 20; nic++) {
				begin(&side, nic, tunnels, queues, queues);
				rounds = run(&side, &steady);
				even &= is_even(&side.spread, queues);
				all &= spread_used(&side.spread) ==
				       (tunnels < queues ? tunnels : queues);
				if (rounds > worst)
					worst = rounds;
				if (side.tried > ports)
					ports = side.tried;
			}
		}
	}
	result(all, "tunnels land on as many CPUs as there can be");
	result(even, "and no CPU has two more than another");
	result(steady, "what is in place stays there");
	result(worst < 150 && ports < SPREAD_PORTS,
	       "with so few rounds and ports that there is time for them");
	printf("# at most %u rounds, %u ports\n", worst, ports);
}

/* More CPUs than the NIC has queues: that is found out, and not waited for. */
static void few_queues(void)
{
	unsigned int queues, nic, missed = 0, runs = 0, worst = 0, rounds;
	bool even = true, steady = true;
	struct side side;

	for (queues = 1; queues <= 7; queues++) {
		for (nic = 0; nic < 200; nic++) {
			begin(&side, nic, 8, 8, queues);
			rounds = run(&side, &steady);
			if (rounds > worst)
				worst = rounds;
			runs++;
			missed += side.spread.seen_count < queues;
			even &= side.spread.seen_count < queues ||
				is_even(&side.spread, queues);
			even &= spread_is_all(&side.spread);
		}
	}
	result(even, "fewer queues than CPUs: tunnels share them evenly");
	result(missed * 500 <= runs, "hardly ever is one given up that there is");
	result(worst < 200, "nor are those that there are not waited for");
	printf("# %u of %u missed one, at most %u rounds\n", missed, runs,
	       worst);
}

static void one_cpu(void)
{
	bool steady = true;
	struct side side;

	begin(&side, 1, 4, 8, 1);
	run(&side, &steady);
	result(spread_used(&side.spread) == 1 && spread_is_all(&side.spread) &&
	       side.tried <= 18, "one queue: known after 18 ports at most");
}

/* Both at once, each by its own view: it ends when both are content. */
static void both(void)
{
	unsigned int tunnels, nic, round, worst = 0;
	struct side left, right;
	uint32_t moved[2];
	bool even = true;

	for (tunnels = 2; tunnels <= 8; tunnels++) {
		for (nic = 0; nic < 50; nic++) {
			begin(&left, nic, tunnels, tunnels, tunnels);
			begin(&right, nic + 1000, tunnels, tunnels, tunnels);
			moved[0] = 0;
			moved[1] = 0;
			for (round = 0; round < ROUNDS; round++) {
				look(&left, &right, moved[0]);
				look(&right, &left, moved[1]);
				moved[0] = move(&left);
				moved[1] = move(&right);
				if (!moved[0] && !moved[1])
					break;
			}
			even &= is_even(&left.spread, tunnels) &&
				is_even(&right.spread, tunnels);
			if (round > worst)
				worst = round;
		}
	}
	result(even, "two ends at once: both get spread");
	printf("# after %u rounds at most\n", worst);
}

static void silence(void)
{
	struct spread spread;

	spread_begin(&spread, 3, 2);
	result(!spread_surplus(&spread) && !spread_known(&spread),
	       "of tunnels that do not answer, none has to move");
	spread_tell(&spread, 0, 1, false);
	spread_tell(&spread, 2, 1, false);
	result(spread_surplus(&spread) == 4 && spread_known(&spread) == 2,
	       "they do not count");
	spread_tell(&spread, 0, SPREAD_NOWHERE, false);
	result(!spread_surplus(&spread) && spread_known(&spread) == 1,
	       "nor does one that has gone silent");
}

static void age(void)
{
	struct spread spread;

	spread_begin(&spread, 3, 3);
	spread_tell(&spread, 0, 0, false);
	spread_tell(&spread, 1, 0, false);
	spread_tell(&spread, 2, 1, false);
	result(spread_surplus(&spread) == 2, "of two on a CPU, one has to move");
	spread_tell(&spread, 2, 1, false);
	spread_tell(&spread, 1, 2, true);
	result(!spread_surplus(&spread), "it has found a place");
	spread_tell(&spread, 0, 2, false);
	result(spread_surplus(&spread) == 1,
	       "who came later has to go, not who was there");
}

static void ports(void)
{
	static const uint16_t listen[] = { 1, 51820, 64436, 64437, 65535 };
	unsigned int i, n, port, last;
	bool good = true;

	for (i = 0; i < sizeof(listen) / sizeof(listen[0]); i++) {
		last = 0;
		for (n = 0; n < SPREAD_PORTS; n++) {
			port = spread_port(listen[i], n);
			good &= port && abs((int)port - listen[i]) >=
				SPREAD_FIRST &&
				abs((int)port - listen[i]) <
				SPREAD_FIRST + SPREAD_PORTS;
			good &= !last || abs((int)port - (int)last) == 1;
			last = port;
		}
		good &= !spread_port(listen[i], SPREAD_PORTS);
	}
	result(good, "ports are near ListenPort, none comes twice, and they end");
}

int main(void)
{
	puts("KTAP version 1");
	alone();
	few_queues();
	one_cpu();
	both();
	silence();
	age();
	ports();
	printf("1..%d\n# %d passed, %d failed\n", number, number - failed,
	       failed);
	return failed != 0;
}
