// SPDX-License-Identifier: GPL-2.0
/* What "wg-inline doctor" finds on machines that are made up. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------- the checks -- */

static void modules(void)
{
	struct modules *m = &patient.modules;

	new_machine();
	healthy(check_module, "no module at all");
	strcpy(m->release, "6.1.0");
	strcpy(m->newest, "6.1.1");
	m->loaded.kind = MODULE_OURS;
	m->disk.kind = MODULE_OURS;
	m->next.kind = MODULE_OURS;
	healthy(check_module, "ours in memory, on disk and next");
	m->loaded.kind = MODULE_STOCK;
	sick(check_module, "stock is loaded, ours installed, with tunnels",
	     "are deleted", NULL);
	patient.survey.count = 0;
	sick(check_module, "stock is loaded, ours installed", "stock",
	     "modprobe -r wireguard && modprobe wireguard");
	m->loaded.kind = MODULE_OURS;
	m->disk.kind = MODULE_STOCK;
	sick(check_module, "the module on disk is stock", "on disk",
	     "dkms autoinstall -k 6.1.0");
	m->disk.kind = MODULE_OURS;
	m->next.kind = MODULE_STOCK;
	sick(check_module, "the next kernel has stock", "newest kernel",
	     "dkms autoinstall -k 6.1.1");
	m->next.kind = MODULE_OURS;
	strcpy(m->disk.source, "other");
	sick(check_module, "another build is on disk", "another build",
	     "modprobe -r wireguard && modprobe wireguard");
	patient.survey.count = 2;
	sick(check_module, "another build is on disk, with tunnels",
	     "another build", NULL);
	m->loaded.kind = MODULE_BUILTIN;
	sick(check_module, "a part of the kernel cannot be mended", "stock",
	     NULL);
	m->loaded.kind = MODULE_STOCK;
	m->disk.kind = MODULE_STOCK;
	m->next.kind = MODULE_STOCK;
	healthy(check_module, "ours was never installed");
}

static void hash_policy(void)
{
	new_machine();
	put("proc/sys/net/ipv4/fib_multipath_hash_policy", "0\n");
	put("proc/sys/net/ipv6/fib_multipath_hash_policy", "1\n");
	healthy(check_hash_policy, "no route over several tunnels");
	patient.multipath[V6] = true;
	healthy(check_hash_policy, "such a route, and ports");
	patient.multipath[V4] = true;
	sick(check_hash_policy, "layer 3, v4", "IPv4 flows",
	     "sysctl -w net.ipv4.fib_multipath_hash_policy=1");
	put("proc/sys/net/ipv4/fib_multipath_hash_policy", "1\n");
	put("proc/sys/net/ipv6/fib_multipath_hash_policy", "2\n");
	sick(check_hash_policy, "inner layer 3, v6", "IPv6 flows",
	     "sysctl -w net.ipv6.fib_multipath_hash_policy=1");
	put("proc/sys/net/ipv6/fib_multipath_hash_policy", "3\n");
	put("proc/sys/net/ipv6/fib_multipath_hash_fields", "55\n");
	healthy(check_hash_policy, "fields with ports");
	put("proc/sys/net/ipv6/fib_multipath_hash_fields", "7\n");
	sick(check_hash_policy, "fields without ports", "policy 3",
	     "sysctl -w net.ipv6.fib_multipath_hash_policy=1");
	clear();
	healthy(check_hash_policy, "a kernel without the file");
}

