/* application/x-www-form-urlencoded bodies. */
#ifndef GA4_SIM_FORM_H
#define GA4_SIM_FORM_H

#include <stddef.h>

enum { FORM_FIELDS = 24 };

struct form {
  char *text; /* owns all strings */
  struct {
    const char *name, *value;
  } fields[FORM_FIELDS];
  size_t count;
};

/* Reads at most FORM_FIELDS fields; what has no '=' is skipped. Free with form_free(). */
void form_parse(struct form *f, const char *body, size_t len);
/* Value of a field, NULL when absent. Valid until form_free(). */
const char *form_get(const struct form *f, const char *name);
void form_free(struct form *f);
/* Decodes %XX and + in place. */
void form_decode(char *s);

#endif
