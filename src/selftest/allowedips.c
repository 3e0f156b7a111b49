// SPDX-License-Identifier: GPL-2.0
/* Self-test of the allowed IPs; part of allowedips.c in debug builds. */
#include "parallel.h"

#include <linux/inet.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/random.h>

#define TEST_PEERS 8
/* The most a peer's list or a prefix may be when written out. */
#define TEST_TEXT 256
/* Of the comparison with the oracle: changes, and lookups after each. */
#define TEST_CHANGES 2000
#define TEST_LOOKUPS 8
#define TEST_POOL 24
/* How often the trie changes while all CPUs read it, and how long at most. */
#define TEST_RACE_CHANGES 20000
#define TEST_RACE_TIME HZ

enum step_kind {
	ADD,		/* insert @text for @peer, which gives 0 */
	BAD,		/* insert and remove @text, which both give -EINVAL */
	DEL,		/* remove @text from @peer, which gives 0 */
	FLUSH,		/* remove all from @peer */
	IS,		/* the address @text is @peer's */
	LIST,		/* the entries of @peer are @text, in this order */
	EMPTY,		/* no node is left */
	DOT,		/* print the tries */
};

/* No peer; and one that is handed in as NULL. */
#define NONE TEST_PEERS
enum { A, B, C, D, E, F, G };

struct step {
	enum step_kind kind;
	u8 peer;
	const char *text;
};

