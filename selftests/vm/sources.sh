# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by what builds the module. A directory to build in is kept from run to
# run, and other checkouts of the project use it as well.

# sources_of PROJECT: what the module is built from, and nothing that a build
# leaves behind; the same bytes for the same sources.
sources_of()
{
	tar -c -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 \
		--exclude='*.o' --exclude='*.ko' --exclude='*.mod*' \
		--exclude='.*.cmd' --exclude='.built-for' \
		--exclude=Module.symvers --exclude=modules.order \
		Makefile dkms.conf tools/build src include
}

# copy_sources PROJECT DIR: objects stay as long as not one byte is another. By the
# times of files make would take an object of another checkout, made after a
# source of this one, to be this one's; and build sources that are gone.
copy_sources()
{
	local stamp

	stamp=$(sources_of "$1" | sha256sum) || return
	[ ! -e "$2/.sources" ] || [ "$stamp" != "$(<"$2/.sources")" ] || return 0
	rm -rf "$2"
	mkdir -p "$2"
	sources_of "$1" | tar -x -m -C "$2" || return
	echo "$stamp" >"$2/.sources"
}
