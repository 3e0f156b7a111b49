// SPDX-License-Identifier: GPL-2.0
/*
 * The part of the allowed IPs' self-test that does much of the same: nesting to
 * the last bit, random changes beside a slow oracle, readers during changes.
 */

static int __init plain_insert(struct test *test, const struct plain *plain,
			       u8 peer)
{
	return wg_allowedips_insert(&test->table, plain->family, plain->addr,
				    plain->cidr, &test->peers[peer]);
}

static bool __init test_finish(struct test *test)
{
	unsigned int i;

	for (i = 0; i < TEST_PEERS; ++i)
		wg_allowedips_remove_peer(&test->table, &test->peers[i]);
	return !rcu_access_pointer(test->table.root4) &&
	       !rcu_access_pointer(test->table.root6);
}

/*
 * The deepest trie there is: every prefix of one address, from the longest to
 * the shortest, with all other branches taken too. At each depth the addresses
 * that part there must be found, and freeing must come to an end.
 */
static bool __init test_nested(struct test *test, u16 family, bool flush)
{
	unsigned int bits = family == AF_INET ? 32 : 128, i;
	struct plain deep = { .family = family }, side;
	bool good = true;

	memset(deep.addr, 0xff, sizeof(deep.addr));
	for (i = bits + 1; i-- > 0;) {
		deep.cidr = i;
		good &= !plain_insert(test, &deep, i % TEST_PEERS);
	}
	for (i = 0; i < bits; ++i) {
		side = deep;
		side.cidr = bits;
		side.addr[i / 8] ^= 0x80 >> i % 8;
		good &= test_lookup(test, &side) ==
			&test->peers[i % TEST_PEERS];
		good &= !plain_insert(test, &side, (i + 1) % TEST_PEERS);
		good &= test_lookup(test, &side) ==
			&test->peers[(i + 1) % TEST_PEERS];
	}
	good &= test_lookup(test, &deep) == &test->peers[bits % TEST_PEERS];
	good &= table_check(&test->table) == 2 * bits + 1;
	if (flush)
		wg_allowedips_free(&test->table);
	else
		good &= test_finish(test);
	for (i = 0; i < TEST_PEERS; ++i)
		good &= list_empty(&test->peers[i].allowedips);
	good &= !table_check(&test->table);
	if (!good)
		pr_err("allowedips self-test: nesting failed\n");
	return good;
}

/* What takes the oracle's place: a list to be searched from end to end. */
struct oracle {
	unsigned int n;
	struct {
		struct plain plain;
		u8 peer;
	} entries[TEST_CHANGES];
};

static bool __init plain_covers(const struct plain *plain, const u8 *addr)
{
	unsigned int i;

	for (i = 0; i < plain->cidr; ++i) {
		if ((plain->addr[i / 8] ^ addr[i / 8]) & 0x80 >> i % 8)
			return false;
	}
	return true;
}

static u8 __init oracle_lookup(const struct oracle *oracle,
			       const struct plain *address)
{
	const struct plain *plain;
	unsigned int i;
	int best = -1;
	u8 peer = NONE;

	for (i = 0; i < oracle->n; ++i) {
		plain = &oracle->entries[i].plain;
		if (plain->family == address->family && plain->cidr > best &&
		    plain_covers(plain, address->addr)) {
			best = plain->cidr;
			peer = oracle->entries[i].peer;
		}
	}
	return peer;
}

/* The very prefix's position, or @n. */
static unsigned int __init oracle_find(const struct oracle *oracle,
				       const struct plain *wanted)
{
	const struct plain *plain;
	unsigned int i;

	for (i = 0; i < oracle->n; ++i) {
		plain = &oracle->entries[i].plain;
		if (plain->family == wanted->family &&
		    plain->cidr == wanted->cidr &&
		    plain_covers(plain, wanted->addr))
			break;
	}
	return i;
}

