// SPDX-License-Identifier: GPL-2.0
/* Why packets are dropped, for whoever asks: counters, tracepoints, the core. */
#include "drop.h"

#include "device.h"
#include "log.h"
#include "peer.h"
#include "stats.h"
#include "trace.h"

#define WG_DROP_CAUSE(name, path, word, reason) \
	[WG_DROP_##name] = { path, word, SKB_DROP_REASON_##reason },

const struct wg_drop_cause wg_drop_causes[WG_DROP_COUNT] = {
#include "drop_causes.h"
};

#undef WG_DROP_CAUSE

/**
 * wg_drop_count() - note that packets are dropped
 * @wg: device
 * @peer: whose packets they were, or NULL where that is not known
 * @cause: why
 * @packets: how many
 *
 * The network device's counters are the caller's business: fewer causes count there,
 * as in stock.
 *
 * Context: any.
 */
void wg_drop_count(struct wg_device *wg, const struct wg_peer *peer,
		   enum wg_drop cause, unsigned int packets)
{
	wg_stats_count_drop(wg, cause, packets);
	trace_wg_drop(wg, peer, cause, packets);
	if (peer)
		net_dbg_ratelimited("%s: Dropped %u of peer %llu: %s %s\n",
				    wg->dev->name, packets, peer->id,
				    wg_drop_causes[cause].path,
				    wg_drop_causes[cause].word);
}

/**
 * wg_drop_log() - log that a message is dropped whose peer is not known
 * @wg: device
 * @skb: outer packet, headers in place
 * @cause: why
 *
 * Context: any.
 */
void wg_drop_log(struct wg_device *wg, const struct sk_buff *skb,
		 enum wg_drop cause)
{
	wg_dbg_from(wg->dev, skb, "Dropped message (%s %s)",
		    wg_drop_causes[cause].path, wg_drop_causes[cause].word);
}
