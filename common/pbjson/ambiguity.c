/* A text that may mean several things, in the details of an error. */
#include "common/pbjson/ambiguity.h"

void ambiguity_put(struct err *e, const Analytics__Error__V1__Ambiguity *ambiguity)
{
  uint8_t bytes[ERR_DETAILS_MAX];
  Analytics__Error__V1__Ambiguity some = *ambiguity;
  while (some.n_candidates > 0 &&
         analytics__error__v1__ambiguity__get_packed_size(&some) > sizeof(bytes)) {
    some.n_candidates--;
    some.more = true;
  }
  if (e != NULL && some.n_candidates > 0)
    err_set_details(e, bytes, analytics__error__v1__ambiguity__pack(&some, bytes));
}

Analytics__Error__V1__Ambiguity *ambiguity_get(const struct err *e)
{
  if (e->details_len == 0)
    return NULL;
  Analytics__Error__V1__Ambiguity *a =
      analytics__error__v1__ambiguity__unpack(NULL, e->details_len, e->details);
  bool good = a != NULL && a->n_candidates > 1 && a->asked[0] != '\0';
  for (size_t i = 0; good && i < a->n_candidates; i++)
    good = a->candidates[i]->value[0] != '\0' && a->candidates[i]->title[0] != '\0';
  if (good)
    return a;
  if (a != NULL)
    analytics__error__v1__ambiguity__free_unpacked(a, NULL);
  return NULL;
}
