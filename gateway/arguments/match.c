/* The words for comparisons in filters: Google's, those of query languages, and signs. */
#include "gateway/arguments/match.h"

#include <string.h>

#include "common/base/mem.h"
#include "gateway/arguments/text.h"

static const struct match matches[] = {
    {"exact", MATCH_TEXT, "EXACT", false},
    {"beginswith", MATCH_TEXT, "BEGINS_WITH", false},
    {"startswith", MATCH_TEXT, "BEGINS_WITH", false},
    {"prefix", MATCH_TEXT, "BEGINS_WITH", false},
    {"endswith", MATCH_TEXT, "ENDS_WITH", false},
    {"suffix", MATCH_TEXT, "ENDS_WITH", false},
    {"contains", MATCH_TEXT, "CONTAINS", false},
    {"includes", MATCH_TEXT, "CONTAINS", false},
    {"notcontains", MATCH_TEXT, "CONTAINS", true},
    {"doesnotcontain", MATCH_TEXT, "CONTAINS", true},
    {"notbeginswith", MATCH_TEXT, "BEGINS_WITH", true},
    {"notendswith", MATCH_TEXT, "ENDS_WITH", true},
    {"fullregexp", MATCH_TEXT, "FULL_REGEXP", false},
    {"fullregex", MATCH_TEXT, "FULL_REGEXP", false},
    {"partialregexp", MATCH_TEXT, "PARTIAL_REGEXP", false},
    {"partialregex", MATCH_TEXT, "PARTIAL_REGEXP", false},
    {"equal", MATCH_EQUAL, "EQUAL", false},
    {"equals", MATCH_EQUAL, "EQUAL", false},
    {"eq", MATCH_EQUAL, "EQUAL", false},
    {"is", MATCH_EQUAL, "EQUAL", false},
    {"=", MATCH_EQUAL, "EQUAL", false},
    {"==", MATCH_EQUAL, "EQUAL", false},
    {"notequal", MATCH_EQUAL, "EQUAL", true},
    {"notequals", MATCH_EQUAL, "EQUAL", true},
    {"doesnotequal", MATCH_EQUAL, "EQUAL", true},
    {"isnot", MATCH_EQUAL, "EQUAL", true},
    {"ne", MATCH_EQUAL, "EQUAL", true},
    {"neq", MATCH_EQUAL, "EQUAL", true},
    {"!=", MATCH_EQUAL, "EQUAL", true},
    {"<>", MATCH_EQUAL, "EQUAL", true},
    {"in", MATCH_LIST, NULL, false},
    {"inlist", MATCH_LIST, NULL, false},
    {"oneof", MATCH_LIST, NULL, false},
    {"notin", MATCH_LIST, NULL, true},
    {"notinlist", MATCH_LIST, NULL, true},
    {"lessthan", MATCH_NUMBER, "LESS_THAN", false},
    {"lt", MATCH_NUMBER, "LESS_THAN", false},
    {"<", MATCH_NUMBER, "LESS_THAN", false},
    {"lessthanorequal", MATCH_NUMBER, "LESS_THAN_OR_EQUAL", false},
    {"lessthanorequalto", MATCH_NUMBER, "LESS_THAN_OR_EQUAL", false},
    {"lte", MATCH_NUMBER, "LESS_THAN_OR_EQUAL", false},
    {"le", MATCH_NUMBER, "LESS_THAN_OR_EQUAL", false},
    {"<=", MATCH_NUMBER, "LESS_THAN_OR_EQUAL", false},
    {"greaterthan", MATCH_NUMBER, "GREATER_THAN", false},
    {"gt", MATCH_NUMBER, "GREATER_THAN", false},
    {">", MATCH_NUMBER, "GREATER_THAN", false},
    {"greaterthanorequal", MATCH_NUMBER, "GREATER_THAN_OR_EQUAL", false},
    {"greaterthanorequalto", MATCH_NUMBER, "GREATER_THAN_OR_EQUAL", false},
    {"gte", MATCH_NUMBER, "GREATER_THAN_OR_EQUAL", false},
    {"ge", MATCH_NUMBER, "GREATER_THAN_OR_EQUAL", false},
    {">=", MATCH_NUMBER, "GREATER_THAN_OR_EQUAL", false},
    {"between", MATCH_BETWEEN, NULL, false},
    {"empty", MATCH_EMPTY, NULL, false},
    {"isempty", MATCH_EMPTY, NULL, false},
    {"notempty", MATCH_EMPTY, NULL, true},
    {"isnotempty", MATCH_EMPTY, NULL, true},
};

const struct match *match_find(const char *text)
{
  char folded[FOLD_SIZE];
  text_fold(folded, text);
  const char *word = folded[0] != '\0' ? folded : text;
  for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
    if (strcmp(matches[i].word, word) == 0)
      return &matches[i];
  }
  return NULL;
}

bool match_is_open_regexp(const char *text)
{
  static const char *const words[] = {"regex", "regexp", "matches", "matchesregex",
                                      "matchesregexp"};
  char folded[FOLD_SIZE];
  text_fold(folded, text);
  for (size_t i = 0; i < ARRAY_LEN(words); i++) {
    if (strcmp(folded, words[i]) == 0)
      return true;
  }
  return false;
}