static void rp_filter(void)
{
	new_machine();
	put("proc/net/netstat",
	    "TcpExt: A B IPReversePathFilter C\nTcpExt: 1 2 77 3\n"
	    "IpExt: InNoRoutes\nIpExt: 5\n");
	healthy(check_rp_filter, "no rp_filter");
	put("proc/sys/net/ipv4/conf/wg2/rp_filter", "1\n");
	sick(check_rp_filter, "strict on one", "strict on wg2: ",
	     "sysctl -w net/ipv4/conf/wg2/rp_filter=2");
	result(!!strstr(report.of->text, "(77 refused"), "what it has cost");
	patient.focus = 11;
	healthy(check_rp_filter, "not the one that was asked for");
	patient.focus = 0;
	put("proc/sys/net/ipv4/conf/all/rp_filter", "2\n");
	healthy(check_rp_filter, "loose for all counts more");
	put("proc/sys/net/ipv4/conf/all/rp_filter", "1\n");
	strcpy(links[1].name, "a;b");
	sick(check_rp_filter, "strict for all", "strict on wg1, a;b: ",
	     "sysctl -w net/ipv4/conf/wg1/rp_filter=2 net/ipv4/conf/'a;b'/rp_filter=2");
	patient.survey.count = 1;
	paths[0].index = if_nametoindex("lo");
	healthy(check_rp_filter, "one tunnel alone");
	paths[0].detour = true;
	paths[1] = paths[0];
	sick(check_rp_filter, "marked outer packets", "refuses the outer",
	     "sysctl -w net/ipv4/conf/lo/rp_filter=2");
	put("proc/sys/net/ipv4/conf/all/src_valid_mark", "1\n");
	sick(check_rp_filter, "marks are minded, but there are none", "no rule",
	     "sysctl -w net/ipv4/conf/lo/rp_filter=2");
	patient.restored = true;
	healthy(check_rp_filter, "marks are minded and restored");
	put("proc/sys/net/ipv4/conf/all/src_valid_mark", "0\n");
	sick(check_rp_filter, "marks are restored, but not minded", "not mind",
	     "sysctl -w net.ipv4.conf.all.src_valid_mark=1");
}

static void mtu(void)
{
	new_machine();
	healthy(check_mtu, "1420 in 1500");
	links[0].mtu = 1440;
	healthy(check_mtu, "1440 in 1500 over v4");
	paths[0].family = V6;
	sick(check_mtu, "1440 in 1500 over v6", "adds 80",
	     "ip link set dev wg1 mtu 1420");
	patient.focus = 12;
	healthy(check_mtu, "not the one that was asked for");
	patient.focus = 0;
	paths[0].family = V4;
	links[0].mtu = 1441;
	sick(check_mtu, "1441 in 1500 over v4", "its MTU is 1441",
	     "ip link set dev wg1 mtu 1440");
	links[0].mtu = 1420;
	paths[2].tunnel = 11;
	paths[2].mtu = 1400;
	patient.path_count = 3;
	sick(check_mtu, "another peer's way is narrower", "carries 1400",
	     "ip link set dev wg1 mtu 1340");
	paths[2].mtu = 0;
	healthy(check_mtu, "what is not known does not count");
}

static void queues(void)
{
	new_machine();
	healthy(check_queues, "two queues for two tunnels");
	nic.queues = 1;
	sick(check_queues, "one queue for two", "2 tunnels come in by 1 queue,",
	     "ethtool -L eth0 combined 2");
	nic.combined = false;
	nic.tunnels = 32;
	sick(check_queues, "no more than there are CPUs", "1 of 4 CPUs",
	     "ethtool -L eth0 rx 4");
	nic.most = 1;
	cpus_from_list(&patient.isolated, "3");
	sick(check_queues, "it has no more", "(RPS)",
	     "for q in /sys/class/net/eth0/queues/rx-*; do echo 7 >$q/rps_cpus; done");
	cpus_from_list(&patient.online, "0-67");
	cpus_from_list(&patient.isolated, "0-31,36-63");
	sick(check_queues, "CPUs beyond the first 32", "(RPS)",
	     "for q in /sys/class/net/eth0/queues/rx-*; do echo f,0000000f,00000000 >$q/rps_cpus; done");
	cpus_from_list(&patient.online, "0-3");
	cpus_from_list(&nic.rps, "0-3");
	healthy(check_queues, "RPS does it");
	CPU_ZERO(&nic.rps);
	cpus_from_list(&patient.online, "0");
	healthy(check_queues, "one CPU");
	cpus_from_list(&patient.online, "0-3");
	nic.queues = 0;
	healthy(check_queues, "a NIC that does not say");
}

