#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: wg-inline tells stock from ours, in memory and on disk, and warns when the
#       next load or boot would fall back to stock
# needs: once tool user
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/tool.sh
. "$(dirname "$(readlink -f "$0")")/../tools/tool.sh"

RUNNING=$(uname -r)
NEWER=999.1-newer

# install RELEASE PLACE FILE: a module, below $SCRATCH
install_module() {
	mkdir -p "$TREE/$1/$2"
	cp "$3" "$TREE/$1/$2/"
}

# patch SED-COMMAND FROM TO: a file of which it must change something
patch() {
	LC_ALL=C sed -E "$1" "$2" >"$3"
	! cmp -s "$2" "$3" || fail "nothing to change by $1 in $2"
}

index() {
	for release in "$TREE"/*; do
		[ -d "$release" ] || continue
		touch "$release/modules.order" "$release/modules.builtin"
		depmod -b "$SCRATCH/root" "${release##*/}"
	done
}

# with_tree ARGUMENTS…: wg-inline where these modules are installed
with_tree() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare -m sh -c 'mount --bind "$1" /lib/modules && shift && exec "$@"' \
		sh "$TREE" "$TOOL" "$@"
}

# sees DISK NEWEST WARNING FALLBACK
sees() {
	index
	with_tree show --json >"$SCRATCH/json"
	expect "on disk, for the newest kernel, warned of" "$1 $2" "$(python3 -c "
import json
m = json.load(open('$SCRATCH/json'))['module']
print(m['disk']['kind'], m['newest']['kind'])")"
	expect_match "warning" "$3" "$(python3 -c "
import json
print(json.load(open('$SCRATCH/json'))['module']['warning'])")"
	expect "fallback" "wireguard_inline_module_fallback $4" \
		"$(with_tree metrics | grep '^wireguard_inline_module_fallback ')"
}

need python3 depmod unshare
[ -d /lib/modules ] || skip "no directory /lib/modules to put others in place of"
ours=${WGI_MODULE:-}
[ -n "$ours" ] || skip "the module under test is stock"
# Where nothing else is at hand, a module without our parameter is stock.
stock=$SCRATCH/wireguard.ko
patch 's/parm=mode:/parm=none:/' "$ours" "$stock"
TREE=$SCRATCH/root/lib/modules

install_module "$RUNNING" updates "$ours"
sees ours ours None 0
expect "version on disk" "$(modinfo -F version "$ours")" \
	"$(with_tree show | sed -n 's/.*on disk: wireguard-inline \([^ ]*\) .*/\1/p')"
install_module "$RUNNING" kernel/drivers/net/wireguard "$stock"
sees ours ours None 0

# A newer kernel, for which ours could not be built.
install_module "$NEWER" kernel/drivers/net/wireguard "$stock"
sees ours stock "the newest kernel has stock WireGuard only" 1
expect_match "what a user reads" "newest kernel: $NEWER" "$(with_tree show)"
install_module "$NEWER" updates "$ours"
sees ours ours None 0

# Ours is loaded, and not installed.
rm -r "${TREE:?}/$RUNNING/updates"
sees stock ours "the module on disk is stock" 1
rm -r "${TREE:?}/$RUNNING"
sees none ours None 0
rm -r "${TREE:?}/$NEWER"
sees none none None 0

# Another build of it.
install_module "$RUNNING" updates "$ours"
patch 's/srcversion=.{8}/srcversion=01234567/' "$ours" \
	"$TREE/$RUNNING/updates/wireguard.ko"
sees ours ours "another build" 0
