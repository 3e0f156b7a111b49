#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Kernels to build for and to boot: downloads, unpacks and caches them.
#
#   roots.sh 6.1|6.1-rt|6.12|7.2
#                               print a directory (made on first use) that holds
#       release     the kernel's release, in one line
#       vmlinuz     its image
#       modules/    its /lib/modules/RELEASE; modules/build is the header tree
#       headers/    that header tree: what KDIR= takes
#       root/       a guest's root: a Debian trixie of its own for 7.2, / for
#                   the others (share it read-only)
#   roots.sh build VERSION DIR [MAKE ARGUMENTS]
#                               copy this project to DIR and `make module` there
#                               for that kernel; prints DIR/src/wireguard.ko
#   roots.sh run VERSION DIR COMMAND...
#                               run COMMAND where that kernel's compiler is, with
#                               DIR as its working directory
#   roots.sh checkpatch         print a directory that holds scripts/checkpatch.pl
#   roots.sh source             print the path of a linux-source-7.x tarball
#
# Debian 12's own archive has 6.1, with PREEMPT_RT too, and 6.12; trixie-backports
# has 7.2. Mirrors are those of this machine's apt. Everything is kept in
# $WGI_CACHE, by default /var/cache/wireguard-inline; progress goes to stderr. Needs
# root.

set -euo pipefail

CACHE=${WGI_CACHE:-/var/cache/wireguard-inline}
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/selftests/lib/packages.sh"
. "$TOP/selftests/vm/sources.sh"
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# What tests call inside the trixie guest; the kernel's packages come on top.
TRIXIE_PACKAGES="bsdextrautils build-essential busybox-static conntrack dkms
	ethtool iperf3 iproute2 iptables iputils-ping kmod ncat nftables procps
	python3 socat sparse tcpdump wireguard-go"

say() { echo "roots: $*" >&2; }
die() { say "$*"; exit 1; }

# one_at_a_time NAME: until this shell ends, nobody else works on NAME.
one_at_a_time()
{
	mkdir -p "$CACHE"
	exec {lock}>"$CACHE/.lock-$1"
	flock -n "$lock" || { say "waiting for another run to make $1"; flock "$lock"; }
}

# archives: label and URI of each Debian archive in this machine's lists.
archives()
{
	# shellcheck disable=SC2016 # expanded by apt-get
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' \
		'Created-By: Packages' 'Origin: Debian'
}

# mirror LABEL: the URI of the Debian archive (LABEL "Debian" or
# "Debian-Security") that this machine's apt uses.
mirror()
{
	local uri

	uri=$(archives | awk -v label="$1" '$1 == label { print $2; exit }')
	if [ -z "$uri" ]; then
		apt-get -qq -oDPkg::Lock::Timeout=600 update >&2
		uri=$(archives | awk -v label="$1" '$1 == label { print $2; exit }')
	fi
	[ -n "$uri" ] || die "apt knows no archive with the label $1"
	uri=${uri%/}
	# A list of mirrors, which only apt on this machine can read.
	case $uri in
	mirror+file:*)
		uri=$(awk '/^[a-z]+:/ { print $1; exit }' "${uri#mirror+file:}") ;;
	esac
	[ -n "$uri" ] || die "the list of mirrors for $1 is empty"
	echo "${uri%/}"
}

# sources SUITE: apt's sources for a Debian release.
sources()
{
	local archive security

	archive=$(mirror Debian)
	case $1 in
	bookworm)
		security=$(mirror Debian-Security)
		echo "deb [signed-by=$KEYRING] $archive bookworm main"
		echo "deb [signed-by=$KEYRING] $security bookworm-security main"
		;;
	trixie)
		echo "deb [signed-by=$KEYRING] $archive trixie main"
		echo "deb [signed-by=$KEYRING] $archive trixie-backports main"
		;;
	esac
}

# apt_for SUITE TOOL ARGS...: apt on lists of that release, kept in the cache, so
# that this machine's own apt is neither changed nor waited for.
apt_for()
{
	local state=$CACHE/apt/$1 tool=$2

	shift 2
	"$tool" -oDir::State="$state" -oDir::Cache="$state/cache" \
		-oDir::Etc::SourceList="$state/sources.list" \
		-oDir::Etc::SourceParts=/dev/null -oDir::Etc::Preferences=/dev/null \
		-oDir::Etc::PreferencesParts=/dev/null -oAPT::Sandbox::User=root \
		-oDir::State::status="$state/status" "$@"
}

# apt_open SUITE: bring those lists up to date.
apt_open()
{
	local state=$CACHE/apt/$1

	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	: >"$state/status"
	sources "$1" >"$state/sources.list"
	say "reading package lists of $1"
	apt_for "$1" apt-get -qq update >&2
}

