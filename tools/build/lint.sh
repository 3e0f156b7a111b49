#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Style and static checks. Every finding is printed, every kind of check is a KTAP
# line.
#   LINT_KERNELS   kernels to build for (default: 6.1 6.12 7.2)

set -u
cd "$(dirname "$0")/../.." || exit 1
. selftests/lib/packages.sh
ROOTS=selftests/vm/roots.sh
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
read -ra KERNELS <<<"${LINT_KERNELS:-6.1 6.12 7.2}"
FILE_LINES=600 FUNCTION_LINES=70 SHIM_LINES=80
number=0 failed=0

# Root may look at a checkout that is somebody else's.
git() { command git -c safe.directory="$(pwd -P)" "$@"; }

# result STATUS NAME: what FINDINGS holds is why.
result()
{
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		sed 's/^/# /' "$WORK/findings"
		echo "not ok $number - $2"
		failed=$((failed + 1))
	fi
}

skip()
{
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# nothing NAME COMMAND...: passes if COMMAND prints nothing.
nothing()
{
	local name=$1

	shift
	"$@" >"$WORK/findings" 2>&1
	test ! -s "$WORK/findings"
	result $? "$name"
}

c_files() { git ls-files 'src/*.[ch]' 'include/compat/*.h'; }
tool_files() { git ls-files 'tools/*.[ch]'; }
scripts() { git grep -lIE '^#!/bin/(ba)?sh' -- . ':!*.py'; }

versions()
{
	git grep -nE 'LINUX_VERSION_CODE|KERNEL_VERSION *\(' -- src include/compat
}

own_inline() { git grep -nE '\binline\b' -- 'src/*.c' | grep -vE '/\*|^\S+ \*|"'; }

unfinished()
{
	git grep -nE '\b(TODO|FIXME|XXX)\b' -- . ':!LICENSE' ':!tools/build/lint.sh'
}

long_files()
{
	{ c_files; tool_files; } | xargs wc -l | awk -v file="$FILE_LINES" -v shim="$SHIM_LINES" '
		$2 == "total" { next }
		$2 ~ /compat/ ? $1 > shim : $1 > file { print $2 ": " $1 " lines" }'
}

# A function's length is counted from its opening to its closing brace.
long_functions()
{
	git ls-files 'src/*.c' 'tools/*.c' | xargs awk -v most="$FUNCTION_LINES" '
		FNR == 1 { start = 0 }
		/^{/ { start = FNR }
		/^}/ && start {
			if (FNR - start > most)
				print FILENAME ":" start ": " FNR - start " lines"
			start = 0
		}'
}

# Stages use what the libraries that they are sourced with define, and the other
# way round, which shellcheck cannot follow.
shell_style()
{
	scripts | xargs shellcheck -S warning -e SC2034,SC2154
}

# style ARGUMENT...: of the files whose names are on standard input.
style()
{
	local dir

	dir=$("$ROOTS" checkpatch 2>/dev/null) || { echo "no checkpatch.pl"; return; }
	xargs -n 1 perl "$dir/scripts/checkpatch.pl" --no-tree --strict --terse \
		--no-summary "$@" -f
}

c_style() { c_files | style; }

# Not what needs the kernel's headers, takes words in sentences for names of functions,
# or does not see through PRIu64 that a line is long for a sentence that is not cut.
NOT_OF_TOOLS=PREFER_DEFINED_ATTRIBUTE_MACRO,ARRAY_SIZE,EMBEDDED_FUNCTION_NAME,CAMELCASE
NOT_OF_TOOLS+=,LONG_LINE,LONG_LINE_STRING,QUOTED_WHITESPACE_BEFORE_NEWLINE
NOT_OF_TOOLS+=,STATIC_CONST_CHAR_ARRAY,COMPLEX_MACRO
tool_style() { tool_files | style --show-types --ignore "$NOT_OF_TOOLS"; }

documentation()
{
	local dir

	dir=$("$ROOTS" checkpatch 2>/dev/null) || { echo "no kernel-doc"; return; }
	c_files | xargs python3 "$dir/scripts/kernel-doc" -none -Wreturn 2>&1 |
		sort -u
}

# complaints VERSION MAKE-ARGS...: what a build of everything says.
complaints()
{
	local version=$1

	shift
	rm -rf "$WORK/tree"
	"$ROOTS" build "$version" "$WORK/tree" -k "$@" >"$WORK/log" 2>&1 ||
		echo "make failed: $*"
	grep -E '(warning|error|undefined)[: !]' "$WORK/log" |
		grep -vE 'pahole version|BTF generation|compiler differs'
}

# clang cannot use the configuration of a kernel that gcc has built, so it is given
# the commands that gcc was given, without what only gcc knows.
clang_complaints()
{
	local version=$1 file command

	rm -rf "$WORK/tree"
	"$ROOTS" build "$version" "$WORK/tree" >"$WORK/log" 2>&1 ||
		{ tail -n 5 "$WORK/log"; return; }
	for file in "$WORK"/tree/src/.*.o.cmd; do
		case $file in */.wireguard.*) continue ;; esac
		command=$(sed -nE 's/^(saved)?cmd_[^ ]* := //p' "$file" |
			sed -E 's/^ *[^ ]*gcc[^ ]* /clang /; s/ ; .*//; s/ -o [^ ]*//
				s/ -c / -fsyntax-only /; s/ -Wp,-MMD,[^ ]*//
				s/ -(mrecord-mcount|fconserve-stack)//g
				s/ -(mfunction-return|mindirect-branch)[^ ]*//g
				s/ -(ftrivial-auto-var-init|fplugin)[^ ]*//g
				s/ -(fno-allow-store-data-races|mskip-rax-setup)//g
				s/ -(falign-jumps|mpreferred-stack-boundary)[^ ]*//g')
		(cd "$("$ROOTS" "$version")/headers" &&
			eval "$command -Wno-gnu -Wno-unknown-warning-option" \
				-Wno-unused-command-line-argument \
				-Wno-ignored-optimization-argument) 2>&1
	done | awk -v tree="$WORK/tree/" '
		/(warning|error):/ && (index($0, tree) == 1 || /^clang/)'
}

need shellcheck shellcheck
need sparse sparse
echo "KTAP version 1"
echo "1..$((9 + 3 * ${#KERNELS[@]}))"
nothing "no kernel versions in the source" versions
nothing "no inline in .c files" own_inline
nothing "nothing unfinished" unfinished
nothing "files of $FILE_LINES lines, shims of $SHIM_LINES" long_files
nothing "functions of $FUNCTION_LINES lines" long_functions
nothing "shellcheck" shell_style
nothing "checkpatch --strict" c_style
nothing "checkpatch --strict, the command" tool_style
nothing "kernel-doc" documentation
for version in "${KERNELS[@]}"; do
	nothing "$version: gcc W=1, and with DEBUG=1" eval \
		"complaints $version W=1; complaints $version W=1 DEBUG=1"
	if [ "$version" = 7.2 ]; then
		skip "$version: sparse" "its headers come without what sparse needs"
		skip "$version: clang" "the trixie root has none"
		continue
	fi
	nothing "$version: sparse" complaints "$version" C=2 \
		CF=-D__CHECK_ENDIAN__
	if command -v clang >/dev/null; then
		nothing "$version: clang" clang_complaints "$version"
	else
		skip "$version: clang" "not installed"
	fi
done
echo "# $((number - failed)) passed, $failed failed"
[ "$failed" = 0 ]