static void rss_hash(void)
{
	new_machine();
	healthy(check_rss_hash, "ports are looked at");
	nic.ports[V6] = 0;
	healthy(check_rss_hash, "there is no v6");
	nic.families[V6] = true;
	sick(check_rss_hash, "addresses only, v6", "over IPv6",
	     "ethtool -N eth0 rx-flow-hash udp6 sdfn");
	nic.ports[V4] = 0;
	nic.ports[V6] = 1;
	sick(check_rss_hash, "addresses only, v4", "over IPv4",
	     "ethtool -N eth0 rx-flow-hash udp4 sdfn");
	result(!driver_of(report.of->nic)->tried, "untried with ixgbe");
	strcpy(nic.driver, "ena");
	sick(check_rss_hash, "AWS ENA", "AWS refuses", NULL);
	strcpy(nic.driver, "veth");
	result(driver_of(&nic)->tried, "tried with veth");
	strcpy(nic.driver, "unheard-of");
	result(!driver_of(&nic)->tried, "untried with an unknown driver");
	nic.queues = 1;
	healthy(check_rss_hash, "one queue");
	nic.queues = 2;
	nic.tunnels = 1;
	healthy(check_rss_hash, "one tunnel");
	nic.tunnels = 2;
	nic.ports[V4] = UNKNOWN;
	healthy(check_rss_hash, "a NIC that does not say");
	result(report.note_count == 1, "that it does not is noted");
}

static void interrupts(void)
{
	new_machine();
	healthy(check_irqs, "on two CPUs");
	irqs[0].taker = 2;
	irqs[1].taker = 2;
	sick(check_irqs, "on one CPU", "on CPU 2",
	     "echo 0 >/proc/irq/40/smp_affinity_list; echo 1 >/proc/irq/41/smp_affinity_list");
	cpus_from_list(&patient.isolated, "0");
	cpus_from_list(&nic.near, "0-1");
	sick(check_irqs, "one near CPU may be bothered", "on CPU 2",
	     "echo 1 >/proc/irq/40/smp_affinity_list; echo 1 >/proc/irq/41/smp_affinity_list");
	irqs[0].taker = UNKNOWN;
	healthy(check_irqs, "one never fired");
	irqs[0].taker = 2;
	nic.queues = 1;
	healthy(check_irqs, "one queue");
}

static void rps(void)
{
	new_machine();
	healthy(check_rps, "none");
	cpus_from_list(&nic.rps, "2-3");
	sick(check_rps, "beside queues that suffice", "CPUs 2-3",
	     "for q in /sys/class/net/eth0/queues/rx-*; do echo 0 >$q/rps_cpus; done");
	nic.queues = 1;
	healthy(check_rps, "in place of queues");
	cpus_from_list(&patient.isolated, "3");
	sick(check_rps, "on isolated CPUs", "of which 3 are isolated", NULL);
}

static void offloads(void)
{
	new_machine();
	healthy(check_offloads, "all on");
	nic.gro.on = false;
	sick(check_offloads, "GRO", "rx-gro is off", "ethtool -K eth0 rx-gro on");
	nic.gro.on = true;
	nic.segmentation.on = false;
	sick(check_offloads, "UDP segmentation", "tx-udp-segmentation is off",
	     "ethtool -K eth0 tx-udp-segmentation on");
	nic.segmentation.changeable = false;
	healthy(check_offloads, "what it cannot do");
	nic.forwarding.on = false;
	healthy(check_offloads, "nothing is forwarded");
	put("proc/sys/net/ipv4/ip_forward", "1\n");
	sick(check_offloads, "a router", "rx-udp-gro-forwarding is off",
	     "ethtool -K eth0 rx-udp-gro-forwarding on");
}

