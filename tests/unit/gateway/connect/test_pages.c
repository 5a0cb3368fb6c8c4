/* The words of every language, that nothing but words becomes HTML, and what is read of a browser.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "gateway/connect/connect.h"
#include "gateway/connect/fields.h"
#include "gateway/connect/page.h"
#include "tests/unit/harness.h"

/* Every reason that a page may show: those of ConnectService, and the gateway's own. */
static const char *const reasons[] = {
    "invite_over",       "session_over",   "interrupted",      "wrong_browser",
    "wrong_issuer",      "declined",       "admin_policy",     "scope_missing",
    "no_analytics",      "google_refused", "bad_id_token",     "no_refresh_token",
    "google_slow",       "property_taken", "property_unknown", "state_unwritable",
    "state_full",        "dealer_taken",   "not_live",         "too_many_tries",
    "too_many_requests", "cross_site",     "not_found",        "unavailable",
    "state_unavailable"};

/* A body that says nothing from its second byte on was wiped beyond its copy once. */
static void a_form_may_hold_any_byte_anywhere(void)
{
  char body[4096] = "a";
  struct fields f = {0};
  memcpy(body + 2000, "&lang=fr&code=%00&state=b%2", 27);
  memcpy(body + sizeof(body) - 9, "&invite=x", 9); /* to the very last byte */
  fields_read_form(&f, body, sizeof(body));
  CU_ASSERT_STRING_EQUAL(f.lang, "fr");
  CU_ASSERT_STRING_EQUAL(f.code, "");
  CU_ASSERT_STRING_EQUAL(f.invite, "x");
  CU_ASSERT_STRING_EQUAL(f.state, ""); /* NULs follow */
  fields_read_form(&f, "state=b%2", 9);
  CU_ASSERT_STRING_EQUAL(f.state, "b%2");
}

static void only_our_cookie_is_a_session(void)
{
  char session[CONNECT_SESSION_MAX], header[256];
  CU_ASSERT_STRING_EQUAL(fields_read_cookie("a=b; __Host-connect=s1.fr; c=d", session), "fr; c=d");
  CU_ASSERT_STRING_EQUAL(session, "s1");
  CU_ASSERT_PTR_NULL(fields_read_cookie("x__Host-connect=s1.fr", session));
  CU_ASSERT_STRING_EQUAL(session, "");
  CU_ASSERT_PTR_NULL(fields_read_cookie(NULL, session));
  snprintf(header, sizeof(header), "__Host-connect=%0100d", 0); /* longer than one of ours */
  CU_ASSERT_PTR_NULL(fields_read_cookie(header, session));
  CU_ASSERT_STRING_EQUAL(session, "");
}

static void every_language_has_words_for_every_error(void)
{
  for (size_t i = 0; i < connect_languages(); i++) {
    const struct connect_words *w = connect_language(i);
    CU_ASSERT_EQUAL(w->n_errors, ARRAY_LEN(reasons));
    for (size_t k = 0; k < ARRAY_LEN(reasons); k++) {
      const struct error_words *words = connect_error_words(w, reasons[k]);
      CU_ASSERT_STRING_EQUAL(words->reason, reasons[k]);
      CU_ASSERT_TRUE(words->title[0] != '\0' && strlen(words->text) > 20);
    }
    CU_ASSERT_STRING_EQUAL(connect_error_words(w, "never heard of")->reason, "unavailable");
  }
}

/* Words are the texts of the struct between `language` and `errors`. */
static const char *const *texts(const struct connect_words *w, size_t *n)
{
  *n = offsetof(struct connect_words, errors) / sizeof(const char *);
  return &w->language;
}

static size_t count_places(const char *text, const char *place)
{
  size_t n = 0;
  while ((text = strstr(text, place)) != NULL) {
    n++;
    text++;
  }
  return n;
}

static void every_language_fills_in_the_same_places(void)
{
  static const char *const places[] = {"{dealer}",   "{operator}", "{account}", "{property}",
                                       "{sessions}", "{users}",    "{"};
  size_t n;
  const char *const *english = texts(&connect_words_en, &n);
  for (size_t l = 0; l < connect_languages(); l++) {
    const char *const *other = texts(connect_language(l), &n);
    for (size_t i = 0; i < n; i++) {
      CU_ASSERT_PTR_NOT_NULL_FATAL(other[i]);
      CU_ASSERT_TRUE(other[i][0] != '\0');
      for (size_t k = 0; k < ARRAY_LEN(places); k++)
        CU_ASSERT_EQUAL(count_places(other[i], places[k]), count_places(english[i], places[k]));
    }
  }
}