static const struct step steps[] __initconst = {
	{ EMPTY },
	{ IS, NONE, "10.0.0.1" }, { IS, NONE, "fd00::1" },
	/* The longest prefix has it, whichever came first. */
	{ ADD, A, "10.0.0.0/8" }, { ADD, B, "10.20.0.0/16" },
	{ ADD, D, "10.20.30.40/32" }, { ADD, C, "10.20.30.0/24" },
	{ IS, A, "10.0.0.0" }, { IS, A, "10.19.255.255" },
	{ IS, B, "10.20.0.0" }, { IS, B, "10.20.31.0" },
	{ IS, C, "10.20.30.0" }, { IS, C, "10.20.30.41" },
	{ IS, D, "10.20.30.40" }, { IS, A, "10.21.30.40" },
	{ IS, NONE, "11.0.0.0" }, { IS, NONE, "9.255.255.255" },
	/* A default route takes what is left; half of it takes more. */
	{ ADD, E, "0.0.0.0/0" }, { IS, E, "11.0.0.0" }, { IS, E, "0.0.0.0" },
	{ IS, E, "255.255.255.255" }, { IS, D, "10.20.30.40" },
	{ ADD, F, "128.0.0.0/1" }, { IS, F, "255.255.255.255" },
	{ IS, F, "128.0.0.0" }, { IS, E, "127.255.255.255" },
	{ IS, NONE, "::" }, { DOT },
	/* Another owner: the prefix moves, and appears once. */
	{ ADD, G, "10.20.0.0/16" }, { IS, G, "10.20.0.0" }, { LIST, B, "" },
	{ LIST, G, "10.20.0.0/16" }, { ADD, B, "10.20.0.0/16" },
	{ IS, B, "10.20.31.1" }, { LIST, G, "" }, { LIST, B, "10.20.0.0/16" },
	{ IS, C, "10.20.30.1" },
	/* Removal is of the very prefix, from its owner. */
	{ DEL, A, "10.20.0.0/16" }, { IS, B, "10.20.0.0" },
	{ DEL, B, "10.20.0.0/15" }, { DEL, B, "10.20.0.0/17" },
	{ DEL, B, "10.21.0.0/16" }, { DEL, NONE, "10.20.0.0/16" },
	{ IS, B, "10.20.0.0" }, { DEL, B, "10.20.99.99/16" },
	{ IS, A, "10.20.0.0" }, { IS, C, "10.20.30.1" }, { LIST, B, "" },
	{ DEL, B, "10.20.0.0/16" }, { IS, A, "10.20.0.0" },
	{ FLUSH, C }, { IS, A, "10.20.30.0" }, { IS, D, "10.20.30.40" },
	{ FLUSH, C }, { FLUSH, E }, { IS, NONE, "1.1.1.1" },
	{ IS, F, "130.1.1.1" }, { FLUSH, F }, { FLUSH, D },
	{ IS, A, "10.20.30.40" }, { FLUSH, A }, { EMPTY },
	/* A fork becomes an entry where it stands, and a fork again. */
	{ ADD, A, "192.168.0.0/24" }, { ADD, B, "192.168.1.0/24" },
	{ DEL, NONE, "192.168.0.0/23" }, { ADD, C, "192.168.0.0/23" },
	{ IS, A, "192.168.0.9" }, { IS, B, "192.168.1.9" },
	{ DEL, A, "192.168.0.0/24" }, { IS, C, "192.168.0.9" },
	{ ADD, A, "192.168.0.0/24" }, { DEL, C, "192.168.0.0/23" },
	{ DEL, C, "192.168.0.0/23" }, { IS, A, "192.168.0.9" },
	{ DEL, NONE, "192.168.0.0/23" }, { ADD, D, "192.168.0.0/23" },
	{ LIST, D, "192.168.0.0/23" }, { FLUSH, D },
	{ IS, NONE, "192.168.2.0" },
	{ FLUSH, B }, { IS, NONE, "192.168.1.9" }, { IS, A, "192.168.0.1" },
	{ FLUSH, A }, { EMPTY },
	/* Host bits do not count, and are not read back. */
	{ ADD, A, "10.11.12.13/9" }, { ADD, A, "1.2.3.4/0" },
	{ ADD, C, "255.255.255.255/31" }, { ADD, A, "10.127.255.254/8" },
	{ ADD, A, "10.9.9.254/32" }, { LIST, C, "255.255.255.254/31" },
	{ LIST, A, "10.0.0.0/9 0.0.0.0/0 10.0.0.0/8 10.9.9.254/32" },
	{ ADD, A, "10.99.99.99/9" },
	{ LIST, A, "0.0.0.0/0 10.0.0.0/8 10.9.9.254/32 10.0.0.0/9" },
	{ ADD, B, "fd12:3456:789a:bcde:f012:3456:789a:bcde/67" },
	{ LIST, B, "fd12:3456:789a:bcde:e000::/67" }, { FLUSH, B },
	{ ADD, B, "fd12:3456:789a:bcde:f012:3456:789a:bcde/61" },
	{ ADD, B, "ffff::1/0" },
	{ LIST, B, "fd12:3456:789a:bcd8::/61 ::/0" }, { FLUSH, C },
	{ FLUSH, A }, { FLUSH, B }, { EMPTY },
	/* The same for IPv6, about the border of its two halves. */
	{ ADD, A, "fd00::/8" }, { ADD, B, "fd00:1::/63" },
	{ ADD, C, "fd00:1::/64" }, { ADD, D, "fd00:1::/65" },
	{ ADD, E, "fd00:1::1/128" }, { ADD, F, "fd00:1:0:0:8000::/66" },
	{ IS, A, "fd00::" }, { IS, B, "fd00:1:0:1::" },
	{ IS, A, "fd00:1:0:2::" }, { IS, C, "fd00:1::ffff:0:0:0" },
	{ IS, F, "fd00:1:0:0:8000::1" }, { IS, D, "fd00:1::7fff:ffff:0:0" },
	{ IS, D, "fd00:1::2" }, { IS, E, "fd00:1::1" }, { IS, D, "fd00:1::" },
	{ IS, NONE, "fe00::" }, { IS, NONE, "0.0.0.0" }, { DOT },
	{ DEL, D, "fd00:1::/64" }, { IS, C, "fd00:1::ffff:0:0:0" },
	{ DEL, D, "fd00:1::/65" }, { IS, C, "fd00:1::2" },
	{ IS, E, "fd00:1::1" }, { DEL, C, "fd00:1::/64" },
	{ IS, B, "fd00:1::2" }, { IS, F, "fd00:1:0:0:8000::1" },
	{ ADD, G, "::/0" }, { IS, G, "2001:db8::1" }, { IS, G, "::" },
	{ LIST, G, "::/0" }, { FLUSH, G }, { FLUSH, B }, { FLUSH, A },
	{ FLUSH, E }, { IS, F, "fd00:1:0:0:8000::1" }, { FLUSH, F }, { EMPTY },
	/* Families do not mix, though the bits be the same. */
	{ ADD, A, "a00::/8" }, { ADD, B, "10.0.0.0/8" }, { IS, B, "10.0.0.0" },
	{ IS, A, "a00::" }, { DEL, A, "10.0.0.0/8" }, { IS, B, "10.0.0.0" },
	{ LIST, A, "a00::/8" }, { FLUSH, A }, { FLUSH, B }, { EMPTY },
	/* Prefixes that cannot be. */
	{ BAD, A, "10.0.0.0/33" }, { BAD, A, "10.0.0.0/128" },
	{ BAD, A, "10.0.0.0/255" }, { BAD, A, "fd00::/129" },
	{ BAD, A, "fd00::/255" }, { LIST, A, "" }, { EMPTY },
};