static void isolated(void)
{
	new_machine();
	cpus_from_list(&patient.isolated, "3");
	healthy(check_isolated, "inline, interrupts elsewhere");
	irqs[1].taker = 3;
	sick(check_isolated, "an interrupt on one", "1 of its interrupts",
	     "echo 0 >/proc/irq/40/smp_affinity_list; echo 1 >/proc/irq/41/smp_affinity_list");
	irqs[1].taker = 1;
	strcpy(tunnels[0].mode, "threaded");
	sick(check_isolated, "workers on one", "CPUs 0-3, of which 3",
	     "wg-inline set wg1 cpus 0-2");
	strcpy(tunnels[0].cpus, "0-2");
	healthy(check_isolated, "workers elsewhere");
	strcpy(tunnels[0].mode, "");
	strcpy(tunnels[0].cpus, "");
	healthy(check_isolated, "stock");
}

static void numa(void)
{
	new_machine();
	put("sys/devices/system/node/online", "0-1\n");
	healthy(check_numa, "a NIC that is near to nothing");
	nic.node = 1;
	cpus_from_list(&nic.near, "2-3");
	sick(check_numa, "interrupts far away", "2 of its interrupts",
	     "echo 2 >/proc/irq/40/smp_affinity_list; echo 3 >/proc/irq/41/smp_affinity_list");
	irqs[0].taker = 2;
	irqs[1].taker = 3;
	healthy(check_numa, "inline, interrupts near");
	strcpy(tunnels[1].mode, "softirq");
	sick(check_numa, "workers far away", "eth0 is near to node 1",
	     "wg-inline set wg2 cpus 2-3");
	strcpy(tunnels[1].cpus, "3");
	healthy(check_numa, "workers near");
	strcpy(tunnels[1].cpus, "0-3");
	paths[1].index = 6;
	healthy(check_numa, "a tunnel over another NIC");
	paths[1].index = 5;
	put("sys/devices/system/node/online", "0\n");
	healthy(check_numa, "one node");
}

#define FREQ "sys/devices/system/cpu/cpufreq/policy0/"

static void governor(void)
{
	static const char mend_it[] =
		"echo performance | tee /sys/devices/system/cpu/cpufreq/policy*/scaling_governor";

	new_machine();
	healthy(check_governor, "none");
	put(FREQ "scaling_governor", "performance\n");
	put(FREQ "scaling_driver", "acpi-cpufreq\n");
	put(FREQ "scaling_cur_freq", "1200000\n");
	put(FREQ "cpuinfo_max_freq", "3400000\n");
	healthy(check_governor, "performance");
	put(FREQ "scaling_governor", "powersave\n");
	sick(check_governor, "powersave", "(at 1200 of 3400 MHz now)", mend_it);
	put(FREQ "scaling_driver", "intel_pstate\n");
	healthy(check_governor, "powersave that is none");
	put(FREQ "energy_performance_preference", "power\n");
	sick(check_governor, "powersave that is one", "\"powersave\"", mend_it);
	put(FREQ "scaling_governor", "schedutil\n");
	healthy(check_governor, "schedutil");
}

static void traffic(void)
{
	new_machine();
	healthy(check_backlog, "no drops");
	patient.cores[1].dropped = 12;
	put("proc/sys/net/core/netdev_max_backlog", "1000\n");
	sick(check_backlog, "drops", "12 packets",
	     "sysctl -w net.core.netdev_max_backlog=2000");
	put("proc/sys/net/core/netdev_max_backlog", "20000\n");
	sick(check_backlog, "drops, though there is much room", "12 packets",
	     NULL);

	healthy(check_landing, "no traffic");
	patient.cores[2].received = 9000;
	patient.cores[2].ticks = 100;
	patient.cores[2].soft = 50;
	received[0] = 4000;
	received[1] = 4000;
	sick(check_landing, "two tunnels on one CPU", "CPU 2 had 100 %", NULL);
	strcpy(links[0].alias, "wg-inline bundle dc tunnel 1 of 2");
	sick(check_landing, "one of a bundle", "2 tunnels", NULL);
	strcpy(links[1].alias, "wg-inline bundle dd tunnel 2 of 2");
	sick(check_landing, "of two bundles", "2 tunnels", NULL);
	strcpy(links[1].alias, "wg-inline bundle dc tunnel 2 of 2");
	sick(check_landing, "two of one", "2 tunnels",
	     "wg-inline bundle spread dc");
	patient.cores[0].received = 9000;
	healthy(check_landing, "on two CPUs");
	patient.cores[0].received = 0;
	received[1] = 0;
	healthy(check_landing, "one tunnel, half a CPU");
	patient.cores[2].soft = 95;
	sick(check_landing, "one tunnel, all of a CPU", "more tunnels",
	     "wg-inline bundle up FILE -n 4");
	cpus_from_list(&patient.online, "0-63");
	sick(check_landing, "more CPUs than tunnels there can be", "more tunnels",
	     "wg-inline bundle up FILE -n 32");
	patient.cores[2].received = 900;
	healthy(check_landing, "too little to say");
}

