/* Lends constant texts to generated structs, whose members are char * even where protobuf-c
 * only reads them. The text must outlive the message, and nobody may free it with it. */
#ifndef AMCP_PBJSON_BORROW_H
#define AMCP_PBJSON_BORROW_H

#include <string.h>

static inline char *borrow_text(const char *text)
{
  char *p;
  memcpy(&p, &text, sizeof(p));
  return p;
}

static inline char **borrow_texts(const char **texts)
{
  char **p;
  memcpy(&p, &texts, sizeof(p));
  return p;
}

#endif
