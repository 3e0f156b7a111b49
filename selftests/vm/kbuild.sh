# shellcheck shell=bash disable=SC2086 # lists of files, one per word
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by uml/build.sh and vm/debug.sh: a kernel with checks switched on, built
# once from one of Debian's source packages and kept.
#
#   KB_NAME     what it is called; it is kept in $WGI_CACHE/$KB_NAME
#   KB_ARCH     ARCH= for make
#   KB_CONFIGS  files of lines for .config, on top of the architecture's defaults
#   KB_PATCHES  patches to the source
#   kb_source   a function that prints the path of the source tarball
#   kb_finish   a function that adds what the caller promises beside
#
# kb_build prints the directory, which has then obj/ (KDIR= for the module),
# modules/ and release.

KB_VM=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
KB_CACHE=${WGI_CACHE:-/var/cache/wireguard-inline}
KB_JOBS=${JOBS:-$(nproc)}
KB_PACKAGES="bc bison build-essential flex kmod libelf-dev libssl-dev patch
	python3 xz-utils"

kb_say() { echo "$KB_NAME: $*" >&2; }
kb_die() { kb_say "$*"; exit 1; }

kb_packages()
{
	local package
	local -a missing=()

	for package in $KB_PACKAGES; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
			grep -qx installed || missing+=("$package")
	done
	[ "${#missing[@]}" -gt 0 ] || return 0
	kb_say "installing ${missing[*]}"
	apt-get -qq -oDPkg::Lock::Timeout=600 update >&2
	DEBIAN_FRONTEND=noninteractive apt-get -qq -oDPkg::Lock::Timeout=600 \
		install -y --no-install-recommends "${missing[@]}" >&2
}

kb_make()
{
	make -s -C "$KB_DIR/src" ARCH="$KB_ARCH" O="$KB_DIR/obj" "$@" >&2
}

# kb_refused: lines that Kconfig did not take; those that may be missing are
# only mentioned.
kb_refused()
{
	local line wanted

	cat $KB_CONFIGS | while read -r line; do
		wanted=${line%% # optional}
		case $line in
		CONFIG_*)
			grep -qxF "$wanted" "$KB_DIR/obj/.config" && continue ;;
		'# CONFIG_'*' is not set')
			wanted=${line#\# } wanted=${wanted%% *}
			grep -q "^$wanted=" "$KB_DIR/obj/.config" || continue
			wanted="no $wanted" ;;
		*) continue ;;
		esac
		case $line in
		*' # optional') kb_say "not on this kernel: $wanted" ;;
		*) echo "$wanted" ;;
		esac
	done
}

kb_configure()
{
	local refused

	kb_make defconfig
	# Lines of ours replace some of the defaults: that is meant.
	cat $KB_CONFIGS | sed 's/ # optional$//' >>"$KB_DIR/obj/.config"
	kb_make olddefconfig 2>"$KB_DIR/olddefconfig.log" ||
		kb_die "Kconfig: $(cat "$KB_DIR/olddefconfig.log")"
	refused=$(kb_refused)
	[ -z "$refused" ] || kb_die "Kconfig refuses" $refused
}

# kb_unpack TARBALL: the source, unless the same is there already.
kb_unpack()
{
	local stamp patch

	stamp="$1 $(cat $KB_PATCHES /dev/null | sha256sum | cut -c1-16)"
	[ "$(cat "$KB_DIR/source" 2>/dev/null)" != "$stamp" ] || return 0
	rm -rf "$KB_DIR"
	mkdir -p "$KB_DIR/src"
	kb_say "unpacking ${1##*/}"
	tar -xf "$1" -C "$KB_DIR/src" --strip-components=1
	for patch in $KB_PATCHES; do
		patch -s -p1 -d "$KB_DIR/src" <"$patch" >&2 ||
			kb_die "${patch##*/} does not fit"
	done
	echo "$stamp" >"$KB_DIR/source"
}

# Whatever goes into the kernel: a change of it means another one.
kb_stamp()
{
	cat "$0" "$KB_VM/kbuild.sh" $KB_CONFIGS $KB_PATCHES | sha256sum
}

kb_build()
{
	local stamp lock tarball

	KB_DIR=$KB_CACHE/$KB_NAME
	stamp=$(kb_stamp)
	mkdir -p "$KB_CACHE"
	exec {lock}>"$KB_CACHE/.lock-$KB_NAME"
	flock "$lock"
	if [ "$(cat "$KB_DIR/stamp" 2>/dev/null)" != "$stamp" ]; then
		kb_packages
		tarball=$(kb_source)
		rm -f "$KB_DIR/stamp"
		kb_unpack "$tarball"
		mkdir -p "$KB_DIR/obj"
		kb_configure
		kb_say "building with $KB_JOBS jobs; this takes a while, once"
		kb_make -j"$KB_JOBS" 2>"$KB_DIR/build.log" || {
			tail -n 40 "$KB_DIR/build.log" >&2
			kb_die "the build failed; see $KB_DIR/build.log"
		}
		rm -rf "$KB_DIR/tree"
		kb_make INSTALL_MOD_PATH="$KB_DIR/tree" modules_install
		cat "$KB_DIR/obj/include/config/kernel.release" >"$KB_DIR/release"
		ln -sfn "tree/lib/modules/$(cat "$KB_DIR/release")" \
			"$KB_DIR/modules"
		kb_finish
		echo "$stamp" >"$KB_DIR/stamp"
		kb_say "Linux $(cat "$KB_DIR/release") is ready"
	fi
	exec {lock}>&-
	echo "$KB_DIR"
}
