/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_BUNDLE_FIT_H
#define WGI_BUNDLE_FIT_H

#include "config.h"

#include <sys/types.h>

/**
 * struct fitter - measures the MTU of a bundle beside other work
 * @child: process that does; 0 if there is none
 * @due: when it is to be done next
 */
struct fitter {
	pid_t child;
	int64_t due;
};

/* fitter_want() - have it done soon, as a tunnel answers that did not before */
void fitter_want(struct fitter *fitter, int64_t now);

/* fitter_turn() - begin if it is time to; to be called again and again */
void fitter_turn(struct fitter *fitter, const char *name,
		 const struct config *config, int64_t now);

/* fitter_end() - stop it */
void fitter_end(struct fitter *fitter);

#endif
