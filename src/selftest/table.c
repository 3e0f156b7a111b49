// SPDX-License-Identifier: GPL-2.0
/* Self-test of the two hash tables; part of table.c in debug builds. */
#include "parallel.h"

#include <linux/mm.h>

#define TEST_PEERS 64
#define TEST_INDICES 4096
/* How often a number changes hands while all CPUs look it up. */
#define TEST_HANDOVERS 20000

#define expect(condition) table_expect(condition, #condition, __LINE__)

static bool __init table_expect(bool good, const char *condition, int line)
{
	if (!good)
		pr_err("table self-test: line %d: %s failed\n", line,
		       condition);
	return good;
}

/* The first word differs in every key, the rest is the same in all. */
static void __init table_make_peer(struct wg_peer *peer, struct wg_device *wg,
				   u32 n)
{
	memset(peer->handshake.remote_static, 0x5a, WG_KEY_SIZE);
	memcpy(peer->handshake.remote_static, &n, sizeof(n));
	peer->device = wg;
	kref_init(&peer->refs);
}

/* The secret and the seed each give another hash function. */
static bool __init table_test_hash(const u8 *public_key)
{
	siphash_key_t secret = { { 1, 2 } }, other = { { 1, 3 } };
	unsigned int seed, same = 0;

	for (seed = 0; seed < 64; ++seed) {
		same += public_key_hash(public_key, &secret, seed) ==
			public_key_hash(public_key, &other, seed);
		same += public_key_hash(public_key, &secret, seed) ==
			public_key_hash(public_key, &secret, seed + 1);
	}
	return expect(same <= 1);
}

static bool __init table_test_peers(struct wg_peer_table *table,
				    struct wg_peer *peers)
{
	u8 unknown[WG_KEY_SIZE], *key;
	struct peer_key unknown_key = { unknown, &table->secret };
	struct rhashtable_compare_arg arg = { &table->ht, &unknown_key };
	bool good = true;
	unsigned int i;

	for (i = 0; i < TEST_PEERS; ++i)
		good &= expect(!wg_peer_table_add(table, &peers[i]));
	for (i = 0; i < TEST_PEERS; ++i) {
		key = peers[i].handshake.remote_static;
		good &= expect(wg_peer_table_get(table, key) == &peers[i]);
		good &= expect(kref_read(&peers[i].refs) == 2);
	}

	/* Every byte of a key counts, whatever the hashes make of it. */
	for (i = 0; i < WG_KEY_SIZE; ++i) {
		memcpy(unknown, peers[1].handshake.remote_static, WG_KEY_SIZE);
		good &= expect(!peer_compare(&arg, &peers[1]));
		unknown[i] ^= 0x80;
		good &= expect(peer_compare(&arg, &peers[1]));
		good &= expect(!wg_peer_table_get(table, unknown));
	}

	/* The spare one has the key of the first, and must not hide it. */
	key = peers[0].handshake.remote_static;
	good &= expect(wg_peer_table_add(table, &peers[TEST_PEERS]) == -EEXIST);
	good &= expect(wg_peer_table_get(table, key) == &peers[0]);
	wg_peer_table_remove(table, &peers[TEST_PEERS]);
	good &= expect(wg_peer_table_get(table, key) == &peers[0]);
	return good;
}

static bool __init table_test_peers_removal(struct wg_peer_table *table,
					    struct wg_peer *peers)
{
	bool good = true;
	unsigned int i;
	u8 *key;

	/* The last reference is gone, but not the peer yet. */
	key = peers[0].handshake.remote_static;
	refcount_set(&peers[0].refs.refcount, 0);
	good &= expect(!wg_peer_table_get(table, key));
	refcount_set(&peers[0].refs.refcount, 1);
	good &= expect(wg_peer_table_get(table, key) == &peers[0]);

	for (i = 0; i < TEST_PEERS; ++i) {
		key = peers[i].handshake.remote_static;
		wg_peer_table_remove(table, &peers[i]);
		good &= expect(!wg_peer_table_get(table, key));
		wg_peer_table_remove(table, &peers[i]);
	}
	good &= expect(!atomic_read(&table->ht.nelems));
	return good;
}

static bool __init table_test_indices(struct wg_index_table *table,
				      struct wg_index *entries)
{
	struct wg_index *a = &entries[0], *b = &entries[1];
	bool good = true;
	unsigned int i;
	__le32 number;

	for (i = 0; i < TEST_INDICES; ++i) {
		good &= expect(!wg_index_add(table, &entries[i]));
		good &= expect(entries[i].hashed);
	}
	for (i = 0; i < TEST_INDICES; ++i)
		good &= expect(wg_index_lookup(table, entries[i].index) ==
			       &entries[i]);