/* --------------------------------------------------------------- the looks -- */

static void cpu_sets(void)
{
	static const struct {
		const char *list, *text;
	} lists[] = {
		{ "", "" }, { "0", "0" }, { "0-3,8", "0-3,8" },
		{ "1023", "1023" }, { "1024", "" }, { "3-1", "" },
		{ "(null)", "" }, { "0-1,", "0-1" }, { "5,4", "4-5" },
		{ "0-4294967295", "" },
	};
	static const struct {
		const char *mask, *text;
	} masks[] = {
		{ "", "" }, { "0", "" }, { "f", "0-3" }, { "A1", "0,5,7" },
		{ "1,00000000", "32" }, { "00000001,80000000", "31-32" },
	};
	char long_mask[2 * CPU_SETSIZE];
	cpu_set_t cpus;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		cpus_from_list(&cpus, lists[i].list);
		result(!strcmp(cpus_text(&cpus), lists[i].text),
		       "a list of CPUs");
	}
	for (i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		cpus_from_mask(&cpus, masks[i].mask);
		result(!strcmp(cpus_text(&cpus), masks[i].text),
		       "a mask of CPUs");
	}
	cpus_from_list(&cpus, "0,31-32,1023");
	result(!strncmp(cpus_mask(&cpus), "80000000,0000", 13) &&
	       !strcmp(cpus_mask(&cpus) + 9 * 30, "00000001,80000001"),
	       "the longest mask");
	CPU_ZERO(&cpus);
	result(!strcmp(cpus_mask(&cpus), "0"), "an empty mask");
	memset(long_mask, 'f', sizeof(long_mask));
	long_mask[sizeof(long_mask) - 1] = '\0';
	cpus_from_mask(&cpus, long_mask);
	result(CPU_COUNT(&cpus) == CPU_SETSIZE, "more CPUs than there can be");
}

static struct irq *irq_of(struct nic *at, unsigned int irq)
{
	static struct irq none;
	size_t i;

	for (i = 0; i < at->irq_count; i++) {
		if (at->irqs[i].number == irq)
			return &at->irqs[i];
	}
	return &none;
}

