/* French. */
#include "common/base/mem.h"
#include "gateway/connect/words.h"

static const struct error_words errors[] = {
    {"invite_over", "Ce lien n’est plus valable",
     "Un lien sert une seule fois et pendant peu de temps. Il a été utilisé, a expiré ou a été "
     "retiré. Demandez-en un nouveau à la personne qui vous l’a envoyé."},
    {"session_over", "Le délai est dépassé",
     "Pour votre sécurité, chaque étape doit être faite en dix minutes, dans un seul navigateur "
     "qui "
     "accepte les cookies. Ouvrez de nouveau le lien que vous avez reçu."},
    {"interrupted", "La connexion a été interrompue",
     "La réponse de Google a déjà été utilisée ou s’est perdue en route. Rien n’a été connecté. "
     "Veuillez réessayer."},
    {"wrong_browser", "Cette réponse appartient à un autre navigateur",
     "La réponse de Google ne correspond pas à ce qui a été commencé dans ce navigateur : rien n’a "
     "été connecté. Ouvrez de nouveau le lien reçu et faites toutes les étapes dans une seule "
     "fenêtre."},
    {"wrong_issuer", "Cette réponse ne vient pas de Google",
     "Rien n’a été connecté. Ouvrez de nouveau le lien reçu. Si cela se reproduit, prévenez la "
     "personne qui vous l’a envoyé."},
    {"declined", "Vous avez refusé ; rien n’a été connecté",
     "Aucun accès n’a été donné. Si c’était une erreur, réessayez et choisissez Continuer chez "
     "Google."},
    {"admin_policy", "Votre organisation ne l’autorise pas",
     "L’administrateur Google de votre organisation doit autoriser cette application avant que "
     "vous "
     "puissiez vous connecter. Montrez-lui cette page, ou réessayez avec un autre compte Google "
     "qui "
     "peut lire les chiffres du site."},
    {"scope_missing", "L’autorisation pour Google Analytics manque",
     "La case de Google Analytics n’était pas cochée ; les chiffres du site ne peuvent pas être "
     "lus. "
     "Réessayez en laissant cette case cochée."},
    {"no_analytics", "Ce compte Google n’a pas accès à Google Analytics",
     "Réessayez avec le compte avec lequel vous consultez les chiffres du site, ou demandez à la "
     "personne qui les gère de donner à ce compte le rôle Lecteur."},
    {"google_refused", "Google n’a pas accepté la demande",
     "Rien n’a été connecté. Veuillez réessayer. Si cela se reproduit, prévenez la personne qui "
     "vous "
     "a envoyé le lien : l’application est peut-être mal configurée chez Google."},
    {"bad_id_token", "Google n’a pas accepté la demande",
     "Rien n’a été connecté. Veuillez réessayer. Si cela se reproduit, prévenez la personne qui "
     "vous "
     "a envoyé le lien : l’application est peut-être mal configurée chez Google."},
    {"no_refresh_token", "Google n’a pas donné d’accès durable",
     "Retirez cette application sur myaccount.google.com/connections et réessayez ; Google "
     "redemandera alors toutes les autorisations."},
    {"google_slow", "Google ne répond pas pour le moment",
     "Rien n’a été connecté. Patientez une minute et réessayez."},
    {"state_unwritable", "Votre accord n’a pas pu être enregistré",
     "Rien n’a été connecté. Réessayez plus tard. Si cela se reproduit, prévenez la personne qui "
     "vous a envoyé le lien : le disque du service est peut-être plein."},
    {"state_unavailable", "Votre accord ne peut pas être enregistré pour le moment",
     "Patientez une minute et réessayez. Si cela se reproduit, prévenez la personne qui vous a "
     "envoyé le lien : le service n’atteint pas sa base de données."},
    {"state_full", "Votre accord n’a pas pu être enregistré",
     "Rien n’a été connecté. Prévenez la personne qui vous a envoyé le lien : le service ne peut "
     "pas "
     "accueillir d’autre concession."},
    {"property_unknown", "Choisissez une propriété",
     "Il faut choisir un des sites de la liste. Revenez en arrière et choisissez-en un."},
    {"property_taken", "Ce site est déjà connecté",
     "La propriété choisie appartient ici à une autre concession. Revenez en arrière et "
     "choisissez-en "
     "une autre, ou demandez à la personne qui vous a envoyé le lien."},
    {"dealer_taken", "Cette concession est déjà connectée",
     "Il n’y a plus rien à faire. Pour renouveler l’accord, demandez un lien de renouvellement à "
     "la "
     "personne qui vous a envoyé celui-ci."},
    {"not_live", "Votre accord est enregistré, mais pas encore utilisé",
     "Vous n’avez plus rien à faire. La personne qui vous a envoyé le lien doit vérifier la "
     "configuration du service ; merci de la prévenir."},
    {"too_many_tries", "Ce lien a été essayé trop souvent",
     "Demandez-en un nouveau à la personne qui vous l’a envoyé."},
    {"too_many_requests", "Trop de demandes", "Patientez une minute et rechargez cette page."},
    {"cross_site", "Cette demande ne vient pas de notre page",
     "Rien n’a été fait. Ouvrez de nouveau le lien reçu et utilisez les boutons de sa page."},
    {"not_found", "Cette page n’existe pas", "Ouvrez le lien que vous avez reçu."},
    {"unavailable", "Le service ne répond pas pour le moment",
     "Rien n’est perdu. Patientez une minute et rechargez cette page."},
};

