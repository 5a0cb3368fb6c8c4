/* What words of a path or a parameter say about a vehicle's condition and fuel. */
#include <ctype.h>
#include <string.h>

#include "aggregate-svc/figures/models.h"
#include "aggregate-svc/vehicle/vehicle.h"
#include "common/base/mem.h"

/* The word of letters at or behind *p, lower case; false at the end. */
static bool next_word(const char **p, char word[static 16])
{
  size_t n = 0;
  while (**p != '\0' && !isalpha((unsigned char)**p))
    ++*p;
  if (**p == '\0')
    return false;
  for (; isalpha((unsigned char)**p); ++*p)
    if (n < 15)
      word[n++] = (char)tolower((unsigned char)**p);
  word[n] = '\0';
  return true;
}

enum models_condition models_condition_of(const char *text)
{
  static const char *const used[] = {"used", "cpo", "certified", "preowned", "owned", "salvage"};
  char word[16];
  bool is_new = false;
  for (const char *p = text; next_word(&p, word);) {
    for (size_t i = 0; i < ARRAY_LEN(used); i++)
      if (strcmp(word, used[i]) == 0)
        return CONDITION_USED;
    is_new = is_new || strcmp(word, "new") == 0;
  }
  return is_new ? CONDITION_NEW : CONDITION_UNKNOWN;
}

unsigned models_powertrain_of(const char *fuel)
{
  char word[16];
  bool plug = false, mild = false, hybrid = false, electric = false, engine = false;
  for (const char *p = fuel; next_word(&p, word);) {
    plug |= strcmp(word, "plug") == 0 || strcmp(word, "plugin") == 0 || strcmp(word, "phev") == 0;
    mild |= strcmp(word, "mild") == 0 || strcmp(word, "mhev") == 0;
    hybrid |= strcmp(word, "hybrid") == 0 || strcmp(word, "hev") == 0;
    electric |= strcmp(word, "electric") == 0 || strcmp(word, "ev") == 0 ||
                strcmp(word, "bev") == 0 || strcmp(word, "hydrogen") == 0;
    engine |= strncmp(word, "gas", 3) == 0 || strcmp(word, "ice") == 0 ||
              strcmp(word, "petrol") == 0 || strcmp(word, "diesel") == 0 ||
              strncmp(word, "flex", 4) == 0;
  }
  if (plug)
    return VEHICLE_PHEV;
  if (hybrid)
    return mild ? VEHICLE_ICE : VEHICLE_HYBRID;
  if (electric)
    return engine ? VEHICLE_HYBRID : VEHICLE_EV; /* "Gas/Electric" is a hybrid */
  return engine ? VEHICLE_ICE : VEHICLE_POWERTRAIN_UNKNOWN;
}
