/* The verdict on models of vehicles: whether the share of one moves, and whether it brings the
 * leads that its traffic predicts.
 *
 * The promise is about the list of a request: of the models that it calls something, at most a
 * tenth are called so by chance. q comes from all tests of the request together (Benjamini and
 * Hochberg). Pure, thread-safe. */
#ifndef AMCP_AGGREGATE_VERDICT_MODELS_H
#define AMCP_AGGREGATE_VERDICT_MODELS_H

#include <stddef.h>

#include "aggregate-svc/stats/change.h"
#include "aggregate-svc/stats/stats.h"
#include "aggregate-svc/verdict/expected.h"

/* In the order in which they are shown. */
enum model_move { MODEL_RISING, MODEL_FALLING, MODEL_NO_CLEAR_CHANGE };
/* "rising", "falling", "no_clear_change". Static text. */
const char *model_move_name(enum model_move move);

/* A word needs an interval that excludes 0, q of at most 0.10, a relative change of a tenth, and
 * two of three of the dealers that show the model in both periods, of whom `up` and `down` moved
 * so. */
enum model_move model_judge_move(const struct stats_share_change *shift, double q, size_t up,
                                 size_t down, size_t dealers);

/* Leads against those expected, by the interval of their ratio: a word needs an interval that
 * excludes 1, and q of at most 0.10. For models that were tested. */
enum expected_word model_judge_leads(struct stats_interval ratio, double q);

#endif