static void the_language_is_the_first_that_is_known(void)
{
  static const struct {
    const char *list, *language;
  } cases[] = {{NULL, "en"},
               {"", "en"},
               {"fr", "fr"},
               {"fr-CA,fr;q=0.9,en;q=0.8", "fr"},
               {"de, FR;q=0.5", "fr"},
               {"en-US,en;q=0.9,fr;q=0.8", "en"},
               {"fry", "en"},
               {",,;q=1,  fr", "fr"},
               {"*", "en"}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    CU_ASSERT_STRING_EQUAL(connect_words_of(cases[i].list)->language, cases[i].language);
}

#define HOSTILE "</h1><script>x</script>\"'&{operator}"

static void check_harmless(struct page *p)
{
  CU_ASSERT_FALSE(p->body.failed);
  CU_ASSERT_PTR_NULL(strstr(buf_str(&p->body), "<script"));
  CU_ASSERT_PTR_NULL(strstr(buf_str(&p->body), "</h1><"));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&p->body), "&lt;/h1&gt;&lt;script&gt;x&lt;/script&gt;"
                                                   "&quot;&#39;&amp;{operator}"));
  buf_free(&p->body);
}

static struct page new_page(void)
{
  return (struct page){.words = &connect_words_en,
                       .base = "/connect",
                       .operator_name = "Agency",
                       .body = BUF_INIT(PAGE_MAX)};
}

static void names_are_text_whatever_they_hold(void)
{
  char hostile[] = HOSTILE, empty[] = "";
  struct page p = new_page();
  Analytics__Auth__V1__ShowInviteResponse invite = ANALYTICS__AUTH__V1__SHOW_INVITE_RESPONSE__INIT;
  invite.dealer_name = hostile;
  page_invite(&p, &invite, HOSTILE);
  check_harmless(&p);
  Analytics__Auth__V1__OfferedProperty seen = ANALYTICS__AUTH__V1__OFFERED_PROPERTY__INIT,
                                       *list = &seen;
  seen.property_id = seen.name = seen.account_name = hostile;
  Analytics__Auth__V1__ShowConsentResponse shown = ANALYTICS__AUTH__V1__SHOW_CONSENT_RESPONSE__INIT;
  shown.properties = &list;
  shown.n_properties = 1;
  shown.dealer_name = shown.google_account = hostile;
  shown.property_id = empty;
  shown.stage = ANALYTICS__AUTH__V1__CONSENT_STAGE__CONSENT_STAGE_CONSENTED;
  p = new_page();
  page_consent(&p, &shown);
  check_harmless(&p);
  shown.stage = ANALYTICS__AUTH__V1__CONSENT_STAGE__CONSENT_STAGE_CONNECTED;
  shown.has_figures = true;
  shown.sessions = 1234567;
  p = new_page();
  page_consent(&p, &shown);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&p.body), "1,234,567 sessions, 0 active users"));
  check_harmless(&p);
}

static void only_an_answer_that_says_so_is_shown_as_connected(void)
{
  Analytics__Auth__V1__ShowConsentResponse shown = ANALYTICS__AUTH__V1__SHOW_CONSENT_RESPONSE__INIT;
  for (int stage = 0; stage < 3; stage++) {
    struct page p = new_page();
    shown.stage = (Analytics__Auth__V1__ConsentStage)stage;
    page_consent(&p, &shown);
    CU_ASSERT_PTR_NULL(strstr(buf_str(&p.body), "is connected"));
    buf_free(&p.body);
  }
}

static void a_url_that_cannot_serve_is_refused(void)
{
  static const char *const bad[] = {"",
                                    "analytics.example.com/connect",
                                    "http://analytics.example.com/connect",
                                    "https://analytics.example.com/",
                                    "https://analytics.example.com/connect/",
                                    "https://analytics.example.com/connect?x",
                                    "https://user@analytics.example.com/connect",
                                    "https:///connect",
                                    "https://a.example/con;nect/connect"};
  static const char *const good[] = {"https://analytics.example.com/connect",
                                     "https://analytics.example.com:8443/analytics/connect",
                                     "http://127.0.0.1:3334/connect", "http://localhost/connect"};
  struct connect *c = NULL;
  struct connect_options o = {.authorization = "https://accounts.google.com/o/oauth2/v2/auth"};
  struct err e = {0};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    o.url = bad[i];
    CU_ASSERT_EQUAL(connect_new(&c, &o, &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "CONNECT_URL"));
  }
  for (size_t i = 0; i < ARRAY_LEN(good); i++) {
    o.url = good[i];
    CU_ASSERT_EQUAL(connect_new(&c, &o, &e), ERR_OK);
    connect_free(c);
  }
  o.url = good[0];
  o.authorization = "https://accounts.google.com; script-src *";
  CU_ASSERT_EQUAL(connect_new(&c, &o, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "CONNECT_AUTHORIZATION_ENDPOINT"));
  o.url = NULL;
  CU_ASSERT_EQUAL(connect_new(&c, &o, &e), ERR_OK);
  CU_ASSERT_PTR_NULL(c);
}

TEST_MAIN("gateway_connect_pages", TEST(a_form_may_hold_any_byte_anywhere),
          TEST(only_our_cookie_is_a_session), TEST(every_language_has_words_for_every_error),
          TEST(every_language_fills_in_the_same_places),
          TEST(the_language_is_the_first_that_is_known), TEST(names_are_text_whatever_they_hold),
          TEST(only_an_answer_that_says_so_is_shown_as_connected),
          TEST(a_url_that_cannot_serve_is_refused))
