/* Inside the room: texts as assistants send them. */
#ifndef AMCP_GATEWAY_ARGUMENTS_TEXT_H
#define AMCP_GATEWAY_ARGUMENTS_TEXT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum { FOLD_SIZE = 80 };

/* A copy without zero-width and direction marks, with full-width ASCII as ASCII, every kind of
 * blank as one blank, none at the ends and none doubled. Freed with free(). */
char *text_clean(const char *s);

/* ASCII letters in lower case and digits alone, cut at FOLD_SIZE: "ga:Page Views" is "gapageviews".
 * Other bytes are kept, so that names in other scripts do not become equal. */
void text_fold(char out[FOLD_SIZE], const char *s);
/* Whether two names are equal but for letter case, underscores, hyphens and blanks. */
bool text_same(const char *a, const char *b);

/* Whether a value says that it is not there: null, empty text, or the word null, none or
 * undefined; or a list of one or more such values. */
bool value_is_absent(const cJSON *value);

/* Replaces the text of a JSON string; `text` is taken over. */
void value_set_text(cJSON *value, char *text);
/* Replaces the text of a JSON string by text_clean() of it. */
void value_clean(cJSON *value);
/* Renames a member of an object. */
void value_set_name(cJSON *member, const char *name);
/* A new value with the content of this one, which is null then. */
cJSON *value_take(cJSON *value);
/* Takes the content of `other` (deleted) into the value, which keeps its name and place. */
void value_become(cJSON *value, cJSON *other);

#endif
