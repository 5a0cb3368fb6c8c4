/* Places, makes and models, and traffic sources of the synthetic world. */
#include "ga4-sim/world/atlas.h"

#include "common/base/mem.h"

#define PT "America/Los_Angeles"
#define MT "America/Denver"
#define AZ "America/Phoenix"
#define CT "America/Chicago"
#define ET "America/New_York"
#define US(city, st, state, tz, ...)                                                               \
  {                                                                                                \
    city, st, state, "United States", tz, "USD",                                                   \
    {                                                                                              \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  }

static const struct atlas_metro west[] = {
    US("Los Angeles", "CA", "California", PT, "Long Beach", "Glendale", "Torrance", "Pasadena"),
    US("San Diego", "CA", "California", PT, "Chula Vista", "Oceanside", "Escondido", "El Cajon"),
    US("Phoenix", "AZ", "Arizona", AZ, "Mesa", "Scottsdale", "Chandler", "Tempe"),
    US("Seattle", "WA", "Washington", PT, "Bellevue", "Tacoma", "Everett", "Kent"),
    US("Portland", "OR", "Oregon", PT, "Gresham", "Hillsboro", "Beaverton", "Salem"),
    US("Denver", "CO", "Colorado", MT, "Aurora", "Lakewood", "Thornton", "Boulder"),
    US("Las Vegas", "NV", "Nevada", PT, "Henderson", "North Las Vegas", "Paradise", "Summerlin"),
    US("Sacramento", "CA", "California", PT, "Roseville", "Folsom", "Elk Grove", "Davis"),
};
static const struct atlas_metro central[] = {
    US("Dallas", "TX", "Texas", CT, "Plano", "Irving", "Garland", "Frisco"),
    US("Houston", "TX", "Texas", CT, "Pasadena", "Sugar Land", "Katy", "The Woodlands"),
    US("Chicago", "IL", "Illinois", CT, "Naperville", "Schaumburg", "Evanston", "Joliet"),
    US("Minneapolis", "MN", "Minnesota", CT, "Saint Paul", "Bloomington", "Edina", "Plymouth"),
    US("Kansas City", "MO", "Missouri", CT, "Overland Park", "Olathe", "Independence", "Liberty"),
    US("St. Louis", "MO", "Missouri", CT, "St. Charles", "Florissant", "Kirkwood", "O'Fallon"),
    US("Nashville", "TN", "Tennessee", CT, "Franklin", "Murfreesboro", "Brentwood",
       "Hendersonville"),
    US("Milwaukee", "WI", "Wisconsin", CT, "Waukesha", "Brookfield", "Racine", "West Allis"),
};
static const struct atlas_metro east[] = {
    US("New York", "NY", "New York", ET, "Yonkers", "White Plains", "Jersey City", "Newark"),
    US("Boston", "MA", "Massachusetts", ET, "Cambridge", "Quincy", "Newton", "Framingham"),
    US("Philadelphia", "PA", "Pennsylvania", ET, "Camden", "Chester", "Norristown", "Cherry Hill"),
    US("Atlanta", "GA", "Georgia", ET, "Marietta", "Sandy Springs", "Decatur", "Roswell"),
    US("Miami", "FL", "Florida", ET, "Hialeah", "Coral Gables", "Hollywood", "Doral"),
    US("Charlotte", "NC", "North Carolina", ET, "Concord", "Gastonia", "Huntersville", "Matthews"),
    {"Toronto",
     "ON",
     "Ontario",
     "Canada",
     "America/Toronto",
     "CAD",
     {"Mississauga", "Brampton", "Markham", "Vaughan"}},
    US("Pittsburgh", "PA", "Pennsylvania", ET, "Monroeville", "Cranberry", "Greensburg", "Butler"),
};
static const struct atlas_metro south[] = {
    US("New Orleans", "LA", "Louisiana", CT, "Metairie", "Kenner", "Gretna", "Slidell"),
    US("Birmingham", "AL", "Alabama", CT, "Hoover", "Bessemer", "Trussville", "Alabaster"),
    US("Tampa", "FL", "Florida", ET, "St. Petersburg", "Clearwater", "Brandon", "Largo"),
    US("San Antonio", "TX", "Texas", CT, "New Braunfels", "Schertz", "Boerne", "Converse"),
};
static const struct atlas_metro mountain[] = {
    US("Salt Lake City", "UT", "Utah", MT, "West Valley City", "Sandy", "Provo", "Ogden"),
    US("Boise", "ID", "Idaho", "America/Boise", "Meridian", "Nampa", "Eagle", "Caldwell"),
    US("Albuquerque", "NM", "New Mexico", MT, "Rio Rancho", "Santa Fe", "Los Lunas", "Belen"),
    US("Tucson", "AZ", "Arizona", AZ, "Oro Valley", "Marana", "Sahuarita", "Vail"),
};
static const struct atlas_metro northeast[] = {
    US("Hartford", "CT", "Connecticut", ET, "West Hartford", "Manchester", "Bristol", "Meriden"),
    US("Providence", "RI", "Rhode Island", ET, "Warwick", "Cranston", "Pawtucket", "Newport"),
    US("Buffalo", "NY", "New York", ET, "Amherst", "Cheektowaga", "Tonawanda", "Lockport"),
    US("Manchester", "NH", "New Hampshire", ET, "Nashua", "Concord", "Derry", "Salem"),
};

const struct atlas_region atlas_regions[ATLAS_MAX_REGIONS] = {
    {"West", west, ARRAY_LEN(west)},
    {"Central", central, ARRAY_LEN(central)},
    {"East", east, ARRAY_LEN(east)},
    {"South", south, ARRAY_LEN(south)},
    {"Mountain", mountain, ARRAY_LEN(mountain)},
    {"Northeast", northeast, ARRAY_LEN(northeast)},
};

static const struct atlas_model toyota[] = {
    {"RAV4", "suv", "hybrid", 34500, 30, 220},    {"Camry", "sedan", "hybrid", 30900, 22, -40},
    {"Corolla", "sedan", "ice", 24300, 18, -120}, {"Tacoma", "truck", "ice", 39800, 20, 90},
    {"Highlander", "suv", "ice", 42100, 14, -60}, {"Tundra", "truck", "ice", 54300, 9, 40},
    {"bZ4X", "suv", "ev", 43900, 4, 480},         {"Sienna", "minivan", "hybrid", 40700, 8, 30},
};
static const struct atlas_model honda[] = {
    {"CR-V", "suv", "hybrid", 33800, 28, 110},   {"Civic", "sedan", "ice", 26500, 22, 20},
    {"Accord", "sedan", "hybrid", 31400, 18, 0}, {"Pilot", "suv", "ice", 43600, 14, -30},
    {"HR-V", "suv", "ice", 27200, 12, 60},       {"Odyssey", "minivan", "ice", 43300, 8, -90},
    {"Prologue", "suv", "ev", 49500, 5, 520},    {"Ridgeline", "truck", "ice", 42400, 6, -20},
};
static const struct atlas_model ford[] = {
    {"F-150", "truck", "ice", 52400, 32, -30},       {"Explorer", "suv", "ice", 43900, 18, 40},
    {"Escape", "suv", "ice", 31900, 14, -210},       {"Bronco", "suv", "ice", 44700, 14, 70},
    {"Maverick", "truck", "hybrid", 30100, 16, 310}, {"Mustang Mach-E", "suv", "ev", 44900, 8, 180},
    {"Mustang", "coupe", "ice", 38200, 8, -80},      {"Ranger", "truck", "ice", 38600, 8, 20},
};
static const struct atlas_model chevrolet[] = {
    {"Silverado 1500", "truck", "ice", 49800, 30, 10},
    {"Equinox", "suv", "ice", 30900, 20, 50},
    {"Trax", "suv", "ice", 22700, 14, 340},
    {"Tahoe", "suv", "ice", 64200, 14, -20},
    {"Equinox EV", "suv", "ev", 36900, 8, 610},
    {"Traverse", "suv", "ice", 41300, 10, 0},
    {"Colorado", "truck", "ice", 36800, 8, 30},
};
static const struct atlas_model hyundai[] = {
    {"Tucson", "suv", "hybrid", 32400, 24, 90},  {"Santa Fe", "suv", "hybrid", 38200, 18, 160},
    {"Elantra", "sedan", "ice", 24100, 16, -60}, {"Ioniq 5", "suv", "ev", 46200, 12, 260},
    {"Palisade", "suv", "ice", 42900, 14, 80},   {"Kona", "suv", "ice", 27600, 8, -10},
};
static const struct atlas_model nissan[] = {
    {"Rogue", "suv", "ice", 31800, 26, -40},     {"Altima", "sedan", "ice", 28600, 16, -180},
    {"Sentra", "sedan", "ice", 23400, 16, -20},  {"Pathfinder", "suv", "ice", 40500, 10, 10},
    {"Frontier", "truck", "ice", 35200, 12, 60}, {"Ariya", "suv", "ev", 42800, 5, 200},
};
static const struct atlas_model kia[] = {
    {"Telluride", "suv", "ice", 41800, 24, 40},  {"Sportage", "suv", "hybrid", 31900, 20, 120},
    {"Sorento", "suv", "hybrid", 37400, 12, 20}, {"K5", "sedan", "ice", 28900, 10, -70},
    {"EV6", "suv", "ev", 46300, 8, 90},          {"EV9", "suv", "ev", 59900, 7, 300},
};
static const struct atlas_model subaru[] = {
    {"Outback", "suv", "ice", 35200, 24, -50},      {"Forester", "suv", "hybrid", 33600, 22, 130},
    {"Crosstrek", "suv", "hybrid", 29900, 22, 110}, {"Ascent", "suv", "ice", 42700, 8, -60},
    {"Solterra", "suv", "ev", 45100, 5, 240},       {"WRX", "sedan", "ice", 36500, 6, -20},
};
static const struct atlas_model jeep[] = {
    {"Grand Cherokee", "suv", "ice", 46800, 24, -70}, {"Wrangler", "suv", "phev", 51200, 24, 30},
    {"Compass", "suv", "ice", 31400, 12, -40},        {"Gladiator", "truck", "ice", 45900, 12, 0},
    {"Wagoneer S", "suv", "ev", 69900, 4, 330},
};
static const struct atlas_model bmw[] = {
    {"X3", "suv", "ice", 52300, 22, 40},          {"X5", "suv", "phev", 71900, 20, 20},
    {"3 Series", "sedan", "ice", 48100, 18, -60}, {"i4", "sedan", "ev", 57900, 10, 170},
    {"X1", "suv", "ice", 43300, 10, 50},          {"5 Series", "sedan", "phev", 63400, 8, 0},
};

#define MAKE(label, table)                                                                         \
  {                                                                                                \
    label, table, ARRAY_LEN(table)                                                                 \
  }
const struct atlas_make atlas_makes[] = {
    MAKE("Toyota", toyota),   MAKE("Honda", honda),
    MAKE("Ford", ford),       MAKE("Chevrolet", chevrolet),
    MAKE("Hyundai", hyundai), MAKE("Nissan", nissan),
    MAKE("Kia", kia),         MAKE("Subaru", subaru),
    MAKE("Jeep", jeep),       MAKE("BMW", bmw),
};
const size_t atlas_make_count = ARRAY_LEN(atlas_makes);

const struct atlas_channel atlas_channels[] = {
    {"Organic Search", "google", "organic", "(organic)", 260, 330, 620, 120, 1100},
    {"Organic Search", "bing", "organic", "(organic)", 34, 340, 610, 120, 1050},
    {"Organic Search", "duckduckgo", "organic", "(organic)", 11, 360, 600, 110, 950},
    {"Direct", "(direct)", "(none)", "(direct)", 190, 420, 480, 60, 1050},
    {"Paid Search", "google", "cpc", "{make} Brand Search", 92, 350, 700, 160, 1350},
    {"Paid Search", "google", "cpc", "{make} New Models", 60, 390, 760, 260, 1250},
    {"Paid Search", "bing", "cpc", "{make} Brand Search", 20, 380, 690, 150, 1200},
    {"Cross-network", "google", "cpc", "PMax Vehicle Listing Ads", 84, 560, 880, 780, 620},
    {"Paid Social", "facebook", "paid_social", "Inventory Retargeting", 52, 620, 780, 640, 520},
    {"Paid Social", "instagram", "paid_social", "Model Launch", 24, 680, 520, 240, 380},
    {"Organic Social", "m.facebook.com", "referral", "(referral)", 22, 600, 300, 80, 450},
    {"Organic Social", "linkedin.com", "referral", "(referral)", 3, 640, 160, 20, 200},
    {"Referral", "cars.com", "referral", "(referral)", 26, 300, 860, 620, 1500},
    {"Referral", "autotrader.com", "referral", "(referral)", 22, 310, 850, 600, 1450},
    {"Referral", "cargurus.com", "referral", "(referral)", 20, 300, 880, 660, 1500},
    {"Referral", "oem-locator", "referral", "(referral)", 18, 280, 640, 60, 1400},
    {"Email", "crm", "email", "Service Reminder", 22, 400, 120, 10, 500},
    {"Email", "crm", "email", "Lease End Offers", 14, 380, 640, 120, 1300},
    {"Display", "dv360", "display", "Tier 1 Conquest", 20, 780, 380, 120, 200},
    {"Organic Video", "youtube.com", "referral", "(referral)", 4, 560, 420, 40, 400},
    {"Unassigned", "(not set)", "(not set)", "(not set)", 8, 520, 300, 60, 600},
};
const size_t atlas_channel_count = ARRAY_LEN(atlas_channels);

const char *const atlas_family_names[] = {
    "Rivera",  "Callahan", "Nguyen",   "Hoffman",  "Whitaker",  "Delgado",  "Prescott", "Okafor",
    "Larsson", "Mancini",  "Sullivan", "Park",     "Beaumont",  "Kowalski", "Abbott",   "Greene",
    "Tanaka",  "Mercer",   "Novak",    "Castillo", "Fairbanks", "Ibrahim",  "Lindgren", "Dubois",
};
const size_t atlas_family_name_count = ARRAY_LEN(atlas_family_names);