/* A prefix as bytes, for all that must not rely on the code under test. */
struct plain {
	u16 family;
	u8 addr[16];
	u8 cidr;
};

static bool __init plain_parse(struct plain *plain, const char *text)
{
	const char *slash = strchrnul(text, '/');
	int len = slash - text;
	bool v6 = memchr(text, ':', len);

	plain->family = v6 ? AF_INET6 : AF_INET;
	plain->cidr = v6 ? 128 : 32;
	if (!(v6 ? in6_pton(text, len, plain->addr, -1, NULL) :
		   in4_pton(text, len, plain->addr, -1, NULL)))
		return false;
	return !*slash || !kstrtou8(slash + 1, 10, &plain->cidr);
}

static int plain_print(char *text, size_t size,
		       const struct wg_allowedips_node *node)
{
	u8 addr[16], cidr;

	if (wg_allowedips_read(node, addr, &cidr) == AF_INET)
		return scnprintf(text, size, "%pI4/%u", addr, cidr);
	return scnprintf(text, size, "%pI6c/%u", addr, cidr);
}

static void dot_print_node(struct wg_allowedips_node *node)
{
	const struct wg_peer *peer = writer_dereference(node->peer);
	struct wg_allowedips_node *child;
	char text[64], below[64];
	unsigned int bit;

	plain_print(text, sizeof(text), node);
	if (peer)
		pr_debug("\"%s\" [label=\"%s\\nPeer %llu\"];\n", text, text,
			 peer->id);
	else
		pr_debug("\"%s\" [style=dotted];\n", text);
	for (bit = 0; !node_is_host(node) && bit < 2; ++bit) {
		child = node_child(node, bit);
		if (!child)
			continue;
		plain_print(below, sizeof(below), child);
		pr_debug("\"%s\" -> \"%s\" [label=%u];\n", text, below, bit);
	}
}

static void dot_print_trie(const char *name, struct wg_allowedips_node *node)
{
	struct wg_allowedips_node *from = NULL, *next;

	pr_debug("digraph %s {\n", name);
	while (node) {
		if (!from)
			dot_print_node(node);
		next = node_unvisited(node, from);
		from = next ? NULL : node;
		node = next ?: node->parent;
	}
	pr_debug("}\n");
}

/**
 * wg_allowedips_print_dot() - print both tries to the log, for Graphviz
 * @table: allowed IPs of a device
 *
 * Entries come with the number of their peer, forks are dotted, and a line's
 * label is the bit that it stands for.
 *
 * Context: Device's update lock held.
 */
void wg_allowedips_print_dot(const struct wg_allowedips *table)
{
	dot_print_trie("allowedips4", writer_dereference(table->root4));
	dot_print_trie("allowedips6", writer_dereference(table->root6));
}

/* Is the trie well-formed below @node? That also bounds its depth. */
static bool __init trie_check_node(struct wg_allowedips_node *node)
{
	struct wg_address address = node_address(node), below;
	struct wg_allowedips_node *child;
	unsigned int bit, children = 0;
	struct wg_prefix masked = { .address = address };

	wg_prefix_shorten(&masked, node->cidr);
	if (memcmp(&masked.address, &address, sizeof(address)))
		return false;
	for (bit = 0; !node_is_host(node) && bit < 2; ++bit) {
		child = node_child(node, bit);
		if (!child)
			continue;
		++children;
		below = node_address(child);
		if (child->parent != node || child->cidr <= node->cidr ||
		    child->v6 != node->v6 ||
		    wg_address_bit(&below, node->cidr) != bit ||
		    wg_address_common(&below, &address) < node->cidr)
			return false;
	}
	if (rcu_access_pointer(node->peer))
		return node->entry;
	return children == 2 && (!node->entry ||
				 list_empty(node_list(node)));
}

