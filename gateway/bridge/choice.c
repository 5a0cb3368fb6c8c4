/* A dealer's name that several dealers fit.
 *
 * The failure comes from auth-svc as one text, which is also what other callers read:
 *   dealer_id: "ford" fits 2 dealers: "d01" Ford of Reno, "d07" Ford of Waco; give one dealer_id
 * It names dealers of the caller's own grant only. */
#include "gateway/bridge/choice.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

enum { CHOICES_MAX = 8, TEXT_MAX = 1024 };

struct parsed {
  char text[TEXT_MAX]; /* cut into pieces */
  const char *asked;
  struct mcp_choice choices[CHOICES_MAX];
  size_t n;
};

/* Cuts the text after `"value"` at *s and moves on behind it; NULL when there is no such thing. */
static const char *take_quoted(char **s)
{
  char *from = **s == '"' ? *s + 1 : NULL;
  char *to = from != NULL ? strchr(from, '"') : NULL;
  if (to == NULL)
    return NULL;
  *to = '\0';
  *s = to + 1;
  return from;
}

/* "d01" Ford of Reno, "d07" Ford of Waco */
static void take_choices(struct parsed *p, char *s)
{
  while (s != NULL && p->n < CHOICES_MAX) {
    const char *value = take_quoted(&s);
    if (value == NULL || *s != ' ')
      return;
    char *title = s + 1;
    s = strstr(title, ", \"");
    if (s != NULL) {
      *s = '\0';
      s += 2;
    }
    p->choices[p->n++] = (struct mcp_choice){value, title};
  }
}

static bool parse(struct parsed *p, const char *message)
{
  static const char before[] = " dealers: ";
  *p = (struct parsed){0};
  if (snprintf(p->text, sizeof(p->text), "%s", message) >= (int)sizeof(p->text))
    return false;
  char *asked = strchr(p->text, '"');
  char *list = strstr(p->text, before);
  char *end = strrchr(p->text, ';');
  if (asked == NULL || list == NULL || end == NULL || end < list || list < asked)
    return false;
  *end = '\0';
  if (end - p->text > 5 && strcmp(end - 5, ", ...") == 0)
    end[-5] = '\0';
  p->asked = take_quoted(&asked);
  take_choices(p, list + sizeof(before) - 1);
  return p->asked != NULL && p->n > 1;
}

/* An argument of one text, or a list of one. */
static cJSON *text_of(const cJSON *member)
{
  cJSON *item = cJSON_IsArray(member) && cJSON_GetArraySize(member) == 1
                    ? cJSON_GetArrayItem(member, 0)
                    : NULL;
  if (cJSON_IsString(item))
    return item;
  cJSON *own;
  memcpy(&own, &member, sizeof(own)); /* as const as its parent is */
  return cJSON_IsString(member) ? own : NULL;
}

bool choice_ask(struct mcp_call *call, const cJSON *arguments, const struct err *failure)
{
  struct parsed p;
  const cJSON *member, *found = NULL;
  char message[256];
  if (strcmp(failure->reason, "several_dealers") != 0 || !mcp_call_may_ask(call) ||
      !parse(&p, failure->message))
    return false;
  cJSON_ArrayForEach(member, arguments)
  {
    const cJSON *text = text_of(member);
    if (text != NULL && strcmp(text->valuestring, p.asked) == 0)
      found = member;
  }
  const char *value;
  if (found == NULL || mcp_call_answer(call, found->string, &value) != MCP_NO_ANSWER)
    return false; /* nobody is asked the same twice */
  snprintf(message, sizeof(message), "Which dealer is meant by \"%.100s\"?", p.asked);
  mcp_call_ask(call,
               &(struct mcp_question){
                   .key = found->string, .message = message, .choices = p.choices, .n = p.n},
               1);
  return true;
}

bool choice_apply(const struct mcp_call *call, cJSON *arguments, struct err *e)
{
  cJSON *member;
  cJSON_ArrayForEach(member, arguments)
  {
    const char *value;
    cJSON *text = text_of(member);
    enum mcp_answer answer =
        text != NULL ? mcp_call_answer(call, member->string, &value) : MCP_NO_ANSWER;
    if (answer == MCP_DECLINED) {
      err_set(e, ERR_INVALID_ARGUMENT, "not_chosen",
              "%s: several fit, and none of them was chosen: give one id", member->string);
      return false;
    }
    if (answer == MCP_ANSWERED)
      cJSON_SetValuestring(text, value);
  }
  return true;
}
