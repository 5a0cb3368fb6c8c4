/* English. */
#include "common/base/mem.h"
#include "gateway/connect/words.h"

static const struct error_words errors[] = {
    {"invite_over", "This link can no longer be used",
     "A link works once and for a short time. It was used, has expired or was withdrawn. Please "
     "ask "
     "the person who sent it for a new one."},
    {"session_over", "This took too long",
     "For your protection each step must be done within ten minutes, in one browser with cookies "
     "switched on. Please open the link you were sent again."},
    {"interrupted", "The connection was interrupted",
     "Google's answer was already used or was lost on the way. Nothing was connected. Please try "
     "again."},
    {"wrong_browser", "This answer belongs to another browser",
     "Google's answer does not match what was started in this browser, so nothing was connected. "
     "Please open the link you were sent again and do all steps in one browser window."},
    {"wrong_issuer", "This answer does not come from Google",
     "Nothing was connected. Please open the link you were sent again. If it happens again, let "
     "the person who sent it know."},
    {"declined", "You declined, and nothing was connected",
     "No access was given. If that was not meant, try again and choose Continue at Google."},
    {"admin_policy", "Your organisation does not allow this",
     "The Google administrator of your organisation has to allow this application before you can "
     "connect. Please show them this page, or try again with another Google account that can read "
     "the website's figures."},
    {"scope_missing", "The permission for Google Analytics is missing",
     "The box for Google Analytics was not ticked, so the website's figures cannot be read. Please "
     "try again and leave that box ticked."},
    {"no_analytics", "This Google account has no access to Google Analytics",
     "Please try again with the account that you use to look at the website's figures, or ask "
     "whoever manages them to give this account the role Viewer."},
    {"google_refused", "Google did not accept the request",
     "Nothing was connected. Please try again. If it happens again, let the person who sent you "
     "the link know: the application may be set up wrongly at Google."},
    {"bad_id_token", "Google did not accept the request",
     "Nothing was connected. Please try again. If it happens again, let the person who sent you "
     "the link know: the application may be set up wrongly at Google."},
    {"no_refresh_token", "Google gave no lasting access",
     "Please remove this application at myaccount.google.com/connections and try again; Google "
     "then asks for everything once more."},
    {"google_slow", "Google does not answer at the moment",
     "Nothing was connected. Please wait a minute and try again."},
    {"state_unwritable", "Your consent could not be stored",
     "Nothing was connected. Please try again later. If it happens again, let the person who "
     "sent you the link know: the disk of the service may be full."},
    {"state_unavailable", "Your consent cannot be stored at the moment",
     "Please wait a minute and try again. If it happens again, let the person who sent you the "
     "link know: the service cannot reach its database."},
    {"state_full", "Your consent could not be stored",
     "Nothing was connected. Please let the person who sent you the link know: the service has as "
     "many "
     "dealers as it can hold."},
    {"property_unknown", "Please choose a property",
     "One of the websites in the list has to be chosen. Please go back and choose one."},
    {"property_taken", "This website is connected already",
     "The property you chose belongs to another dealer here. Please go back and choose another "
     "one, "
     "or ask the person who sent you the link."},
    {"dealer_taken", "This dealer is connected already",
     "There is nothing left to do. If you wanted to renew the consent, ask the person who sent you "
     "this link for a renewal link."},
    {"not_live", "Your consent is stored, but not in use yet",
     "You have nothing more to do. The person who sent you the link has to look at the "
     "configuration "
     "of the service; please let them know."},
    {"too_many_tries", "This link was tried too often",
     "Please ask the person who sent it for a new one."},
    {"too_many_requests", "Too many requests", "Please wait a minute and load this page again."},
    {"cross_site", "This request did not come from our page",
     "Nothing was done. Please open the link you were sent again and use the buttons on its page."},
    {"not_found", "Page not found", "Please open the link you were sent."},
    {"unavailable", "The service does not answer at the moment",
     "Nothing was lost. Please wait a minute and load this page again."},
};

const struct connect_words connect_words_en = {
    .language = "en",
    .name = "English",
    .group_separator = ",",
    .title = "Connect your website",
    .invite_title = "Connect the website of {dealer}",
    .renew_title = "Renew the consent for {dealer}",
    .invite_lead = "{operator} would like to read the Google Analytics figures of your website, to "
                   "compare them with the region and to answer your questions about them.",
    .renew_lead = "The consent by which {operator} reads your website's figures has ended or was "
                  "withdrawn. To go on, please give it again.",
    .what_title = "What is asked for",
    .what_text =
        "Read-only access to Google Analytics, and your email address, so that you can see "
        "which account you used.",
    .why_text = "Nothing can be changed with it: no settings, no users, no advertisements. Your "
                "password is entered at Google and never here.",
    .stored_title = "What is stored",
    .stored_text =
        "Google's token for this access, encrypted, with your email address and the "
        "property you choose. Other dealers see your figures only as part of averages over "
        "many dealers.",
    .withdraw_title = "How to withdraw",
    .withdraw_text = "At any time at myaccount.google.com/connections, or by asking {operator}. "
                     "Access ends with it, and the stored token is worthless.",
    .privacy = "Privacy policy",
    .testing =
        "Please note: this application is still in its test phase at Google. Google ends such "
        "consents after 7 days, and you will be asked again.",
    .google_button = "Continue with Google",
    .google_hint = "You go on to Google's own page and come back here afterwards.",
    .confirm_title = "Is this right?",
    .confirm_account =
        "You signed in as {account}. If that is not your account, choose another one.",
    .confirm_one = "This website will be connected for {dealer}:",
    .confirm_several = "Which of these is the website of {dealer}?",
    .confirm_button = "Yes, connect",
    .other_account = "Use another account",
    .connected_title = "{dealer} is connected",
    .connected_text = "The figures of {property} can be read from now on.",
    .connected_figures = "Yesterday: {sessions} sessions, {users} active users.",
    .connected_no_figures =
        "Google does not have yesterday's figures yet; the connection works all the same.",
    .close_window = "You can close this window. To withdraw: myaccount.google.com/connections.",
    .again_button = "Try again",
    .this_service = "This service",
    .errors = errors,
    .n_errors = ARRAY_LEN(errors),
};
