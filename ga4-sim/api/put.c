/* Writes members of JSON objects. */
#include "ga4-sim/api/put.h"

#include <string.h>

void put_text(struct buf *out, const char *name, const char *value)
{
  buf_printf(out, "\"%s\":", name);
  buf_put_json_string(out, value, strlen(value));
}

void put_enum(const struct call *c, struct buf *out, const char *name, const char *value,
              int number)
{
  if (c->request->enums_as_numbers)
    buf_printf(out, ",\"%s\":%d", name, number);
  else
    buf_printf(out, ",\"%s\":\"%s\"", name, value);
}