	/* Added again, an entry has another number and not the old one. */
	number = a->index;
	good &= expect(!wg_index_add(table, a));
	good &= expect(a->index != number && !wg_index_lookup(table, number));
	good &= expect(wg_index_lookup(table, a->index) == a);
	good &= expect(atomic_read(&table->ht.nelems) == TEST_INDICES);

	/* The number goes over; the old entry has lost it. */
	wg_index_remove(table, b);
	good &= expect(!b->hashed && !wg_index_lookup(table, b->index));
	number = a->index;
	good &= expect(wg_index_replace(table, a, b));
	good &= expect(b->hashed && b->index == number && !a->hashed);
	good &= expect(wg_index_lookup(table, number) == b);

	/* There is nothing to hand over any more. */
	good &= expect(!wg_index_replace(table, a, a));
	good &= expect(!a->hashed && wg_index_lookup(table, number) == b);
	wg_index_remove(table, a);
	good &= expect(wg_index_lookup(table, number) == b);
	good &= expect(atomic_read(&table->ht.nelems) == TEST_INDICES - 1);
	return good;
}

struct table_race {
	struct wg_index_table *table;
	__le32 number;
};

/* Whoever has the number, it must be found at all times. */
static int table_racer(void *arg)
{
	const struct table_race *race = arg;
	unsigned int i, missed = 0;

	while (!kthread_should_stop()) {
		local_bh_disable();
		for (i = 0; i < 64; ++i)
			missed += !wg_index_lookup(race->table, race->number);
		local_bh_enable();
		cond_resched();
	}
	return missed;
}

/*
 * Hand one number to and fro while all others leave, so that the table shrinks
 * meanwhile, and then come back.
 */
static bool __init table_test_race(struct wg_index_table *table,
				   struct wg_index *entries)
{
	struct wg_index *from = &entries[1], *to = &entries[0];
	struct table_race race = { table, from->index };
	struct wg_parallel *parallel;
	bool good = true;
	unsigned int i;

	parallel = wg_parallel_start(table_racer, &race);
	if (!expect(parallel))
		return false;
	for (i = 0; i < TEST_HANDOVERS; ++i) {
		good &= wg_index_replace(table, from, to);
		swap(from, to);
		if (i >= 2 && i < TEST_INDICES)
			wg_index_remove(table, &entries[i]);
		else if (i % TEST_INDICES >= 2)
			good &= !wg_index_add(table,
					      &entries[i % TEST_INDICES]);
		cond_resched();
	}
	good &= wg_parallel_stop(parallel);
	expect(good);

	for (i = 0; i < TEST_INDICES; ++i) {
		wg_index_remove(table, &entries[i]);
		good &= expect(wg_index_lookup(table, entries[i].index) !=
			       &entries[i]);
	}
	good &= expect(!atomic_read(&table->ht.nelems));
	return good;
}

static bool __init table_test_all(struct wg_device *wg, struct wg_peer *peers,
				  struct wg_index *entries)
{
	unsigned int i;
	bool good;

	if (wg_peer_table_init(&wg->peers))
		return false;
	for (i = 0; i <= TEST_PEERS; ++i)
		table_make_peer(&peers[i], wg, i % TEST_PEERS);
	good = table_test_hash(peers[0].handshake.remote_static) &&
	       table_test_peers(&wg->peers, peers) &&
	       table_test_peers_removal(&wg->peers, peers);
	wg_peer_table_destroy(&wg->peers);

	if (wg_index_table_init(&wg->indices))
		return false;
	good = good && table_test_indices(&wg->indices, entries) &&
	       table_test_race(&wg->indices, entries);
	wg_index_table_destroy(&wg->indices);
	return good;
}

/**
 * wg_table_selftest() - are peers and indices found, and only those?
 *
 * Context: Module initialisation.
 * Return: true if so; else a line in the log says what is wrong.
 */
bool __init wg_table_selftest(void)
{
	struct wg_index *entries;
	struct wg_device *wg;
	struct wg_peer *peers;
	bool good = false;

	wg = kvcalloc(1, sizeof(*wg), GFP_KERNEL);
	peers = kvcalloc(TEST_PEERS + 1, sizeof(*peers), GFP_KERNEL);
	entries = kvcalloc(TEST_INDICES, sizeof(*entries), GFP_KERNEL);
	if (wg && peers && entries)
		good = table_test_all(wg, peers, entries);
	synchronize_rcu();
	kvfree(entries);
	kvfree(peers);
	kvfree(wg);
	if (good)
		pr_info("table self-tests: pass\n");
	else
		pr_err("table self-tests: FAIL\n");
	return good;
}
