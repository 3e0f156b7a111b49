// SPDX-License-Identifier: GPL-2.0
/* What ethtool(8) would say of an interface: counters and private flags. */
#include "ethtool.h"

#include "nl.h"
#include "say.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ----------------------------------------------------------- counters -- */

/*
 * Netlink has the standard's counters, but not a driver's own. A driver's set
 * of counters may grow between one question and the next: newer kernels then
 * answer with none, older ones with all, for which there has to be room.
 */
#define ROOM(count) (2 * (count) + 64)
#define TRIES 10

static int control(int fd, const char *name, void *command)
{
	struct ifreq request = { .ifr_data = command };

	strncpy(request.ifr_name, name, IF_NAMESIZE - 1);
	return ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
}

static int count_counters(int fd, const char *name, size_t *count)
{
	struct {
		struct ethtool_sset_info info;
		uint32_t count;
	} ask = {
		.info = {
			.cmd = ETHTOOL_GSSET_INFO,
			.sset_mask = 1ULL << ETH_SS_STATS,
		},
	};
	int ret;

	ret = control(fd, name, &ask);
	*count = !ret && ask.info.sset_mask ? ask.count : 0;
	return ret;
}

/* A question with room for its answer: itself, or NULL with errno set, and gone. */
static void *answered(int fd, const char *name, void *question)
{
	int ret = question ? control(fd, name, question) : -ENOMEM;

	if (!ret)
		return question;
	free(question);
	errno = -ret;
	return NULL;
}

static struct ethtool_gstrings *get_names(int fd, const char *name,
					  size_t count)
{
	struct ethtool_gstrings *names;

	names = calloc(1, sizeof(*names) + ROOM(count) * ETH_GSTRING_LEN);
	if (names) {
		names->cmd = ETHTOOL_GSTRINGS;
		names->string_set = ETH_SS_STATS;
		names->len = count;
	}
	return answered(fd, name, names);
}

static struct ethtool_stats *get_values(int fd, const char *name, size_t count)
{
	struct ethtool_stats *values;

	values = calloc(1, sizeof(*values) +
			ROOM(count) * sizeof(values->data[0]));
	if (values) {
		values->cmd = ETHTOOL_GSTATS;
		values->n_stats = count;
	}
	return answered(fd, name, values);
}

static int join(struct counters *counters, const struct ethtool_gstrings *names,
		const struct ethtool_stats *values)
{
	char name[ETH_GSTRING_LEN + 1] = "";
	size_t i, count = names->len;

	if (!count || values->n_stats != count)
		return -EAGAIN;
	counters->of = calloc(count, sizeof(*counters->of));
	if (!counters->of)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		memcpy(name, names->data + i * ETH_GSTRING_LEN,
		       ETH_GSTRING_LEN);
		counter_parse(&counters->of[i], name);
		counters->of[i].value = values->data[i];
	}
	counters->count = count;
	return 0;
}

static int read_counters(struct counters *counters, int fd, const char *name)
{
	struct ethtool_gstrings *names;
	struct ethtool_stats *values = NULL;
	size_t count;
	int ret;

	ret = count_counters(fd, name, &count);
	if (ret == -EOPNOTSUPP || (!ret && !count))
		return 0;
	if (ret)
		return ret;
	names = get_names(fd, name, count);
	if (names)
		values = get_values(fd, name, count);
	ret = values ? join(counters, names, values) : -errno;
	free(values);
	free(names);
	return ret;
}

int counters_get(struct counters *counters, const char *name)
{
	int fd, ret, tries = 0;

	memset(counters, 0, sizeof(*counters));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail("cannot open a socket: %s", strerror(errno));
	do {
		ret = read_counters(counters, fd, name);
	} while (ret == -EAGAIN && ++tries < TRIES);
	close(fd);
	if (ret == -ENODEV)
		return 1;
	if (ret)
		return fail("cannot read the counters of %s: %s", name,
			    strerror(-ret));
	return 0;
}

void counters_free(struct counters *counters)
{
	free(counters->of);
	memset(counters, 0, sizeof(*counters));
}

/* ------------------------------------------------------ private flags -- */

struct flags {
	const char *const *names;
	int *values;
	size_t count;
};

