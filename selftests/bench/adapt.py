#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Adapt a Linux 7.x source tree (first argument) for the lab.

Two changes, both to make user-mode-linux cost what a real machine costs:
1. vector ChaCha20-Poly1305: the x86-64 assembly is allowed under UML and switched on by what the host CPU has;
2. inter-processor interrupts are masked in software: without this every local_irq_save() in an SMP kernel is a
   sigprocmask() system call, which makes locks ten times dearer than they are anywhere else.
"""
import pathlib, re, sys

src = pathlib.Path(sys.argv[1])
flags = set(re.search(r"^flags\s*:(.*)$", open("/proc/cpuinfo").read(), re.M).group(1).split())
avx2, avx512 = "avx2" in flags, {"avx512f", "avx512vl", "avx512bw", "avx512ifma"} <= flags


def edit(name, *pairs):
    path = src / name
    text = path.read_text()
    for old, new in pairs:
        if old not in text:
            sys.exit(f"adapt.py: {name}: expected text not found: {old!r}")
        text = text.replace(old, new)
    path.write_text(text)


def cut(name, start, end, new):
    path = src / name
    text = path.read_text()
    a = text.index(start)
    b = len(text) if end is None else text.index(end, a)
    path.write_text(text[:a] + new + text[b:])


# 1. vector cipher
kconfig = src / "lib/crypto/Kconfig"
text = kconfig.read_text()
for alg in ("CHACHA", "POLY1305"):
    text = re.sub(rf"(config CRYPTO_LIB_{alg}_ARCH\n\tbool\n\tdepends on [^\n]*?) && !UML", r"\1", text)
kconfig.write_text(text)
mk = src / "lib/crypto/Makefile"
text = mk.read_text()
text = text.replace("CFLAGS_chacha.o += -I$(src)/$(SRCARCH)", "CFLAGS_chacha.o += -I$(src)/x86")
text = text.replace("CFLAGS_poly1305.o += -I$(src)/$(SRCARCH)", "CFLAGS_poly1305.o += -I$(src)/x86")
text = text.replace("libchacha-$(CONFIG_X86) +=", "libchacha-$(CONFIG_X86_64) +=")
text = re.sub(r"^ifeq \(\$\(CONFIG_X86\),y\)\n(libpoly1305-y)", r"ifeq ($(CONFIG_X86_64),y)\n\1", text, flags=re.M)
mk.write_text(text)


def enable(keys):
    return "".join(f"\tstatic_branch_enable(&{k});\n" for k in keys)


cut("lib/crypto/x86/chacha.h", "#define chacha_mod_init_arch", None,
    "#define chacha_mod_init_arch chacha_mod_init_arch\nstatic void chacha_mod_init_arch(void)\n{\n" +
    enable(["chacha_use_simd"] + ["chacha_use_avx2"] * avx2 + ["chacha_use_avx512vl"] * avx512) + "}\n")
edit("lib/crypto/x86/chacha.h", ("#include <asm/simd.h>", "#include <asm/fpu/api.h>"))
text = (src / "lib/crypto/x86/chacha.h").read_text()
(src / "lib/crypto/x86/chacha.h").write_text(text.replace("crypto_simd_usable()", "true"))
cut("lib/crypto/x86/poly1305.h", "#define poly1305_mod_init_arch", None,
    "#define poly1305_mod_init_arch poly1305_mod_init_arch\nstatic void poly1305_mod_init_arch(void)\n{\n" +
    enable(["poly1305_use_avx", "poly1305_use_avx2"] * avx2 + ["poly1305_use_avx512"] * avx512) + "}\n")
edit("lib/crypto/x86/poly1305.h", ("#include <asm/cpu_device_id.h>\n", ""))

# 2. software-masked IPIs
cut("arch/um/os-Linux/smp.c", "static void __local_ipi_set", "static void ipi_sig_handler", """\
static __thread unsigned int ipi_pending;

void os_local_ipi_enable(void) { }
void os_local_ipi_disable(void) { }

int os_ipi_is_pending(void)
{
	return ipi_pending != 0;
}

void os_run_pending_ipis(void)
{
	unsigned int pending = ipi_pending;

	ipi_pending = 0;
	for (int vector = 0; pending; vector++, pending >>= 1)
		if (pending & 1)
			uml_ipi_handler(vector);
}

""")
edit("arch/um/os-Linux/smp.c", ("	int save_errno = errno;\n\n	signals_enabled = 0;", """\
	int save_errno = errno;

	if (!signals_enabled) {
		ipi_pending |= 1u << si->si_value.sival_int;
		signals_pending |= IPI_MASK;
		return;
	}
	signals_enabled = 0;"""))
path = src / "arch/um/os-Linux/internal.h"
text = path.read_text()
i = text.rindex("#endif")
path.write_text(text[:i] + "#define IPI_MASK (1 << 3)\nextern __thread unsigned int signals_pending;\n"
                "int os_ipi_is_pending(void);\nvoid os_run_pending_ipis(void);\n" + text[i:])
edit("arch/um/os-Linux/signal.c",
     ("static __thread unsigned int signals_pending;", "__thread unsigned int signals_pending;"),
     ("		/* Do not reenter the handler */\n",
      "#ifdef CONFIG_SMP\n		if (save_pending & IPI_MASK)\n			os_run_pending_ipis();\n#endif\n		/* Do not reenter the handler */\n"),
     ("if (!(signals_pending & SIGIO_MASK) &&", "if (!(signals_pending & (SIGIO_MASK | IPI_MASK)) &&"))
edit("arch/um/os-Linux/time.c",
     ("	sigaddset(&set, SIGALRM);\n	sigprocmask(SIG_BLOCK, &set, NULL);\n",
      "	sigaddset(&set, SIGALRM);\n#ifdef CONFIG_SMP\n	sigaddset(&set, IPI_SIGNAL);\n#endif\n	sigprocmask(SIG_BLOCK, &set, NULL);\n"),
     ("if (!uml_need_resched() && !timer_alarm_pending())",
      "if (!uml_need_resched() && !timer_alarm_pending()\n#ifdef CONFIG_SMP\n	    && !os_ipi_is_pending()\n#endif\n	   )"))
print(f"adapted {src}: avx2={avx2} avx512={avx512}")