static void files_of_a_nic(void)
{
	static struct nic at;

	new_machine();
	strcpy(at.name, "eth0");
	put("sys/class/net/eth0/queues/rx-0/rps_cpus", "0\n");
	put("sys/class/net/eth0/queues/rx-1/rps_cpus", "0,00000006\n");
	put("sys/class/net/eth0/queues/tx-0/xps_cpus", "f\n");
	put("sys/class/net/eth0/device/numa_node", "1\n");
	put("sys/devices/system/node/node1/cpulist", "2-3\n");
	put("sys/class/net/eth0/msi_irqs/41", "msi\n");
	put("sys/class/net/eth0/msi_irqs/42", "msi\n");
	put("sys/class/net/eth0/msi_irqs/43", "msi\n");
	put("proc/irq/41/smp_affinity_list", "3\n");
	put("proc/irq/41/effective_affinity_list", "0,2\n");
	put("proc/irq/42/smp_affinity_list", "0-3\n");
	put("proc/irq/43/smp_affinity_list", "2\n");
	put("proc/irq/43/effective_affinity_list", "\n");
	result(!nic_read(&at, &patient.places), "a NIC's files");
	result(at.queues == 2, "how many queues");
	result(!strcmp(cpus_text(&at.rps), "1-2"), "RPS of all queues");
	result(at.node == 1 && !strcmp(cpus_text(&at.near), "2-3"), "the node");
	result(at.irq_count == 3, "interrupts of the device above");
	patient.nics = &at;
	put("proc/interrupts",
	    "            CPU0       CPU2\n"
	    "  0:         35          0  IO-APIC  2-edge  timer\n"
	    " 41:          5        100  PCI-MSI  1-edge  virtio0-input.0\n"
	    " 42:       9000          0  PCI-MSI  2-edge  virtio0-output.0\n"
	    " 43:       9000          0  PCI-MSI  3-edge  virtio0-input.1\n"
	    "NMI:          1          2  Non-maskable interrupts\n");
	traffic_read(&patient);
	result(irq_of(&at, 41)->taker == 2, "who took it since boot");
	result(irq_of(&at, 42)->taker == UNKNOWN, "one for sending");
	result(irq_of(&at, 43)->taker == 2, "one that was moved meanwhile");
	traffic_read(&patient);
	result(irq_of(&at, 41)->taker == 2, "nothing while we looked");
	put("proc/interrupts",
	    "            CPU0       CPU2\n"
	    " 41:         30        105  PCI-MSI  1-edge  virtio0-input.0\n");
	traffic_read(&patient);
	result(irq_of(&at, 41)->taker == 0 && irq_of(&at, 41)->fired == 30,
	       "who took it while we looked");
	free(at.irqs);
}

static void files_of_the_machine(void)
{
	new_machine();
	put("sys/devices/system/cpu/online", "0-7\n");
	put("sys/devices/system/cpu/isolated", "6\n");
	put("sys/devices/system/cpu/nohz_full", "7\n");
	machine_read(&patient);
	result(CPU_COUNT(&patient.online) == 8 &&
	       !strcmp(cpus_text(&patient.isolated), "6-7"), "CPUs");
	put("proc/net/softnet_stat",
	    "fffffff0 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000\n"
	    "00000010 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000003 00000000 00000000\n");
	put("proc/stat", "cpu  1 1 1 1 1 1 1 1 0 0\ncpu0 10 0 10 80 0 5 5 0 0 0\n");
	traffic_read(&patient);
	put("proc/net/softnet_stat",
	    "00000010 00000003 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000\n"
	    "00000110 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000003 00000000 00000000\n");
	put("proc/stat", "cpu  1 1 1 1 1 1 1 1 0 0\ncpu0 10 0 10 90 0 5 95 0 0 0\n");
	traffic_read(&patient);
	result(patient.cores[0].received == 32, "a counter that began anew");
	result(patient.cores[0].dropped == 2, "drops");
	result(patient.cores[3].received == 256, "CPUs by their number");
	result(patient.cores[0].ticks == 100 && patient.cores[0].soft == 90,
	       "clock ticks");
	clear();
	put("proc/net/softnet_stat", "1 2\n\nx\n");
	put("proc/stat", "cpux\ncpu99999 1 1 1 1 1 1 1 1\n");
	put("proc/interrupts", "\n\n");
	traffic_read(&patient);
	machine_read(&patient);
	result(!CPU_COUNT(&patient.online), "files that make no sense");
}

static void quoting(void)
{
	result(!strcmp(quoted("eth0.100@a:b-c"), "eth0.100@a:b-c"), "a name");
	result(!strcmp(quoted("$(id)"), "'$(id)'"), "a name with a command");
	result(!strcmp(quoted("-f"), "'-f'"), "a name like an option");
	result(!strcmp(quoted("'''''''''''''''"),
		       "''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''"),
	       "a name of quotes");
	report_free(&report);
	found(&report, "a\033b", NULL, "%s", "c\033d\n");
	result(!strcmp(report.of->text, "c?d?"), "no escape sequences");
}

int main(void)
{
	machine_begin();
	modules();
	hash_policy();
	rp_filter();
	mtu();
	queues();
	rss_hash();
	interrupts();
	rps();
	offloads();
	isolated();
	numa();
	governor();
	traffic();
	cpu_sets();
	files_of_a_nic();
	files_of_the_machine();
	quoting();
	return machine_end();
}
