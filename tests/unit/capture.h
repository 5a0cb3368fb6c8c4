/* What the cases of a test program print, kept apart from the results. */
#ifndef AMCP_TESTS_CAPTURE_H
#define AMCP_TESTS_CAPTURE_H

#include <stdio.h>

/* From now on standard output and standard error of this process and of those it starts go to a
 * file in memory. Returns 0, or -1 when the system refuses. */
int capture_begin(void);

/* Where results go: the standard output the program began with. */
FILE *capture_results(void);

/* A case begins here. */
void capture_mark(void);

/* Copies what was printed since the mark to the results, at most the last 256 KiB of it. */
void capture_show(void);

/* Copies what a sanitizer reported, wherever that was, else what was printed since the start. */
void capture_show_report(void);

#endif