# linux_packages SUITE PACKAGE: the header packages that this one needs.
linux_packages()
{
	local suite=$1

	shift
	apt_for "$suite" apt-cache depends --recurse --no-recommends \
		--no-suggests --no-conflicts --no-breaks --no-replaces \
		--no-enhances "$@" | grep -oE '^linux-(headers|kbuild)-[0-9][^ :]*' |
		sort -u
}

# unpack SUITE DIR PACKAGE...: their files below DIR, nothing installed.
unpack()
{
	local suite=$1 dir=$2 deb

	shift 2
	mkdir -p "$dir" "$CACHE/debs"
	for deb; do
		say "fetching $deb"
		rm -f "$CACHE/debs/${deb}"_*.deb
		(cd "$CACHE/debs" && apt_for "$suite" apt-get -qq download "$deb" >&2)
		dpkg -x "$CACHE/debs/${deb}"_*.deb "$dir"
		rm -f "$CACHE/debs/${deb}"_*.deb
	done
}

# describe DIR TREE RELEASE: the links and the file that callers are promised.
# TREE, relative to DIR, is where the packages' files are.
describe()
{
	local dir=$1 tree=$2 release=$3 image

	# Newer packages keep the image beside the modules.
	image=$tree/boot/vmlinuz-$release
	[ -e "$dir/$image" ] || image=$tree/lib/modules/$release/vmlinuz
	[ -e "$dir/$image" ] || die "no kernel image for $release"
	echo "$release" >"$dir/release"
	ln -sfn "$image" "$dir/vmlinuz"
	ln -sfn "$tree/lib/modules/$release" "$dir/modules"
	ln -sfn "$tree/usr/src/linux-headers-$release" "$dir/headers"
	say "$release is ready"
}

