/* Whether the options of a tool's output make an answer that shows everything. */
#ifndef AMCP_CATALOG_PLUGIN_CHECK_ANSWER_H
#define AMCP_CATALOG_PLUGIN_CHECK_ANSWER_H

#include "gateway/catalog/plugin/model.h"

/* Notes every mistake in model->problems: parts on fields of another type or elsewhere than in the
 * result itself, names of columns that the result does not have, and lists inside rows that no
 * column could hold (gateway/answer would leave them out). */
void check_answer(struct model *model, const struct message_info *result);

#endif
