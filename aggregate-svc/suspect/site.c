/* Finds what is odd in how a site counts: leads that fire twice, key events, self-referral. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aggregate-svc/stats/stats.h"
#include "aggregate-svc/suspect/suspect.h"
#include "common/base/mem.h"

/* Of so many sessions with a lead the ratio speaks for itself; of fewer, down to so many, it must
 * be beyond what chance makes of sites where one lead in ten comes twice. */
enum { DUPLICATES_MIN_SESSIONS = 30, DUPLICATES_FEW_SESSIONS = 15 };

#define DUPLICATES_RATIO 1.3
#define DUPLICATES_ORDINARY 0.1
#define DUPLICATES_P 0.001
#define SELF_REFERRAL_SHARE 0.02
#define KEY_EVENT_SHARE 0.03

const enum suspect_code suspect_by_harm[SUSPECT_CODES] = {
    SUSPECT_TRAFFIC,    SUSPECT_LATE_START, SUSPECT_GAP,          SUSPECT_SHIFT,
    SUSPECT_DUPLICATES, SUSPECT_KEY_EVENTS, SUSPECT_SELF_REFERRAL};

unsigned suspect_effects(const struct suspect_findings *f)
{
  unsigned effects = 0;
  for (size_t i = 0; i < SUSPECT_CODES; i++)
    if (f->of[i].found)
      effects |= f->of[i].effects;
  return effects;
}

struct suspect_finding suspect_duplicates(int64_t lead_events, int64_t lead_sessions)
{
  struct suspect_finding f = {.effects = EFFECT_LEADS_BY_SESSION};
  if (lead_sessions < DUPLICATES_FEW_SESSIONS)
    return f;
  f.amount = (double)lead_events / (double)lead_sessions;
  f.found = f.amount > DUPLICATES_RATIO &&
            (lead_sessions >= DUPLICATES_MIN_SESSIONS ||
             stats_poisson_above(lead_events - lead_sessions,
                                 DUPLICATES_ORDINARY * (double)lead_sessions) < DUPLICATES_P);
  return f;
}

struct suspect_finding suspect_key_events(uint64_t own, uint64_t usual)
{
  return (struct suspect_finding){.found = own != usual, .effects = EFFECT_ENGAGEMENT_APART};
}

bool suspect_is_frequent(int64_t sessions_with_event, int64_t sessions)
{
  return sessions > 0 && (double)sessions_with_event >= KEY_EVENT_SHARE * (double)sessions;
}

/* FNV-1a of each name, added: the same on every machine, in any order. */
uint64_t suspect_signature_add(uint64_t signature, const char *event)
{
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (; *event != '\0'; event++)
    h = (h ^ (unsigned char)*event) * UINT64_C(0x100000001b3);
  return signature + h;
}

struct suspect_finding suspect_self_referral(int64_t from_self, int64_t sessions)
{
  struct suspect_finding f = {.effects = EFFECT_FOLD_SOURCE};
  if (sessions <= 0)
    return f;
  f.amount = (double)from_self / (double)sessions;
  f.found = f.amount >= SELF_REFERRAL_SHARE;
  return f;
}

/* ------------------------------------------------------------------------------ hosts */

static const char *without_www(const char *host)
{
  return strncasecmp(host, "www.", 4) == 0 ? host + 4 : host;
}

/* Whether a host is `domain` or a name below it. */
static bool is_below(const char *host, const char *domain)
{
  size_t n = strlen(host), m = strlen(domain);
  return m > 0 && n >= m && strcasecmp(host + n - m, domain) == 0 &&
         (n == m || host[n - m - 1] == '.');
}

static bool is_host(const char *s)
{
  return strchr(s, '.') != NULL && s[0] != '(';
}

bool suspect_same_site(const char *source, const char *host)
{
  source = without_www(source);
  host = without_www(host);
  return is_host(source) && is_host(host) && (is_below(source, host) || is_below(host, source));
}

bool suspect_tool_host(const char *source)
{
  static const char *const tools[] = {
      "routeone.net", "dealertrack.com", "700credit.com",    "700dealer.com",  "cudl.com",
      "roadster.com", "carsaver.com",    "carnow.com",       "gubagoo.io",     "autofi.com",
      "xtime.com",    "mykaarma.com",    "dealercenter.net", "accu-trade.com", "tradepending.com",
  };
  source = without_www(source);
  for (size_t i = 0; i < ARRAY_LEN(tools); i++)
    if (is_below(source, tools[i]))
      return true;
  return false;
}
