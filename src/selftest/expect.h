/* SPDX-License-Identifier: GPL-2.0 */
/* What self-tests expect, and how they say that they did not get it. */
#ifndef _WG_SELFTEST_EXPECT_H
#define _WG_SELFTEST_EXPECT_H

#include <linux/printk.h>
#include <linux/string.h>
#include <linux/types.h>

/**
 * expect() - complain if something is not so
 * @ok: whether it is so
 * @what: the something
 *
 * Return: @ok.
 */
static inline bool expect(bool ok, const char *what)
{
	if (!ok)
		pr_err("self-test: not so: %s\n", what);
	return ok;
}

/**
 * expect_same() - complain if something is not what is known
 * @got: what there is
 * @known: what it should be
 * @len: length of both
 * @what: what it is called
 *
 * Return: whether it is.
 */
static inline bool expect_same(const void *got, const void *known, size_t len,
			       const char *what)
{
	return expect(!memcmp(got, known, len), what);
}

/**
 * report() - say how a self-test went
 * @name: what it is a test of
 * @ok: how
 *
 * Return: @ok.
 */
static inline bool report(const char *name, bool ok)
{
	if (ok)
		pr_info("%s self-tests: pass\n", name);
	else
		pr_err("%s self-tests: FAIL\n", name);
	return ok;
}

#endif /* _WG_SELFTEST_EXPECT_H */
