/* HTML of the pages. */
#include "gateway/connect/page.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "gateway/http/html.h"

/* Generated from style.css. */
extern const unsigned char connect_style[];
extern const size_t connect_style_size;

/* ---------------------------------------------------------------------------- texts */

/* A place to fill in. */
struct place {
  const char *name, *text;
};

/* Words with their {places} filled in; everything is escaped. */
static void put_words(struct page *p, const char *words, const struct place *places, size_t n)
{
  while (*words != '\0') {
    size_t plain = strcspn(words, "{"), len = strcspn(words + plain, "}");
    AUTO_FREE char *before = xstrndup(words, plain);
    html_put(&p->body, before);
    words += plain;
    if (*words == '\0')
      return;
    for (size_t i = 0; i < n; i++)
      if (strlen(places[i].name) == len - 1 && strncmp(places[i].name, words + 1, len - 1) == 0)
        html_put(&p->body, places[i].text);
    words += len + (words[len] == '}');
  }
}

static void put_element(struct page *p, const char *begin, const char *words,
                        const struct place *places, size_t n, const char *end)
{
  buf_puts(&p->body, begin);
  put_words(p, words, places, n);
  buf_puts(&p->body, end);
  buf_putc(&p->body, '\n');
}

static const char *who(const struct page *p)
{
  return p->operator_name != NULL ? p->operator_name : p->words->this_service;
}

/* --------------------------------------------------------------------------- frame */

static void begin(struct page *p, const char *title, const struct place *places, size_t n)
{
  buf_printf(&p->body,
             "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta name=\"robots\" content=\"noindex\">\n",
             p->words->language);
  put_element(p, "<title>", p->words->title, NULL, 0, "</title>");
  buf_printf(&p->body, "<link rel=\"stylesheet\" href=\"%s/style.css\">\n</head>\n<body>\n<main>\n",
             p->base);
  put_element(p, "<h1>", title, places, n, "</h1>");
}

static void end(struct page *p)
{
  buf_puts(&p->body, "</main>\n</body>\n</html>\n");
}

/* The same page in the other languages. */
static void end_with_languages(struct page *p, const char *invite)
{
  buf_puts(&p->body, "</main>\n<nav>\n");
  for (size_t i = 0; i < connect_languages(); i++) {
    const struct connect_words *w = connect_language(i);
    if (w == p->words)
      continue;
    buf_printf(&p->body, "<a href=\"%s?lang=%s&amp;invite=", p->base, w->language);
    html_put(&p->body, invite);
    buf_printf(&p->body, "\" hreflang=\"%s\" lang=\"%s\">%s</a>\n", w->language, w->language,
               w->name);
  }
  buf_puts(&p->body, "</nav>\n</body>\n</html>\n");
}

static void begin_form(struct page *p, const char *action)
{
  buf_printf(&p->body, "<form method=\"post\" action=\"%s/%s\">\n", p->base, action);
}

static void put_hidden(struct page *p, const char *name, const char *value)
{
  buf_printf(&p->body, "<input type=\"hidden\" name=\"%s\" value=\"", name);
  html_put(&p->body, value);
  buf_puts(&p->body, "\">\n");
}

/* Google's mark and button as developers.google.com/identity/branding-guidelines wants them: light
 * theme, standard colours, nothing added. */
static void put_google_button(struct page *p)
{
  buf_puts(
      &p->body,
      "<button class=\"google\"><svg viewBox=\"0 0 48 48\" aria-hidden=\"true\">"
      "<path fill=\"#EA4335\" d=\"M24 9.5c3.54 0 6.71 1.22 9.21 3.6l6.85-6.85C35.9 2.38 30.47 0 "
      "24 0 14.62 0 6.51 5.38 2.56 13.22l7.98 6.19C12.43 13.72 17.74 9.5 24 9.5z\"/>"
      "<path fill=\"#4285F4\" d=\"M46.98 24.55c0-1.57-.15-3.09-.38-4.55H24v9.02h12.94c-.58 "
      "2.96-2.26 5.48-4.78 7.18l7.73 6c4.51-4.18 7.09-10.36 7.09-17.65z\"/>"
      "<path fill=\"#FBBC05\" d=\"M10.53 28.59c-.48-1.45-.76-2.99-.76-4.59s.27-3.14.76-4.59l"
      "-7.98-6.19C.92 16.46 0 20.12 0 24c0 3.88.92 7.54 2.56 10.78l7.97-6.19z\"/>"
      "<path fill=\"#34A853\" d=\"M24 48c6.48 0 11.93-2.13 15.89-5.81l-7.73-6c-2.15 1.45-4.92 "
      "2.3-8.16 2.3-6.26 0-11.57-4.22-13.47-9.91l-7.98 6.19C6.51 42.62 14.62 48 24 48z\"/>"
      "</svg><span>");
  html_put(&p->body, p->words->google_button);
  buf_puts(&p->body, "</span></button>\n");
}

