/* Parts of the fold of vehicle reports: columns and vehicles of a report while it arrives. Inside
 * models*.c. */
#ifndef AMCP_AGGREGATE_MODELS_PARTS_H
#define AMCP_AGGREGATE_MODELS_PARTS_H

#include "aggregate-svc/figures/models.h"

/* What a text costs beside its bytes. */
enum { TEXT_OVERHEAD = 32 };

/* A dimension's values so far: texts of names, numbers of all else. */
struct column {
  const char **texts;
  int32_t *codes;
  size_t n, cap;
};

struct models_pages {
  struct column columns[MODELS_DIMENSIONS];
  struct cells pairs; /* of names: model, powertrain, condition */
  struct arena *texts;
  long long bytes;
};

/* ERR_RESOURCE_EXHAUSTED: the budget is used up. */
enum err_code models_no_memory(struct err *e);

/* Whether a role's values are kept as texts. */
bool models_is_name(uint8_t role);
/* Adds the new values of a chunk's dimensions. ERR_DATA_LOSS for one that cannot be. */
enum err_code models_grow_columns(struct models_fold *f, struct models_pages *p,
                                  const struct models_layout *layout,
                                  const Analytics__Report__V1__ColumnChunk *c, struct err *e);

/* The vehicle of a row's two names, matched once per pair. NULL without memory. */
const struct cell *models_vehicle_of(struct models_fold *f, size_t member, struct models_pages *p,
                                     size_t make_column, uint32_t make, uint32_t model);
/* "Toyota Camry" of two fields, the path of a page. */
void models_name_unmatched(char *out, size_t size, bool fields, const char *make,
                           const char *model);
/* Counts views of a text that names no vehicle. False without memory. */
bool models_count_unmatched(struct models_fold *f, struct models_member *m, const char *text,
                            int64_t views);

#endif
