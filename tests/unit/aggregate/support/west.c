/* Fills cohort and members as a resolved cohort would. */
#include "tests/unit/aggregate/support/west.h"

#include <stdio.h>

void west_make(struct cohort *c, struct cohort_member *members, west_texts *texts, size_t n)
{
  *c = (struct cohort){.id = "region:west@v1",
                       .label = "West",
                       .members = members,
                       .n = n,
                       .scope = {"west", "v1", "view", "viewer"}};
  for (size_t i = 0; i < n; i++) {
    snprintf(texts[i][0], sizeof(texts[i][0]), "d%02zu", i);
    snprintf(texts[i][1], sizeof(texts[i][1]), "Dealer %02zu", i);
    snprintf(texts[i][2], sizeof(texts[i][2]), "owner-%02zu", i);
    members[i] = (struct cohort_member){.ref = texts[i][0],
                                        .visible = true,
                                        .dealer_id = texts[i][0],
                                        .name = texts[i][1],
                                        .region = "West",
                                        .owner = texts[i][2],
                                        .lead_event = "",
                                        .qualified_session = "",
                                        .time_zone = "",
                                        .state = DEALER_OK};
  }
}

void west_hide(struct cohort_member *m)
{
  m->visible = false;
  m->dealer_id = m->name = m->region = "";
}