/* --------------------------------------------------------------------------- pages */

static void put_testing(struct page *p, bool testing)
{
  if (testing)
    put_element(p, "<p class=\"note\">", p->words->testing, NULL, 0, "</p>");
}

static void put_terms(struct page *p, const struct place *places, size_t n)
{
  const struct connect_words *w = p->words;
  put_element(p, "<h2>", w->what_title, NULL, 0, "</h2>");
  put_element(p, "<p>", w->what_text, NULL, 0, "</p>");
  put_element(p, "<p>", w->why_text, NULL, 0, "</p>");
  put_element(p, "<h2>", w->stored_title, NULL, 0, "</h2>");
  put_element(p, "<p>", w->stored_text, places, n, "</p>");
  put_element(p, "<h2>", w->withdraw_title, NULL, 0, "</h2>");
  put_element(p, "<p>", w->withdraw_text, places, n, "</p>");
  if (p->privacy_url == NULL)
    return;
  buf_puts(&p->body, "<p><a href=\"");
  html_put(&p->body, p->privacy_url);
  put_element(p, "\">", w->privacy, NULL, 0, "</a></p>");
}

void page_invite(struct page *p, const Analytics__Auth__V1__ShowInviteResponse *shown,
                 const char *invite)
{
  const struct connect_words *w = p->words;
  const struct place places[] = {{"dealer", shown->dealer_name}, {"operator", who(p)}};
  begin(p, shown->renew ? w->renew_title : w->invite_title, places, 2);
  put_element(p, "<p>", shown->renew ? w->renew_lead : w->invite_lead, places, 2, "</p>");
  put_terms(p, places, 2);
  put_testing(p, shown->testing);
  begin_form(p, "start");
  put_hidden(p, "invite", invite);
  put_hidden(p, "lang", w->language);
  put_google_button(p);
  buf_puts(&p->body, "</form>\n");
  put_element(p, "<p class=\"quiet\">", w->google_hint, NULL, 0, "</p>");
  end_with_languages(p, invite);
}

static void put_property(struct page *p, const Analytics__Auth__V1__OfferedProperty *seen,
                         bool chosen, bool choice)
{
  buf_printf(&p->body, "<label class=\"property\"><input type=\"%s\" name=\"property\" value=\"",
             choice ? "radio" : "hidden");
  html_put(&p->body, seen->property_id);
  buf_printf(&p->body, "\"%s%s><span>", choice ? " required" : "", chosen ? " checked" : "");
  html_put(&p->body, seen->name[0] != '\0' ? seen->name : seen->property_id);
  buf_puts(&p->body, "<small>");
  html_put(&p->body, seen->account_name);
  buf_puts(&p->body, seen->account_name[0] != '\0' ? ", " : "");
  html_put(&p->body, seen->property_id);
  buf_puts(&p->body, "</small></span></label>\n");
}

static void put_properties(struct page *p, const Analytics__Auth__V1__ShowConsentResponse *shown,
                           const struct place *places)
{
  bool choice = shown->n_properties > 1;
  buf_puts(&p->body, "<fieldset>\n");
  put_element(p, "<legend>", choice ? p->words->confirm_several : p->words->confirm_one, places, 2,
              "</legend>");
  for (size_t i = 0; i < shown->n_properties; i++)
    put_property(p, shown->properties[i],
                 choice && strcmp(shown->properties[i]->property_id, shown->property_id) == 0,
                 choice);
  buf_puts(&p->body, "</fieldset>\n");
}

static void put_button(struct page *p, const char *kind, const char *words)
{
  buf_printf(&p->body, "<button class=\"%s\">", kind);
  html_put(&p->body, words);
  buf_puts(&p->body, "</button>\n</form>\n");
}

static void page_confirm(struct page *p, const Analytics__Auth__V1__ShowConsentResponse *shown)
{
  const struct connect_words *w = p->words;
  const struct place places[] = {{"dealer", shown->dealer_name},
                                 {"account", shown->google_account}};
  begin(p, w->confirm_title, NULL, 0);
  put_element(p, "<p>", w->confirm_account, places, 2, "</p>");
  begin_form(p, "finish");
  put_properties(p, shown, places);
  put_button(p, "main", w->confirm_button);
  begin_form(p, "again");
  put_button(p, "plain", w->other_account);
  end(p);
}