static void read_bit(const struct nlattr *bit, struct flags *flags)
{
	const struct nlattr *have[ETHTOOL_A_BITSET_BIT_MAX + 1];
	size_t i;

	nl_nested(bit, have, ETHTOOL_A_BITSET_BIT_MAX + 1);
	for (i = 0; i < flags->count; i++) {
		if (!strcmp(nl_text(have[ETHTOOL_A_BITSET_BIT_NAME]),
			    flags->names[i]))
			flags->values[i] = !!have[ETHTOOL_A_BITSET_BIT_VALUE];
	}
}

static int read_flags(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *have[ETHTOOL_A_PRIVFLAGS_MAX + 1];
	const struct nlattr *set[ETHTOOL_A_BITSET_MAX + 1];
	struct nlattr *bit;

	nl_payload(message, sizeof(struct genlmsghdr), have,
		   ETHTOOL_A_PRIVFLAGS_MAX + 1);
	nl_nested(have[ETHTOOL_A_PRIVFLAGS_FLAGS], set,
		  ETHTOOL_A_BITSET_MAX + 1);
	if (!set[ETHTOOL_A_BITSET_BITS])
		return 0;
	mnl_attr_for_each_nested(bit, set[ETHTOOL_A_BITSET_BITS])
		read_bit(bit, data);
	return 0;
}

static void put_header(struct nlmsghdr *message, const struct link *link)
{
	struct nlattr *header;

	header = mnl_attr_nest_start(message, ETHTOOL_A_PRIVFLAGS_HEADER);
	mnl_attr_put_u32(message, ETHTOOL_A_HEADER_DEV_INDEX, link->index);
	mnl_attr_nest_end(message, header);
}

static struct nl *open_ethtool(int *error)
{
	struct nl *nl = nl_open_family(ETHTOOL_GENL_NAME);

	if (!nl)
		*error = errno == ENOENT ? -EOPNOTSUPP : -errno;
	return nl;
}

int flags_get(const struct link *link, const char *const *names, int *values,
	      size_t count)
{
	struct flags flags = { names, values, count };
	struct nlmsghdr *message;
	struct nl *nl;
	size_t i;
	int ret;

	for (i = 0; i < count; i++)
		values[i] = FLAG_NONE;
	nl = open_ethtool(&ret);
	if (!nl)
		return ret;
	message = nl_command(nl, ETHTOOL_MSG_PRIVFLAGS_GET,
			     ETHTOOL_GENL_VERSION, 0);
	put_header(message, link);
	ret = nl_talk(nl, message, read_flags, &flags);
	nl_close(nl);
	return ret;
}

static void put_flags(struct nlmsghdr *message, const struct flags *flags)
{
	struct nlattr *set, *bits, *bit;
	size_t i;

	set = mnl_attr_nest_start(message, ETHTOOL_A_PRIVFLAGS_FLAGS);
	bits = mnl_attr_nest_start(message, ETHTOOL_A_BITSET_BITS);
	for (i = 0; i < flags->count; i++) {
		if (flags->values[i] == FLAG_NONE)
			continue;
		bit = mnl_attr_nest_start(message, ETHTOOL_A_BITSET_BITS_BIT);
		mnl_attr_put_strz(message, ETHTOOL_A_BITSET_BIT_NAME,
				  flags->names[i]);
		if (flags->values[i])
			mnl_attr_put(message, ETHTOOL_A_BITSET_BIT_VALUE, 0,
				     NULL);
		mnl_attr_nest_end(message, bit);
	}
	mnl_attr_nest_end(message, bits);
	mnl_attr_nest_end(message, set);
}

int flags_set(const struct link *link, const char *const *names,
	      const int *values, size_t count)
{
	struct flags flags = { names, (int *)values, count };
	struct nlmsghdr *message;
	struct nl *nl;
	int ret;

	nl = open_ethtool(&ret);
	if (!nl)
		return ret;
	message = nl_command(nl, ETHTOOL_MSG_PRIVFLAGS_SET,
			     ETHTOOL_GENL_VERSION, 0);
	put_header(message, link);
	put_flags(message, &flags);
	ret = nl_talk(nl, message, NULL, NULL);
	nl_close(nl);
	return ret;
}
