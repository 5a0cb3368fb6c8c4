/* The names of channels: https://support.google.com/analytics/answer/9756891. */
#include "aggregate-svc/figures/channels.h"

#include "common/base/codec.h"

const char channel_dimension[] = "sessionDefaultChannelGroup";

static const char *const names[CHANNELS] = {
    "Direct",        "Organic Search",
    "Paid Search",   "Organic Social",
    "Paid Social",   "Organic Video",
    "Paid Video",    "Organic Shopping",
    "Paid Shopping", "Cross-network",
    "Display",       "Paid Other",
    "Referral",      "Email",
    "Affiliates",    "Audio",
    "SMS",           "Mobile Push Notifications",
    "AI Assistant",  "Unassigned",
    "(other)",
};

size_t channel_find(const char *name)
{
  return text_find(names, CHANNELS - 1, name);
}

const char *channel_name(size_t channel)
{
  return names[channel];
}
