/* What was read in another way than it was written, for the answer. */
#ifndef AMCP_GATEWAY_ARGUMENTS_NOTES_H
#define AMCP_GATEWAY_ARGUMENTS_NOTES_H

#include <stddef.h>

enum { ARGUMENTS_NOTES_MAX = 16, ARGUMENTS_NOTE_SIZE = 200 };

/* Start with n = 0. Notes beyond the most are dropped, as are repeated ones. Plain data. */
struct arguments_notes {
  char text[ARGUMENTS_NOTES_MAX][ARGUMENTS_NOTE_SIZE];
  size_t n;
};

/* Adds a note; a longer one is cut at a character's border. */
void arguments_note(struct arguments_notes *notes, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