/* Returns the number of entries that have a peer, or -1. */
static int __init trie_check(struct wg_allowedips_node *node)
{
	struct wg_allowedips_node *from = NULL, *next;
	int entries = 0;

	if (node && node->parent)
		return -1;
	while (node) {
		if (!from) {
			if (!trie_check_node(node))
				return -1;
			entries += !!rcu_access_pointer(node->peer);
		}
		next = node_unvisited(node, from);
		from = next ? NULL : node;
		node = next ?: node->parent;
	}
	return entries;
}

static int __init table_check(const struct wg_allowedips *table)
{
	int entries4 = trie_check(writer_dereference(table->root4));
	int entries6 = trie_check(writer_dereference(table->root6));

	return entries4 < 0 || entries6 < 0 ? -1 : entries4 + entries6;
}

struct test {
	struct wg_allowedips table;
	struct wg_peer *peers;
	struct sk_buff *skb;
};

static struct wg_peer * __init test_peer(const struct test *test, u8 peer)
{
	return peer == NONE ? NULL : &test->peers[peer];
}

/* By way of a packet, in both directions, which must agree. */
static struct wg_peer * __init test_lookup(struct test *test,
					   const struct plain *plain)
{
	struct ipv6hdr *ip6 = ipv6_hdr(test->skb);
	struct iphdr *ip4 = ip_hdr(test->skb);
	struct wg_peer *dst, *src;

	memset(ip6, 0, sizeof(*ip6));
	if (plain->family == AF_INET) {
		ip4->version = 4;
		memcpy(&ip4->daddr, plain->addr, 4);
	} else {
		ip6->version = 6;
		memcpy(&ip6->daddr, plain->addr, 16);
	}
	rcu_read_lock();
	dst = wg_allowedips_lookup_dst(&test->table, test->skb);
	swap(ip4->saddr, ip4->daddr);
	if (plain->family == AF_INET6) {
		memset(ip6, 0xa5, sizeof(*ip6));
		ip6->version = 6;
		memcpy(&ip6->saddr, plain->addr, 16);
	}
	src = wg_allowedips_lookup_src(&test->table, test->skb);
	rcu_read_unlock();
	return dst == src ? dst : ERR_PTR(-EILSEQ);
}

static bool __init test_list(const struct wg_peer *peer, const char *expected)
{
	struct wg_allowedips_node *node = NULL;
	char text[TEST_TEXT] = "";
	int len = 0;

	while ((node = wg_allowedips_next(peer, node))) {
		if (len)
			len += scnprintf(text + len, sizeof(text) - len, " ");
		len += plain_print(text + len, sizeof(text) - len, node);
	}
	return !strcmp(text, expected);
}

static bool __init test_step(struct test *test, const struct step *step)
{
	struct wg_peer *peer = test_peer(test, step->peer);
	struct wg_allowedips *table = &test->table;
	struct plain p = { };

	if (step->text && step->kind != LIST && !plain_parse(&p, step->text))
		return false;
	switch (step->kind) {
	case ADD:
		return !wg_allowedips_insert(table, p.family, p.addr, p.cidr,
					     peer);
	case BAD:
		return wg_allowedips_insert(table, p.family, p.addr, p.cidr,
					    peer) == -EINVAL &&
		       wg_allowedips_remove(table, p.family, p.addr, p.cidr,
					    peer) == -EINVAL;
	case DEL:
		return !wg_allowedips_remove(table, p.family, p.addr, p.cidr,
					     peer);
	case FLUSH:
		wg_allowedips_remove_peer(table, peer);
		return test_list(peer, "");
	case IS:
		return test_lookup(test, &p) == peer;
	case LIST:
		return test_list(peer, step->text);
	case EMPTY:
		return !rcu_access_pointer(table->root4) &&
		       !rcu_access_pointer(table->root6);
	case DOT:
		wg_allowedips_print_dot(table);
		return true;
	}
	return false;
}

