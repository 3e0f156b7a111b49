# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by whatever installs the Debian packages that it misses. What apt has to
# say goes to standard error.

# packages_missing PACKAGE...: those that this machine has not.
packages_missing()
{
	local package

	for package; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
			grep -qx installed || echo "$package"
	done
}

# packages_install PACKAGE...
packages_install()
{
	apt-get -qq -oDPkg::Lock::Timeout=600 update >&2 &&
		DEBIAN_FRONTEND=noninteractive apt-get -qq \
			-oDPkg::Lock::Timeout=600 install -y \
			--no-install-recommends "$@" >&2
}

# need PROGRAM PACKAGE: unless the program is there already.
need()
{
	command -v "$1" >/dev/null && return
	echo "installing $2" >&2
	packages_install "$2"
}
