// SPDX-License-Identifier: GPL-2.0
/* The one place where tracepoints are made, of what trace.h says about them. */
#define CREATE_TRACE_POINTS
#include "trace.h"
