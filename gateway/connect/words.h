/* The words of the pages, a file for each language (words_en.c is the one to translate).
 *
 * {dealer}, {account}, {operator} and the like are replaced; what replaces them is text, never
 * HTML. Another language is one more file and one more row of words.c. */
#ifndef AMCP_GATEWAY_CONNECT_WORDS_H
#define AMCP_GATEWAY_CONNECT_WORDS_H

#include <stddef.h>

/* What went wrong, by the reason of the error, and what the person can do. */
struct error_words {
  const char *reason, *title, *text;
};

struct connect_words {
  const char *language;        /* "en" */
  const char *name;            /* "English": in its own language */
  const char *group_separator; /* of figures: "12,345" */
  const char *title;           /* of the window */
  const char *invite_title, *renew_title, *invite_lead, *renew_lead;
  const char *what_title, *what_text, *why_text, *stored_title, *stored_text, *withdraw_title,
      *withdraw_text, *privacy, *testing;
  const char *google_button, *google_hint;
  const char *confirm_title, *confirm_account, *confirm_one, *confirm_several, *confirm_button,
      *other_account;
  const char *connected_title, *connected_text, *connected_figures, *connected_no_figures,
      *close_window;
  const char *again_button, *this_service;
  const struct error_words *errors;
  size_t n_errors;
};

extern const struct connect_words connect_words_en, connect_words_fr;

/* The language of a tag ("fr", "fr-CA") or of a list as of Accept-Language, the first that is
 * known; English otherwise. NULL is fine. */
const struct connect_words *connect_words_of(const char *languages);
size_t connect_languages(void);
const struct connect_words *connect_language(size_t i);
/* The words of an error; those of "unavailable" for a reason that has none. */
const struct error_words *connect_error_words(const struct connect_words *w, const char *reason);

#endif
