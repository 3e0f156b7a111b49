/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _COMPAT_LINUX_SLAB_H
#define _COMPAT_LINUX_SLAB_H

#include_next <linux/slab.h>

/* Before 7.0, or before it was taken to a stable kernel. */
#ifndef kmalloc_obj
#define kmalloc_obj(type, gfp)	((typeof(type) *)kmalloc(sizeof(type), gfp))
#define kzalloc_obj(type, gfp)	((typeof(type) *)kzalloc(sizeof(type), gfp))
#define kmalloc_objs(type, count, gfp) \
	((typeof(type) *)kmalloc_array(count, sizeof(type), gfp))
#define kzalloc_objs(type, count, gfp) \
	((typeof(type) *)kcalloc(count, sizeof(type), gfp))
#define kvzalloc_objs(type, count, gfp) \
	((typeof(type) *)kvcalloc(count, sizeof(type), gfp))
#endif

#endif /* _COMPAT_LINUX_SLAB_H */