static void __init oracle_insert(struct oracle *oracle,
				 const struct plain *plain, u8 peer)
{
	unsigned int i = oracle_find(oracle, plain);

	oracle->entries[i].plain = *plain;
	oracle->entries[i].peer = peer;
	oracle->n = max(oracle->n, i + 1);
}

static void __init oracle_remove(struct oracle *oracle,
				 const struct plain *plain, u8 peer)
{
	unsigned int i = oracle_find(oracle, plain);

	if (i < oracle->n && oracle->entries[i].peer == peer)
		oracle->entries[i] = oracle->entries[--oracle->n];
}

static void __init oracle_remove_peer(struct oracle *oracle, u8 peer)
{
	unsigned int i;

	for (i = oracle->n; i-- > 0;) {
		if (oracle->entries[i].peer == peer)
			oracle->entries[i] = oracle->entries[--oracle->n];
	}
}

/*
 * An address from a small pool with a few bits changed, so that prefixes nest,
 * meet again and part at any bit.
 */
static void __init random_plain(struct rnd_state *rnd, u16 family,
				struct plain *plain)
{
	unsigned int bits = family == AF_INET ? 32 : 128, i, bit;
	struct rnd_state pool;

	prandom_seed_state(&pool, prandom_u32_state(rnd) % TEST_POOL);
	prandom_bytes_state(&pool, plain->addr, sizeof(plain->addr));
	for (i = prandom_u32_state(rnd) % 3; i; --i) {
		bit = prandom_u32_state(rnd) % bits;
		plain->addr[bit / 8] ^= 0x80 >> bit % 8;
	}
	plain->family = family;
	plain->cidr = prandom_u32_state(rnd) % (bits + 1);
}

static bool __init oracle_change(struct oracle *oracle, struct test *test,
				 struct rnd_state *rnd, u16 family)
{
	u8 peer = prandom_u32_state(rnd) % TEST_PEERS;
	u32 kind = prandom_u32_state(rnd) % 256;
	struct plain plain;

	random_plain(rnd, family, &plain);
	if (!kind) {
		oracle_remove_peer(oracle, peer);
		wg_allowedips_remove_peer(&test->table, &test->peers[peer]);
		return true;
	}
	if (kind < 160) {
		oracle_insert(oracle, &plain, peer);
		return !plain_insert(test, &plain, peer);
	}
	if (kind < 240 && oracle->n) {
		kind = prandom_u32_state(rnd) % oracle->n;
		plain = oracle->entries[kind].plain;
		peer = oracle->entries[kind].peer;
	}
	oracle_remove(oracle, &plain, peer);
	return !wg_allowedips_remove(&test->table, plain.family, plain.addr,
				     plain.cidr, &test->peers[peer]);
}

/* Every entry that peers read back must be the oracle's, and be all of them. */
static bool __init oracle_compare(const struct oracle *oracle,
				  struct test *test)
{
	struct wg_allowedips_node *node;
	unsigned int entries = 0, i;
	struct plain plain;
	u8 peer;

	for (peer = 0; peer < TEST_PEERS; ++peer) {
		node = NULL;
		while ((node = wg_allowedips_next(&test->peers[peer], node))) {
			plain.family = wg_allowedips_read(node, plain.addr,
							  &plain.cidr);
			i = oracle_find(oracle, &plain);
			if (i == oracle->n || oracle->entries[i].peer != peer)
				return false;
			++entries;
		}
	}
	return entries == oracle->n && table_check(&test->table) == entries;
}