/* 12,345 with the language's separator. */
static void write_figure(char *out, size_t size, int64_t n, const char *separator)
{
  char digits[24];
  size_t at = 0, len = (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)n);
  out[0] = '\0';
  for (size_t i = 0; i < len && at + 8 < size; i++) {
    if (i > 0 && (len - i) % 3 == 0)
      at += (size_t)snprintf(out + at, size - at, "%s", separator);
    at += (size_t)snprintf(out + at, size - at, "%c", digits[i]);
  }
}

static void page_connected(struct page *p, const Analytics__Auth__V1__ShowConsentResponse *shown)
{
  const struct connect_words *w = p->words;
  char sessions[64], users[64];
  const char *property = shown->property_id;
  write_figure(sessions, sizeof(sessions), shown->sessions, w->group_separator);
  write_figure(users, sizeof(users), shown->active_users, w->group_separator);
  for (size_t i = 0; i < shown->n_properties; i++)
    if (strcmp(shown->properties[i]->property_id, shown->property_id) == 0 &&
        shown->properties[i]->name[0] != '\0')
      property = shown->properties[i]->name;
  const struct place places[] = {{"dealer", shown->dealer_name},
                                 {"property", property},
                                 {"sessions", sessions},
                                 {"users", users}};
  begin(p, w->connected_title, places, 4);
  put_element(p, "<p>", w->connected_text, places, 4, "</p>");
  put_element(p, shown->has_figures ? "<p class=\"figures\">" : "<p>",
              shown->has_figures ? w->connected_figures : w->connected_no_figures, places, 4,
              "</p>");
  put_testing(p, shown->testing);
  put_element(p, "<p class=\"quiet\">", w->close_window, NULL, 0, "</p>");
  end(p);
}

void page_consent(struct page *p, const Analytics__Auth__V1__ShowConsentResponse *shown)
{
  switch (shown->stage) {
  case ANALYTICS__AUTH__V1__CONSENT_STAGE__CONSENT_STAGE_CONNECTED:
    page_connected(p, shown);
    return;
  case ANALYTICS__AUTH__V1__CONSENT_STAGE__CONSENT_STAGE_CONSENTED:
    page_confirm(p, shown);
    return;
  default:
    page_error(p, "interrupted", true);
  }
}

void page_error(struct page *p, const char *reason, bool again)
{
  const struct error_words *words = connect_error_words(p->words, reason);
  begin(p, words->title, NULL, 0);
  put_element(p, "<p>", words->text, NULL, 0, "</p>");
  if (again) {
    begin_form(p, "again");
    put_button(p, "main", p->words->again_button);
  }
  end(p);
}

/* ------------------------------------------------------------------------- headers */

/* No script, nothing from elsewhere, no frame around it, and no address of ours for the next site
 * (no-store and nosniff are the listener's for every answer). form-action counts for the redirect
 * of a form's answer, too, so Google's consent screen must be in it. */
static void add_headers(struct exchange *x, const char *form_origin)
{
  AUTO_BUF struct buf policy = BUF_INIT(2048);
  buf_printf(&policy,
             "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'%s%s; "
             "base-uri 'none'; frame-ancestors 'none'",
             form_origin != NULL ? " " : "", form_origin != NULL ? form_origin : "");
  exchange_add_header(x, "Content-Security-Policy", buf_str(&policy));
  exchange_add_header(x, "X-Frame-Options", "DENY");
  exchange_add_header(x, "Referrer-Policy", "no-referrer");
  exchange_add_header(x, "Cross-Origin-Opener-Policy", "same-origin");
  exchange_add_header(x, "Cross-Origin-Resource-Policy", "same-origin");
  exchange_add_header(x, "Strict-Transport-Security", "max-age=31536000");
}

void page_send(struct page *p, struct exchange *x, int status, const char *form_origin)
{
  add_headers(x, form_origin);
  exchange_add_header(x, "Content-Language", p->words->language);
  exchange_reply(x, status, "text/html; charset=utf-8", &p->body);
}

void page_redirect(struct exchange *x, const char *location, const char *cookie,
                   const char *form_origin)
{
  add_headers(x, form_origin);
  if (cookie != NULL)
    exchange_add_header(x, "Set-Cookie", cookie);
  exchange_add_header(x, "Location", location);
  exchange_reply(x, 303, NULL, NULL);
}

void page_send_style(struct exchange *x)
{
  struct buf body = BUF_INIT(PAGE_MAX);
  buf_append(&body, connect_style, connect_style_size);
  add_headers(x, NULL);
  exchange_reply(x, 200, "text/css; charset=utf-8", &body);
}
