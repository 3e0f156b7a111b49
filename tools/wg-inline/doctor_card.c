// SPDX-License-Identifier: GPL-2.0
/* wg-inline doctor: the network interfaces under tunnels, and what they can do. */
#include "doctor.h"

#include "nl.h"
#include "say.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if_arp.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ----------------------------------------------------------- by ethtool -- */

static int control(int fd, const struct nic *nic, void *command)
{
	struct ifreq request = { .ifr_data = command };

	memcpy(request.ifr_name, nic->name, sizeof(request.ifr_name));
	return ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
}

static void ask_driver(int fd, struct nic *nic)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	if (!control(fd, nic, &info))
		memcpy(nic->driver, info.driver, sizeof(nic->driver) - 1);
}

static void ask_channels(int fd, struct nic *nic)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };

	if (control(fd, nic, &channels))
		return;
	nic->combined = channels.max_combined;
	nic->most = channels.max_combined ? channels.max_combined :
		    channels.max_rx;
	if (channels.combined_count + channels.rx_count)
		nic->queues = channels.combined_count + channels.rx_count;
}

/* Some drivers answer with nothing at all where they cannot know. */
static int ask_hash(int fd, const struct nic *nic, uint32_t flow)
{
	static const uint64_t ports = RXH_L4_B_0_1 | RXH_L4_B_2_3;
	struct ethtool_rxnfc hash = {
		.cmd = ETHTOOL_GRXFH,
		.flow_type = flow,
	};

	if (control(fd, nic, &hash) || !hash.data)
		return UNKNOWN;
	return (hash.data & ports) == ports;
}

static void look_for(struct feature *feature, const char *name,
		     const struct nlattr *bit, bool on)
{
	const struct nlattr *have[ETHTOOL_A_BITSET_BIT_MAX + 1];

	nl_nested(bit, have, ETHTOOL_A_BITSET_BIT_MAX + 1);
	if (strcmp(nl_text(have[ETHTOOL_A_BITSET_BIT_NAME]), name))
		return;
	/* The set of what can be changed is a mask, that of what is on a list. */
	if (on)
		feature->on = true;
	else
		feature->changeable = !!have[ETHTOOL_A_BITSET_BIT_VALUE];
}

static void look_into(struct nic *nic, const struct nlattr *bits, bool on)
{
	const struct nlattr *have[ETHTOOL_A_BITSET_MAX + 1];
	struct nlattr *bit;

	nl_nested(bits, have, ETHTOOL_A_BITSET_MAX + 1);
	if (!have[ETHTOOL_A_BITSET_BITS])
		return;
	mnl_attr_for_each_nested(bit, have[ETHTOOL_A_BITSET_BITS]) {
		look_for(&nic->gro, "rx-gro", bit, on);
		look_for(&nic->segmentation, "tx-udp-segmentation", bit, on);
		look_for(&nic->forwarding, "rx-udp-gro-forwarding", bit, on);
	}
}

static int read_features(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *have[ETHTOOL_A_FEATURES_MAX + 1];

	nl_payload(message, sizeof(struct genlmsghdr), have,
		   ETHTOOL_A_FEATURES_MAX + 1);
	look_into(data, have[ETHTOOL_A_FEATURES_HW], false);
	look_into(data, have[ETHTOOL_A_FEATURES_ACTIVE], true);
	return 0;
}

static void ask_features(struct nic *nic)
{
	struct nl *nl = nl_open_family(ETHTOOL_GENL_NAME);
	struct nlmsghdr *message;
	struct nlattr *header;

	if (!nl)
		return;
	message = nl_command(nl, ETHTOOL_MSG_FEATURES_GET,
			     ETHTOOL_GENL_VERSION, 0);
	header = mnl_attr_nest_start(message, ETHTOOL_A_FEATURES_HEADER);
	mnl_attr_put_u32(message, ETHTOOL_A_HEADER_DEV_INDEX, nic->index);
	mnl_attr_nest_end(message, header);
	nl_talk(nl, message, read_features, nic);
	nl_close(nl);
}

void nic_ask(struct nic *nic)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	nic->ports[V4] = UNKNOWN;
	nic->ports[V6] = UNKNOWN;
	if (fd < 0)
		return;
	ask_driver(fd, nic);
	ask_channels(fd, nic);
	nic->ports[V4] = ask_hash(fd, nic, UDP_V4_FLOW);
	nic->ports[V6] = ask_hash(fd, nic, UDP_V6_FLOW);
	close(fd);
	ask_features(nic);
}

/* ------------------------------------------------------ under the routes -- */

static struct nic *get_nic(struct patient *patient, unsigned int index)
{
	struct nic *more;
	size_t i;

