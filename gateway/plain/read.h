/* The arguments of a plain call, as they stand in its query or its body. */
#ifndef AMCP_GATEWAY_PLAIN_READ_H
#define AMCP_GATEWAY_PLAIN_READ_H

#include <cjson/cJSON.h>

#include "common/base/error.h"
#include "gateway/http/listener.h"

/* An object, freed with cJSON_Delete(): every value a text, a list of texts where a name comes
 * again. NULL with ERR_INVALID_ARGUMENT when something is not UTF-8 or a name is empty. */
cJSON *read_query(const struct exchange *x, struct err *e);
/* The JSON object of a body; {} for an empty one. NULL with ERR_INVALID_ARGUMENT when it is
 * anything else, or when the query holds arguments too. */
cJSON *read_body(const struct exchange *x, const char *body, size_t len, struct err *e);

#endif
