/* What was read in another way than it was written, for the answer. */
#include "gateway/arguments/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Drops a character that was cut in two. */
static void end_at_character(char *text, size_t len)
{
  while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
    len--;
  text[len] = '\0';
}

void arguments_note(struct arguments_notes *notes, const char *fmt, ...)
{
  char text[ARGUMENTS_NOTE_SIZE + 4];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  if (strlen(text) >= ARGUMENTS_NOTE_SIZE)
    end_at_character(text, ARGUMENTS_NOTE_SIZE - 1);
  for (size_t i = 0; i < notes->n; i++) {
    if (strcmp(notes->text[i], text) == 0)
      return;
  }
  if (notes->n < ARGUMENTS_NOTES_MAX)
    memcpy(notes->text[notes->n++], text, strlen(text) + 1);
}
