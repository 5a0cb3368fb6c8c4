/* Sentences of an answer. */
#include "report-svc/answer/texts.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_SENTENCE = 600 };

void answer_say(struct answer_texts *t, const char *format, ...)
{
  char text[MAX_SENTENCE];
  va_list args;
  if (t->items == NULL)
    t->items = ARENA_ARRAY(t->arena, char *, ANSWER_TEXTS_MAX);
  t->failed |= t->items == NULL;
  if (t->failed || t->n == ANSWER_TEXTS_MAX)
    return;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  t->items[t->n] = arena_strdup(t->arena, text);
  t->failed = t->items[t->n] == NULL;
  t->n += !t->failed;
}