static bool __init test_random(struct test *test, u64 seed)
{
	struct oracle *oracle = kvzalloc(sizeof(*oracle), GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int i, j;
	struct plain plain;
	bool good = oracle;

	prandom_seed_state(&rnd, seed);
	for (i = 0; good && i < TEST_CHANGES; ++i) {
		good = oracle_change(oracle, test, &rnd,
				     i % 2 ? AF_INET : AF_INET6) &&
		       (i % 64 || oracle_compare(oracle, test));
		for (j = 0; good && j < TEST_LOOKUPS; ++j) {
			random_plain(&rnd, j % 2 ? AF_INET : AF_INET6, &plain);
			good = test_lookup(test, &plain) ==
			       test_peer(test, oracle_lookup(oracle, &plain));
		}
		cond_resched();
	}
	good = good && oracle_compare(oracle, test);
	if (!good)
		pr_err("allowedips self-test: random change %u, seed %#llx failed\n",
		       i, seed);
	kvfree(oracle);
	return test_finish(test) && good;
}

static const u8 race_host[16] = { 10, 1, 2, 3 };
static const u8 race_net[16] = { 10, 1, 2, 4 };

/*
 * Two addresses keep their peers whatever happens above and below the prefixes
 * that give them, in both families.
 */
static int test_racer(void *arg)
{
	const struct test *test = arg;
	unsigned int i, wrong = 0;

	while (!kthread_should_stop()) {
		rcu_read_lock_bh();
		for (i = 0; i < 32; ++i) {
			wrong += lookup4(&test->table, race_host) !=
				 &test->peers[A];
			wrong += lookup6(&test->table, race_host) !=
				 &test->peers[A];
			wrong += lookup4(&test->table, race_net) !=
				 &test->peers[B];
			wrong += lookup6(&test->table, race_net) !=
				 &test->peers[B];
		}
		rcu_read_unlock_bh();
		cond_resched();
	}
	return wrong;
}

/*
 * A prefix that does not take either address from its peer: one above both, or
 * one that parts from the way to both, or to the host, at some bit.
 */
static void __init random_racing_plain(struct rnd_state *rnd,
				       struct plain *plain)
{
	bool v6 = prandom_u32_state(rnd) % 2;
	u8 bit;

	plain->family = v6 ? AF_INET6 : AF_INET;
	memcpy(plain->addr, race_host, sizeof(race_host));
	plain->cidr = prandom_u32_state(rnd) % 24;
	if (prandom_u32_state(rnd) % 8) {
		bit = prandom_u32_state(rnd) % 29;
		if (v6 && prandom_u32_state(rnd) % 2)
			bit = 32 + prandom_u32_state(rnd) % 96;
		plain->addr[bit / 8] ^= 0x80 >> bit % 8;
		plain->cidr = bit + 1 +
			      prandom_u32_state(rnd) % ((v6 ? 128 : 32) - bit);
	}
}

static bool __init test_race(struct test *test, u64 seed)
{
	struct plain host = { AF_INET, { 10, 1, 2, 3 }, 32 };
	struct plain net = { AF_INET, { 10, 1, 2, 0 }, 24 };
	struct wg_parallel *parallel;
	struct rnd_state rnd;
	unsigned long until;
	bool good = true;
	unsigned int i;

	for (i = 0; i < 2; ++i) {
		good &= !plain_insert(test, &host, A);
		good &= !plain_insert(test, &net, B);
		host.family = AF_INET6;
		host.cidr = 128;
		net.family = AF_INET6;
	}
	prandom_seed_state(&rnd, seed);
	parallel = wg_parallel_start(test_racer, test);
	if (!parallel)
		return false;
	until = jiffies + TEST_RACE_TIME;
	for (i = 0; i < TEST_RACE_CHANGES && time_before(jiffies, until); ++i) {
		random_racing_plain(&rnd, &net);
		good &= !plain_insert(test, &net, C + i % 4);
		if (i % 4)
			good &= !wg_allowedips_remove(&test->table, net.family,
						      net.addr, net.cidr,
						      &test->peers[C + i % 4]);
		if (i % 256 == 255)
			wg_allowedips_remove_peer(&test->table,
						  &test->peers[C]);
		if (i % 64 == 63)
			cond_resched();
	}
	good &= wg_parallel_stop(parallel);
	good &= table_check(&test->table) > 0;
	good &= test_finish(test);
	if (!good)
		pr_err("allowedips self-test: readers during changes, seed %#llx failed\n",
		       seed);
	return good;
}