/* What a step must do to the change counter. */
static bool __init test_step_seq(const struct step *step, u64 before, u64 after)
{
	if (step->kind == ADD)
		return after != before && after;
	return step->kind == DEL || step->kind == FLUSH || after == before;
}

static bool __init test_steps(struct test *test)
{
	unsigned int i;
	u64 seq;

	for (i = 0; i < ARRAY_SIZE(steps); ++i) {
		seq = test->table.seq;
		if (!test_step(test, &steps[i]) ||
		    !test_step_seq(&steps[i], seq, test->table.seq) ||
		    table_check(&test->table) < 0) {
			pr_err("allowedips self-test: step %u (%s) failed\n",
			       i, steps[i].text ?: "-");
			return false;
		}
	}
	return true;
}

/* What is neither version of IP belongs to nobody, whatever the table holds. */
static bool __init test_versions(struct test *test)
{
	struct plain all = { .family = AF_INET }, all6 = { .family = AF_INET6 };
	struct iphdr *ip = ip_hdr(test->skb);
	bool good;
	u8 i;

	good = !wg_allowedips_insert(&test->table, all.family, all.addr, 0,
				     &test->peers[A]) &&
	       !wg_allowedips_insert(&test->table, all6.family, all6.addr, 0,
				     &test->peers[B]) &&
	       wg_allowedips_insert(&test->table, AF_UNSPEC, all.addr, 0,
				    &test->peers[C]) == -EINVAL;
	rcu_read_lock();
	for (i = 0; i < 16; ++i) {
		ip->version = i;
		good &= wg_allowedips_lookup_dst(&test->table, test->skb) ==
			test_peer(test, i == 4 ? A : i == 6 ? B : NONE);
		good &= wg_allowedips_lookup_src(&test->table, test->skb) ==
			test_peer(test, i == 4 ? A : i == 6 ? B : NONE);
	}
	rcu_read_unlock();
	wg_allowedips_free(&test->table);
	if (!good)
		pr_err("allowedips self-test: IP versions failed\n");
	return good;
}

#include "allowedips_stress.c"

static bool __init test_all(struct test *test)
{
	u64 seed = get_random_u64();
	unsigned int i;
	bool good;

	for (i = 0; i < TEST_PEERS; ++i) {
		INIT_LIST_HEAD(&test->peers[i].allowedips);
		test->peers[i].id = i;
	}
	skb_reset_network_header(test->skb);
	skb_put_zero(test->skb, sizeof(struct ipv6hdr));
	wg_allowedips_init(&test->table);
	good = test->table.seq == 1 && test_steps(test) &&
	       test_versions(test) && test_nested(test, AF_INET, false) &&
	       test_nested(test, AF_INET6, false) &&
	       test_nested(test, AF_INET, true) &&
	       test_nested(test, AF_INET6, true) && test_random(test, seed) &&
	       test_race(test, seed);
	if (!good)
		wg_allowedips_free(&test->table);
	return good;
}

/**
 * wg_allowedips_selftest() - does the longest prefix win, and no other?
 *
 * Context: Module initialisation, after wg_allowedips_module_init().
 * Return: true if so; else a line in the log says what is wrong.
 */
bool __init wg_allowedips_selftest(void)
{
	struct test *test = kzalloc(sizeof(*test), GFP_KERNEL);
	bool good = false;

	if (!test)
		goto out;
	test->skb = alloc_skb(sizeof(struct ipv6hdr), GFP_KERNEL);
	test->peers = kvcalloc(TEST_PEERS, sizeof(*test->peers), GFP_KERNEL);
	good = test->skb && test->peers && test_all(test);
	synchronize_rcu();
	kvfree(test->peers);
	kfree_skb(test->skb);
	kfree(test);
out:
	if (good)
		pr_info("allowedips self-tests: pass\n");
	else
		pr_err("allowedips self-tests: FAIL\n");
	return good;
}
