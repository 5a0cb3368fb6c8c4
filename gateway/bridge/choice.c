/* An argument that may mean several things.
 *
 * What it may mean is in the details of the failure (proto/analytics/error), whoever found it:
 * auth-svc for dealers and regions, always of the caller's own grant, or the reading of the
 * arguments for days. The answer is named by where the argument stands, "date_range_start_date", so
 * that it finds its place again in the arguments as the client sends them, and then passes through
 * the same checks as any argument. */
#include "gateway/bridge/choice.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/ambiguity.h"
#include "gateway/arguments/text.h"

enum { CHOICES_MAX = 8, KEY_SIZE = 80, DEPTH_MAX = 6 };

/* A text among the arguments. */
struct place {
  char key[KEY_SIZE];
  cJSON *text;
};

typedef bool visit(void *arg, const struct place *place);

/* What is asked about one kind of thing, and the part of a key that such arguments have. */
static const struct {
  const char *what, *hint;
} kinds[] = {[ANALYTICS__ERROR__V1__KIND__KIND_UNSPECIFIED] = {"What", ""},
             [ANALYTICS__ERROR__V1__KIND__DEALER] = {"Which dealer", "dealer"},
             [ANALYTICS__ERROR__V1__KIND__REGION] = {"Which region", "region"},
             [ANALYTICS__ERROR__V1__KIND__DAY] = {"Which day", "date"}};

/* a-z, 0-9 and _ alone: it names a field of a form. A list of one text has the name of the list. */
static void make_key(char out[KEY_SIZE], const char *before, const cJSON *item, size_t index)
{
  char number[24];
  snprintf(number, sizeof(number), "%zu", index);
  const char *name = item->string != NULL ? item->string : index > 0 ? number : "";
  snprintf(out, KEY_SIZE, "%s%s%s", before, before[0] != '\0' && name[0] != '\0' ? "_" : "", name);
  for (char *s = out; *s != '\0'; s++)
    *s = isalnum((unsigned char)*s) ? (char)tolower((unsigned char)*s) : '_';
}

/* Gives each text of an object or a list to fn, until it returns false. */
static bool each_text(cJSON *node, const char *key, unsigned depth, visit *fn, void *arg)
{
  cJSON *item;
  size_t index = 0;
  bool go = depth < DEPTH_MAX;
  for (item = node->child; go && item != NULL; item = item->next) {
    struct place place = {.text = item};
    make_key(place.key, key, item, index++);
    go = cJSON_IsString(item) ? fn(arg, &place) : each_text(item, place.key, depth + 1, fn, arg);
  }
  return go || depth >= DEPTH_MAX;
}

struct search {
  const char *asked, *hint;
  struct place found;
};

/* One whose name says what is looked for comes before others. */
static bool look(void *arg, const struct place *place)
{
  struct search *s = arg;
  bool hinted = strstr(place->key, s->hint) != NULL;
  if (text_same(place->text->valuestring, s->asked) && (s->found.text == NULL || hinted))
    s->found = *place;
  return s->found.text == NULL || strstr(s->found.key, s->hint) == NULL;
}

static void ask(struct mcp_call *call, const char *key, const Analytics__Error__V1__Ambiguity *a)
{
  char message[256];
  struct mcp_choice choices[CHOICES_MAX];
  size_t n = 0;
  for (; n < a->n_candidates && n < CHOICES_MAX; n++)
    choices[n] = (struct mcp_choice){a->candidates[n]->value, a->candidates[n]->title};
  snprintf(message, sizeof(message), "%s is meant by \"%.100s\"?%s", kinds[a->kind].what, a->asked,
           a->more ? " There are more than these." : "");
  mcp_call_ask(
      call, &(struct mcp_question){.key = key, .message = message, .choices = choices, .n = n}, 1);
}

bool choice_ask(struct mcp_call *call, cJSON *given, const struct err *failure)
{
  Analytics__Error__V1__Ambiguity *a =
      given != NULL && mcp_call_may_ask(call) ? ambiguity_get(failure) : NULL;
  const char *value;
  if (a == NULL)
    return false;
  if ((unsigned)a->kind >= ARRAY_LEN(kinds))
    a->kind = ANALYTICS__ERROR__V1__KIND__KIND_UNSPECIFIED;
  struct search s = {.asked = a->asked, .hint = kinds[a->kind].hint};
  each_text(given, "", 0, look, &s);
  bool asks = s.found.text != NULL && mcp_call_answer(call, s.found.key, &value) == MCP_NO_ANSWER;
  if (asks)
    ask(call, s.found.key, a);
  analytics__error__v1__ambiguity__free_unpacked(a, NULL);
  return asks;
}

struct answers {
  const struct mcp_call *call;
  struct err *e;
};

static bool put_answer(void *arg, const struct place *place)
{
  const struct answers *answers = arg;
  const char *value;
  switch (mcp_call_answer(answers->call, place->key, &value)) {
  case MCP_ANSWERED:
    return cJSON_SetValuestring(place->text, value) != NULL;
  case MCP_DECLINED:
    err_set(answers->e, ERR_INVALID_ARGUMENT, "not_chosen",
            "%s: \"%.100s\" may mean several, and none of them was chosen: give the one that is "
            "meant",
            place->key, place->text->valuestring);
    return false;
  default:
    return true;
  }
}

bool choice_apply(const struct mcp_call *call, cJSON *arguments, struct err *e)
{
  struct answers answers = {call, e};
  return !mcp_call_has_answers(call) || each_text(arguments, "", 0, put_answer, &answers);
}