const struct connect_words connect_words_fr = {
    .language = "fr",
    .name = "Français",
    .group_separator = "\u202f",
    .title = "Connecter votre site",
    .invite_title = "Connecter le site de {dealer}",
    .renew_title = "Renouveler l’accord pour {dealer}",
    .invite_lead = "{operator} souhaite lire les chiffres Google Analytics de votre site, pour les "
                   "comparer à ceux de la région et répondre à vos questions.",
    .renew_lead =
        "L’accord avec lequel {operator} lit les chiffres de votre site a pris fin ou a été "
        "retiré. Pour continuer, veuillez le donner de nouveau.",
    .what_title = "Ce qui est demandé",
    .what_text = "Un accès en lecture seule à Google Analytics, et votre adresse e-mail, afin que "
                 "vous voyiez quel compte vous avez utilisé.",
    .why_text =
        "Rien ne peut être modifié : ni réglages, ni utilisateurs, ni publicités. Votre mot "
        "de passe est saisi chez Google et jamais ici.",
    .stored_title = "Ce qui est conservé",
    .stored_text = "Le jeton de Google pour cet accès, chiffré, avec votre adresse e-mail et la "
                   "propriété choisie. Les autres concessions ne voient vos chiffres que dans des "
                   "moyennes sur de nombreuses concessions.",
    .withdraw_title = "Comment retirer votre accord",
    .withdraw_text = "À tout moment sur myaccount.google.com/connections, ou en le demandant à "
                     "{operator}. L’accès prend alors fin et le jeton conservé ne vaut plus rien.",
    .privacy = "Politique de confidentialité",
    .testing =
        "À noter : cette application est encore en phase de test chez Google. Google met fin à "
        "ces accords après 7 jours, et il vous sera redemandé.",
    .google_button = "Continuer avec Google",
    .google_hint = "Vous passez sur la page de Google et revenez ensuite ici.",
    .confirm_title = "Est-ce exact ?",
    .confirm_account = "Vous êtes connecté en tant que {account}. Si ce n’est pas votre compte, "
                       "choisissez-en un autre.",
    .confirm_one = "Ce site sera connecté pour {dealer} :",
    .confirm_several = "Lequel est le site de {dealer} ?",
    .confirm_button = "Oui, connecter",
    .other_account = "Utiliser un autre compte",
    .connected_title = "{dealer} est connecté",
    .connected_text = "Les chiffres de {property} peuvent être lus dès maintenant.",
    .connected_figures = "Hier : {sessions} sessions, {users} utilisateurs actifs.",
    .connected_no_figures =
        "Google n’a pas encore donné les chiffres d’hier ; cela ne change rien.",
    .close_window = "Vous pouvez fermer cette fenêtre. Pour retirer votre accord : "
                    "myaccount.google.com/connections.",
    .again_button = "Réessayer",
    .this_service = "Ce service",
    .errors = errors,
    .n_errors = ARRAY_LEN(errors),
};