# make_bookworm DIR VERSION FINAL: 6.1, 6.1-rt or 6.12. Header trees name each other
# by absolute paths, which have to follow them to the place where they end up.
make_bookworm()
{
	local dir=$1 suffix final=$3 packages release common

	need gcc build-essential
	need pahole pahole
	need depmod kmod
	suffix=$2-amd64
	suffix=${suffix#6.1-}
	apt_open bookworm
	packages=$(linux_packages bookworm "linux-headers-$suffix")
	release=$(grep -xEm 1 'linux-headers-[0-9]+(\.[0-9]+)+[+-].*-amd64' <<<"$packages")
	release=${release#linux-headers-}
	common=$(grep -xm 1 'linux-headers-.*-common.*' <<<"$packages")
	# shellcheck disable=SC2086 # one word per package
	unpack bookworm "$dir/tree" $packages "linux-image-$release"
	ln -s / "$dir/root"
	describe "$dir" tree "$release"
	grep -rlIs --include=Makefile --include=.kernelvariables \
		-e '/usr/src/linux-headers' -e '/usr/lib/linux-kbuild' \
		"$dir/tree/usr/src" |
		xargs -r sed -i "s,\(^\|[^A-Za-z0-9_.]\)/usr/\(src\|lib\)/linux-,\1$final/tree/usr/\2/linux-,g"
	ln -sfn "$final/tree/usr/src/linux-headers-$release" "$dir/modules/build"
	ln -sfn "$final/tree/usr/src/$common" "$dir/modules/source"
	depmod -b "$dir/tree" "$release"
}

# inside ROOT DIR COMMAND...: run COMMAND chrooted, with DIR at /mnt as its working
# directory and with mounts that end with it.
inside()
{
	# shellcheck disable=SC2016 # expanded by the shell that unshare starts
	unshare -m --propagation private sh -euc '
		root=$1 dir=$2; shift 2
		mount -t proc proc "$root/proc"
		mount --bind /dev "$root/dev"
		mount --bind "$dir" "$root/mnt"
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
			TERM=dumb DEBIAN_FRONTEND=noninteractive \
			chroot "$root" env -C /mnt "$@"
	' sh "$@"
}

# make_trixie DIR: build environment and guest root in one.
make_trixie()
{
	local dir=$1 root=$1/root archive release

	need debootstrap debootstrap
	archive=$(mirror Debian)
	say "bootstrapping Debian trixie (about two minutes, 1.4 GB)"
	debootstrap --variant=minbase --keyring="$KEYRING" trixie "$root" \
		"$archive" | sed -un '/ [Pp]ackages\|system/s/^I: /roots:   /p' >&2
	sources trixie >"$root/etc/apt/sources.list"
	apt-config dump --format '%F "%v";%n' Acquire | grep -i proxy \
		>"$root/etc/apt/apt.conf.d/90host" || say "no apt proxy to hand on"
	printf 'APT::Install-Recommends "false";\nDpkg::Use-Pty "false";\n' \
		>"$root/etc/apt/apt.conf.d/91build"
	printf 'path-exclude=/usr/share/%s\n' 'doc/*' 'locale/*' 'man/*' \
		>"$root/etc/dpkg/dpkg.cfg.d/small"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"

	inside "$root" "$dir" apt-get -qq update >&2
	say "installing compiler and test programs in it"
	# shellcheck disable=SC2086 # one word per package
	inside "$root" "$dir" apt-get -q install -y $TRIXIE_PACKAGES |
		sed -un 's/^Setting up/roots:   &/p' >&2
	say "installing kernel headers and wireguard-tools from trixie-backports"
	inside "$root" "$dir" apt-get -q install -y -t trixie-backports \
		linux-headers-amd64 wireguard-tools |
		sed -un 's/^Setting up/roots:   &/p' >&2

	# The image's own scripts would make an initramfs that nobody boots.
	release=$(cd "$root/usr/src" && echo linux-headers-*-amd64)
	release=${release#linux-headers-}
	apt_open trixie
	unpack trixie "$dir/image" "linux-binary-$release" \
		"linux-modules-$release"
	mkdir -p "$root/usr/lib/modules"
	cp -a "$dir/image/usr/lib/modules/." "$root/usr/lib/modules/"
	rm -rf "$dir/image"
	inside "$root" "$dir" depmod "$release"
	inside "$root" "$dir" apt-get clean
	describe "$dir" root "$release"
}

# make_root VERSION: make it unless it is there; prints where.
make_root()
{
	local version=$1 final=$CACHE/roots/$1

	if [ ! -e "$final/done" ]; then
		[ "$(id -u)" = 0 ] || die "needs root to make $final"
		one_at_a_time "root-$version"
		if [ ! -e "$final/done" ]; then
			rm -rf "$final" "$final.new"
			mkdir -p "$final.new"
			case $version in
			7.2) make_trixie "$final.new" ;;
			*) make_bookworm "$final.new" "$version" "$final" ;;
			esac
			touch "$final.new/done"
			mv "$final.new" "$final"
		fi
	fi
	echo "$final"
}

# run_in VERSION DIR COMMAND...: where that kernel's compiler and tools are.
run_in()
{
	local root=$1 dir=$2

	root=$(make_root "$1")/root
	dir=$(cd "$2" && pwd)
	shift 2
	if [ "$(readlink "$root")" = / ]; then
		(cd "$dir" && "$@")
		return
	fi
	inside "$root" "$dir" "$@"
}

# build VERSION DIR MAKE-ARGS...
build()
{
	local version=$1 dir=$2 root release

	shift 2
	root=$(make_root "$version")
	release=$(cat "$root/release")
	copy_sources "$TOP" "$dir"
	if [ "$(readlink "$root/root")" = / ]; then
		run_in "$version" "$dir" make module KDIR="$root/headers" "$@" >&2
	else
		run_in "$version" "$dir" make module KVER="$release" "$@" >&2
	fi
	echo "$dir/src/wireguard.ko"
}

# linux_source: a kernel source tarball of the newest kernel that Debian has.
linux_source()
{
	local dir=$CACHE/linux-source package found

	found=$(ls "$dir"/linux-source-*.tar.xz 2>/dev/null || :)
	if [ -z "$found" ]; then
		one_at_a_time linux-source
		apt_open trixie
		package=$(apt_for trixie apt-cache search --names-only \
			'^linux-source-7\.[0-9]+$' | awk '{ print $1 }' |
			sort -V | tail -n 1)
		[ -n "$package" ] || die "trixie-backports has no linux-source-7.x"
		rm -rf "$dir.new"
		unpack trixie "$dir.new" "$package"
		mkdir -p "$dir"
		mv "$dir.new/usr/src/$package.tar.xz" "$dir/"
		rm -rf "$dir.new"
		found=$dir/$package.tar.xz
	fi
	echo "$found"
}

# checkpatch: the kernel's style checker, which header packages leave out.
checkpatch()
{
	local dir=$CACHE/checkpatch tarball

	if [ ! -e "$dir/done" ]; then
		tarball=$(linux_source)
		one_at_a_time checkpatch
		say "unpacking checkpatch.pl and kernel-doc"
		rm -rf "$dir"
		mkdir -p "$dir"
		tar -xf "$tarball" -C "$dir" --strip-components=1 --wildcards \
			'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
			'*/scripts/const_structs.checkpatch' \
			'*/scripts/kernel-doc*' '*/tools/docs/kernel-doc*' \
			'*/tools/lib/python/*'
		touch "$dir/done"
	fi
	echo "$dir"
}

usage() { sed -n '4,26s/^# \{0,1\}//p' "$0" >&2; exit 2; }

case ${1:-} in
6.1 | 6.1-rt | 6.12 | 7.2) make_root "$1" ;;
build) [ $# -ge 3 ] || usage; shift; build "$@" ;;
run) [ $# -ge 4 ] || usage; shift; run_in "$@" ;;
checkpatch) checkpatch ;;
source) linux_source ;;
*) usage ;;
esac
