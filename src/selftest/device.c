// SPDX-License-Identifier: GPL-2.0
/*
 * Self-test of what is done to all peers of all devices; part of device.c in debug
 * builds. No test from outside can have the machine cloned, so its turn is here.
 */
#include "fixture.h"

#include "../power.h"

/* Keys as those of a session that has just begun, in their slot. */
static struct wg_keypair __init *device_keys(struct wg_peer *peer,
					     bool initiator)
{
	struct wg_keypair *keypair = wg_keypair_create(peer);

	if (!keypair)
		return NULL;
	keypair->initiator = initiator;
	keypair->sending_valid = true;
	keypair->receiving_valid = true;
	wg_keypair_install(peer, keypair);
	return keypair;
}

static void __init device_fork(struct wg_device *wg, struct wg_peer *peer)
{
	INIT_LIST_HEAD(&wg->peer_list);
	list_add_tail(&peer->list, &wg->peer_list);
	rtnl_lock();
	list_add_tail(&wg->device_list, &devices);
	rtnl_unlock();
	wg_power_vmfork.notifier_call(&wg_power_vmfork, 0, NULL);
	rtnl_lock();
	list_del(&wg->device_list);
	rtnl_unlock();
}

/* Our copy receives by its keys still, but sends nothing more by any of them. */
static bool __init device_test_fork(struct wg_device *wg, struct wg_peer *peer)
{
	struct wg_keypair *used = device_keys(peer, true);
	struct wg_keypair *waiting = device_keys(peer, false);
	struct wg_handshake *hs = &peer->handshake;
	bool ok;

	if (!expect(used && waiting, "memory for keys"))
		return false;
	down_write(&hs->lock);
	hs->state = WG_HANDSHAKE_CREATED_INITIATION;
	memset(hs->ephemeral_private, 1, WG_KEY_SIZE);
	up_write(&hs->lock);
	atomic64_set(&peer->timers.last_handshake_sent, 1);
	device_fork(wg, peer);
	ok = expect(!used->sending_valid && !waiting->sending_valid,
		    "a fork ends what is sent by keys in use");
	ok &= expect(used->receiving_valid && waiting->receiving_valid,
		     "a fork leaves what is received");
	ok &= expect(hs->state == WG_HANDSHAKE_ZEROED &&
		     !memchr_inv(hs->ephemeral_private, 0, WG_KEY_SIZE),
		     "a fork ends a handshake under way");
	ok &= expect(!atomic64_read(&peer->timers.last_handshake_sent),
		     "a fork allows a handshake at once");
	return ok;
}

/**
 * wg_device_selftest() - what becomes of keys when a machine is cloned
 *
 * Context: process, before the first device; takes RTNL.
 * Return: whether all was as it should be.
 */
bool __init wg_device_selftest(void)
{
	static const u8 private_key[WG_KEY_SIZE] __initconst = { 8, [31] = 64 };
	static const u8 public_key[WG_KEY_SIZE] __initconst = { 9 };
	struct wg_device *wg = fixture_device(private_key);
	struct wg_peer *peer = fixture_peer(wg, public_key, NULL);
	bool ok;

	ok = expect(peer, "memory for a peer") && device_test_fork(wg, peer);
	ok &= fixture_peer_free(peer);
	ok &= fixture_device_free(wg);
	return report("device", ok);
}
