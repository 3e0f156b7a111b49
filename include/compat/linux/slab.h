/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _COMPAT_LINUX_SLAB_H
#define _COMPAT_LINUX_SLAB_H

#include_next <linux/slab.h>

/* Before 7.0, or before it was taken to a stable kernel. */
#ifndef kmalloc_obj
/* Flags may be left out: then the zero takes their place. */
#define gfp_sum(zero, gfp, ...) ((zero) | (gfp))
#define gfp_or_kernel(...) gfp_sum(0, ##__VA_ARGS__, GFP_KERNEL)

#define kmalloc_obj(type, ...) \
	kmalloc(sizeof(type), gfp_or_kernel(__VA_ARGS__))
#define kzalloc_obj(type, ...) \
	kzalloc(sizeof(type), gfp_or_kernel(__VA_ARGS__))
#define kmalloc_objs(type, count, ...) \
	kmalloc_array(count, sizeof(type), gfp_or_kernel(__VA_ARGS__))
#define kzalloc_objs(type, count, ...) \
	kcalloc(count, sizeof(type), gfp_or_kernel(__VA_ARGS__))
#define kvzalloc_obj(type, ...) \
	kvzalloc(sizeof(type), gfp_or_kernel(__VA_ARGS__))
#define kvzalloc_objs(type, count, ...) \
	kvcalloc(count, sizeof(type), gfp_or_kernel(__VA_ARGS__))
#endif

#endif /* _COMPAT_LINUX_SLAB_H */
