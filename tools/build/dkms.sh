#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# dkms.sh install|remove RELEASE VERSION: what "make dkms-install" and "make
# dkms-remove" do. install is for that kernel, which has to work, and for others that
# are installed with their headers: what is booted next may be a newer one. Whatever
# version was there before is removed.

set -u
action=$1 release=$2 version=$3

# DKMS asks a make of its own for the compiler, and takes for part of its name what
# that says of directories when it knows that it runs under another make.
unset MAKELEVEL MAKEFLAGS MFLAGS

say() { echo "wireguard-inline: $*" >&2; }

command -v dkms >/dev/null ||
	{ say "DKMS is not installed: apt-get install dkms"; exit 1; }

# versions: those that DKMS knows of.
versions()
{
	dkms status wireguard-inline |
		sed -n 's,^wireguard-inline[/, ]*\([^,: ]*\).*,\1,p' | sort -u
}

remove_all()
{
	for old in $(versions); do
		dkms remove "wireguard-inline/$old" --all || return
		rm -rf "/usr/src/wireguard-inline-$old"
	done
}

# install_others: a kernel that this cannot be built for keeps what it has.
install_others()
{
	for modules in /lib/modules/*; do
		other=${modules##*/}
		[ "$other" != "$release" ] || continue
		[ -d "$modules/build/include" ] || continue
		dkms install "wireguard-inline/$version" -k "$other" ||
			say "not installed for $other, which keeps stock WireGuard"
	done
}

case $action in
install)
	remove_all &&
		make -s dkms-source &&
		dkms install "wireguard-inline/$version" -k "$release" ||
		exit
	install_others
	;;
remove)
	[ -n "$(versions)" ] || say "DKMS does not have it: nothing to remove"
	remove_all
	;;
esac