	for (i = 0; i < patient->nic_count; i++) {
		if (patient->nics[i].index == index)
			return &patient->nics[i];
	}
	more = reallocarray(patient->nics, patient->nic_count + 1,
			    sizeof(*more));
	if (!more)
		return NULL;
	patient->nics = more;
	more = &more[patient->nic_count];
	memset(more, 0, sizeof(*more));
	more->index = index;
	if (!if_indextoname(index, more->name))
		return NULL;
	patient->nic_count++;
	nic_ask(more);
	return nic_read(more, &patient->places) ? NULL : more;
}

/* Has another path of the same tunnel led to it? */
static bool known(const struct patient *patient, const struct path *path)
{
	const struct path *at;

	for (at = patient->paths; at < path; at++) {
		if (at->tunnel == path->tunnel && at->index == path->index)
			return true;
	}
	return false;
}

static int add_nic(struct patient *patient, const struct path *path,
		   unsigned int index)
{
	struct nic *nic = get_nic(patient, index);

	/* It may be gone by now. */
	if (!nic)
		return errno == ENOMEM ? fail("out of memory") : 0;
	nic->families[path->family] = true;
	nic->wanted |= !patient->focus || patient->focus == path->tunnel;
	nic->tunnels += !known(patient, path);
	return 0;
}

/* An interface under another: the kernel has a link to it, of this name. */
static const char *lower_name(const struct dirent *entry)
{
	return strncmp(entry->d_name, "lower_", 6) ? NULL : entry->d_name + 6;
}

static bool has_lower(int sys, const char *name)
{
	DIR *dir = place_list(sys, "class/net/%s", name);
	struct dirent *entry;
	bool lower = false;

	while (dir && !lower && (entry = readdir(dir)))
		lower = lower_name(entry);
	if (dir)
		closedir(dir);
	return lower;
}

/* Bridges have guests and containers beside what leads out of the machine. */
static bool leads_out(int sys, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "class/net/%s/device", name);
	return !faccessat(sys, path, F_OK, 0) || has_lower(sys, name);
}

static bool any_leads_out(int sys, const char *name)
{
	DIR *dir = place_list(sys, "class/net/%s", name);
	struct dirent *entry;
	bool any = false;

	while (dir && !any && (entry = readdir(dir)))
		any = lower_name(entry) && leads_out(sys, lower_name(entry));
	if (dir)
		closedir(dir);
	return any;
}

/*
 * Bonds, bridges and VLANs have others under them; it is the lowest ones that
 * have queues. Loopback and other tunnels have nothing to be said about.
 */
static int descend(struct patient *patient, const struct path *path,
		   const char *name, unsigned int depth)
{
	int sys = patient->places.sys, ret = 0;
	struct dirent *entry;
	bool choosy;
	DIR *dir;

	if (!has_lower(sys, name) || !depth)
		return place_number(sys, "class/net/%s/type", name) ==
		       ARPHRD_ETHER ?
		       add_nic(patient, path, if_nametoindex(name)) : 0;
	choosy = any_leads_out(sys, name);
	dir = place_list(sys, "class/net/%s", name);
	while (dir && !ret && (entry = readdir(dir))) {
		if (lower_name(entry) &&
		    (!choosy || leads_out(sys, lower_name(entry))))
			ret = descend(patient, path, lower_name(entry),
				      depth - 1);
	}
	if (dir)
		closedir(dir);
	return ret;
}

/* Those of other tunnels only were looked at to count whose they are, too. */
static void drop_unwanted(struct patient *patient)
{
	size_t i, kept = 0;

	for (i = 0; i < patient->nic_count; i++) {
		if (patient->nics[i].wanted)
			patient->nics[kept++] = patient->nics[i];
		else
			free(patient->nics[i].irqs);
	}
	patient->nic_count = kept;
}

/* Without CAP_SYS_ADMIN, /sys is as it was mounted. */
static bool is_shown(const struct patient *patient, const char *name,
		     unsigned int index)
{
	return place_number(patient->places.sys, "class/net/%s/ifindex",
			    name) == (int)index;
}

int nics_look(struct patient *patient, struct report *report)
{
	char name[IF_NAMESIZE];
	bool hidden = false;
	size_t i;

	for (i = 0; i < patient->path_count; i++) {
		const struct path *path = &patient->paths[i];

		if (!if_indextoname(path->index, name))
			continue;
		if (!is_shown(patient, name, path->index))
			hidden = true;
		else if (descend(patient, path, name, 4))
			return -1;
	}
	if (hidden)
		note(report, "/sys shows another network namespace, so NICs were not looked at");
	drop_unwanted(patient);
	return 0;
}
