// Documents for the test of config/dealers.schema.json: good ones, from which mutants are made, and those that
// only the loader can refuse.
export const IAM = 'https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@p.iam.gserviceaccount.com:generateAccessToken';
const POOL = '//iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/p/providers/q';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const AWS = 'urn:ietf:params:aws:token-type:aws4_request';
export const SECRETS = ['GOCSPX-replace-me', '1//replace-me', 's3cret', 'r3fresh'];
export const USER = { client_id: 'c', client_secret: 's3cret', refresh_token: 'r3fresh' };

const dealer = (n, more) => ({ dealer_id: `d${n}`, name: 'N', region: 'West', properties: [String(n)], ...more });
const one = (more) => ({ dealers: [dealer(1, more)] });

// A dealer with everything beside its credential, and each kind of cohort.
export const FULL = {
  $schema: './dealers.schema.json',
  dealers: [
    dealer(1, {
      account_id: 'a1', city: 'Reno', state: 'NV', owner: 'O', groups: ['g', 'h'], lead_event: 'generate_lead', time_zone: 'America/Los_Angeles',
      qualified_session: 'event:asc_item_pageview', vdp_path_pattern: '^/(?:new|used)/(?P<make>[^/]+)/',
      vehicle_dimensions: { make: 'customEvent:item_make', model: 'm', condition: 'c', type: 't', year: 'y' },
      vehicle_overrides: [{ value: 'Work Truck', make: 'Ford', model: 'F-150' }],
      properties: ['1', 'properties/11', { property_id: 'properties/12', display_name: 'x.example' }, { property_id: '13' }],
      oauth: USER,
    }),
    dealer(2, { region: 'East', groups: ['g'], oauth: USER }),
  ],
  cohorts: [
    { id: 'west', label: 'The West', version: 3, region: 'West' },
    { id: 'g.1', group: 'g' },
    { id: 'both', dealers: ['d1', 'd2'] },
  ],
};

// The kinds of credentials, each with all it may have. `key` is a PEM.
export const credentials = (key) => ({
  'refresh token': { oauth: { ...USER, type: 'authorized_user', token_uri: 'https://oauth2.googleapis.com/token', quota_project_id: 'q', account: '', universe_domain: 'googleapis.com' } },
  'refresh token, the least': { oauth: USER },
  'refresh token from a file': { oauth: { file: 'refresh-token.json', quota_project_id: 'q' } },
  'service account': {
    service_account: {
      type: 'service_account', client_email: 'a@p.iam.gserviceaccount.com', private_key: key, private_key_id: 'k', token_uri: 'https://oauth2.googleapis.com/token', subject: 'u@x.example',
      quota_project_id: 'q', project_id: 'p', client_id: '1', auth_uri: 'https://x.example', auth_provider_x509_cert_url: 'https://x.example', client_x509_cert_url: 'https://x.example', universe_domain: 'googleapis.com',
    },
  },
  'service account that signs itself': { service_account: { client_email: 'a@p.iam.gserviceaccount.com', private_key: key, self_signed: true } },
  'service account from a file': { service_account: { file: 'analytics-mcp.json', quota_project_id: 'q', subject: 'u@x.example', self_signed: false } },
  'service account from a file that signs itself': { service_account: { file: 'analytics-mcp.json', self_signed: true } },
  'federation by file': {
    external_account: {
      type: 'external_account', audience: POOL, subject_token_type: JWT, token_url: 'https://sts.googleapis.com/v1/token', token_info_url: 'https://sts.googleapis.com/v1/introspect',
      universe_domain: 'googleapis.com', quota_project_id: 'q', service_account_impersonation_url: IAM, service_account_impersonation: { token_lifetime_seconds: 3600 },
      credential_source: { file: '/var/run/token', format: { type: 'json', subject_token_field_name: 'f' } },
    },
  },
  'federation by file, the least': { external_account: { audience: POOL, subject_token_type: JWT, credential_source: { file: 'token' } } },
  'federation by file of text': { external_account: { audience: POOL, subject_token_type: 'urn:ietf:params:oauth:token-type:saml2', credential_source: { file: 'token', format: { type: 'text', subject_token_field_name: 'f' } } } },
  'federation by URL': {
    external_account: { audience: POOL, subject_token_type: 'urn:ietf:params:oauth:token-type:id_token', credential_source: { url: 'http://169.254.169.254/id', headers: { Metadata: 'True', 'X-Key': 's3cret' }, format: {} } },
  },
  'federation by URL with https': { external_account: { audience: POOL, subject_token_type: JWT, credential_source: { url: 'https://id.example:8443/token?a=b' } } },
  'federation by URL of this machine': { external_account: { audience: POOL, subject_token_type: JWT, credential_source: { url: 'http://[::1]:8080/token' } } },
  'federation from AWS': {
    external_account: {
      audience: POOL, subject_token_type: AWS,
      credential_source: {
        environment_id: 'aws1', region_url: 'http://169.254.169.254/z', url: 'http://[fd00:ec2::254]/r', imdsv2_session_token_url: 'http://169.254.169.254/t',
        regional_cred_verification_url: 'https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15',
      },
    },
  },
  'federation from AWS, the least': { external_account: { audience: POOL, subject_token_type: AWS, credential_source: { environment_id: 'aws1' } } },
  'federation from a file': { external_account: { file: 'federation.json', quota_project_id: 'q' } },
  'impersonation by a person': {
    impersonated_service_account: {
      type: 'impersonated_service_account', service_account_impersonation_url: IAM, service_account_impersonation: {}, delegates: ['b@p.iam', 'projects/-/serviceAccounts/c@p.iam'],
      quota_project_id: 'q', universe_domain: 'googleapis.com', source_credentials: { type: 'authorized_user', ...USER },
    },
  },
  'impersonation by a service account': { impersonated_service_account: { service_account_impersonation_url: IAM, source_credentials: { type: 'service_account', client_email: 'a@p', private_key: key } } },
  'impersonation by federation': {
    impersonated_service_account: { service_account_impersonation_url: IAM, source_credentials: { type: 'external_account', audience: POOL, subject_token_type: JWT, credential_source: { file: 'token' } } },
  },
  'impersonation from a file': { impersonated_service_account: { file: 'impersonated.json' } },
  'default credentials': { adc: true },
});

// Every word that the loader takes, so that the schema cannot know fewer.
export const WORDS = {
  ...Object.fromEntries(['engaged', 'inventory_page', 'vdp_view', 'event:e'].map((word) => [`sessions ${word}`, one({ qualified_session: word, oauth: USER })])),
  ...Object.fromEntries(['make', 'model', 'year', 'condition', 'type', 'vin', 'stock'].flatMap((name) => [`(?P<${name}>)`, `(?<${name}>)`].map((group) => [`group ${group}`, one({ vdp_path_pattern: group.replace(')', 'a)'), oauth: USER })]))),
};

export const withCredential = (credential) => one(credential);

// The files that the examples of the schema name.
export const files = (key) => {
  const user = { type: 'authorized_user', ...USER };
  const account = { type: 'service_account', client_email: 'a@p.iam.gserviceaccount.com', private_key: key, private_key_id: 'k' };
  const federation = { type: 'external_account', audience: POOL, subject_token_type: JWT, credential_source: { file: '/var/run/token' } };
  const impersonated = { type: 'impersonated_service_account', service_account_impersonation_url: IAM, source_credentials: user };
  return { 'refresh-token.json': user, 'credential.json': user, 'analytics-mcp.json': account, 'federation.json': federation, 'impersonated.json': impersonated };
};

const beyondAscii = (text) => /[^\0-\x7f]/.test(text);

// What a schema cannot say: [what, document or text, the loader's words, why, of which documents]. A mutant that
// the loader alone refuses must be refused with these words, and be such a document.
export const onlyTheLoader = (key, shortKey) => {
  const oauth = { oauth: USER };
  const service_account = { client_email: 'a@p.iam.gserviceaccount.com', private_key: key };
  // Six dealers of six owners in the west; the cohort leaves one of them out.
  const crowd = Array.from({ length: 7 }, (_, i) => dealer(i, { owner: `O${i}`, ...oauth }));
  return [
    ['an id twice', { dealers: [dealer(1, oauth), { ...dealer(2, oauth), dealer_id: 'd1' }] }, /dealers\[\d+\]\.dealer_id .*is used by dealers\[\d+\] \(dealer \"[^\"]+\"\) already/, 'unique across the array'],
    ['an account twice', { dealers: [dealer(1, { account_id: 'a', ...oauth }), dealer(2, { account_id: 'a', ...oauth })] }, /account_id .* is used by dealers\[\d+\] \(dealer \"[^\"]+\"\) already/, 'unique across the array'],
    ['an account that is a dealer', { dealers: [dealer(1, { account_id: 'd2', ...oauth }), dealer(2, oauth)] }, /" is used by dealers\[\d+\] \(dealer \"[^\"]+\"\) already/, 'ids and accounts share one space'],
    ['properties to be found by a login of two dealers', { dealers: [dealer(1, oauth), { dealer_id: 'd2', name: 'N', region: 'West', ...oauth }] }, /properties \(dealer ".+"\): missing, and dealers\[\d+\] \(dealer ".+"\) has the same credential/, 'compares credentials'],
    ['a property of two dealers', { dealers: [dealer(1, oauth), dealer(2, { properties: ['properties/1'], ...oauth })] }, /property \d+ belongs to dealers\[\d+\] \(dealer ".+"\) already/, 'unique across the array'],
    ['a property twice in two forms', one({ properties: ['7', 'properties/7'], ...oauth }), /property \d+ is listed twice/, 'equal when read, not as JSON'],
    ['a cohort of a dealer that is not there', { ...one(oauth), cohorts: [{ id: 'c', dealers: ['d9'] }] }, /no dealer has the dealer_id ".+"/, 'a reference'],
    ['a cohort of an account', { ...one({ account_id: 'a', ...oauth }), cohorts: [{ id: 'c', dealers: ['a'] }] }, /it is an account_id: name the dealer_id/, 'a reference'],
    ['a cohort of a region that is not there', { ...one(oauth), cohorts: [{ id: 'c', region: 'East' }] }, /no dealer is in region ".+"/, 'a reference'],
    ['a cohort of a group that is not there', { ...one(oauth), cohorts: [{ id: 'c', group: 'g' }] }, /no dealer has the group ".+"/, 'a reference'],
    ['a cohort id twice', { ...one(oauth), cohorts: [{ id: 'c', region: 'West' }, { id: 'c', dealers: ['d1'] }] }, /" is used by cohorts\[\d+\] already/, 'unique across the array'],
    ['a region twice', { ...one(oauth), cohorts: [{ id: 'c', region: 'West' }, { id: 'e', region: 'WEST' }] }, /cohorts\[\d+\] is this region already/, 'unique across the array'],
    ['cohorts that isolate a dealer', { dealers: crowd, cohorts: [{ id: 'c', dealers: crowd.slice(1).map((d) => d.dealer_id) }] }, /one subtracted from the other would disclose single dealers' figures/, 'the rule of differences'],
    ['a pattern that does not compile', one({ vdp_path_pattern: '^/(?P<make>[^/+)/', ...oauth }), /is not a regular expression/, 'POSIX regular expressions'],
    ['a group without a name of ours', one({ vdp_path_pattern: '^/(?P<make>a)(?P<brand>b)', ...oauth }), /a group must be one of make/, 'POSIX regular expressions'],
    ['a group that is none', one({ vdp_path_pattern: '^/[(?P<make>]', ...oauth }), /has no named group/, 'POSIX regular expressions'],
    ['a group of another kind', one({ vdp_path_pattern: '^/(?=a)(?P<make>b)', ...oauth }), /groups are \( \), \(\?: \) or \(\?P<name> \)/, 'POSIX regular expressions'],
    ['a name of a vehicle twice', one({ vehicle_overrides: [{ value: 'The Lobo', make: 'Ford', model: 'F-150' }, { value: 'the-lobo', make: 'Ford', model: 'Ranger' }], ...oauth }), /vehicle_overrides\[1\]\.value .*is a duplicate of vehicle_overrides\[0\]\.value/, 'unique across the array, in any spelling'],
    ['a name of a vehicle without letters', one({ vehicle_overrides: [{ value: '-x-', make: 'Ford', model: 'F-150' }], ...oauth }), /must have at least two letters or digits/, 'letters and digits alone are compared'],
    ['a time zone that is not there', one({ time_zone: 'America/New_Yrok', ...oauth }), /no time zone ".+" in/, 'the system\'s database'],
    ['a time zone that is a folder', one({ time_zone: 'America', ...oauth }), /no time zone "America" in/, 'the system\'s database'],
    ['a key that does not parse', one({ service_account: { ...service_account, private_key: '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n' } }), /must be an RSA key of \d+ to \d+ bits in PEM/, 'key material', (text) => text.includes('-----BEGIN')],
    ['a key that is too short', one({ service_account: { ...service_account, private_key: shortKey } }), /must be an RSA key of \d+ to \d+ bits in PEM/, 'key material'],
    ['a key with a NUL', one({ service_account: { ...service_account, private_key: `${key}\0` } }), /\\u0000|NUL/, 'strings end there in C', (text) => text.includes('\\u0000')],
    ['a file that is not there', one({ service_account: { file: 'none.json' } }), /\.file .*cannot open /, 'files'],
    ['a file that is a folder', one({ oauth: { file: '.' } }), /cannot read/, 'files'],
    ['a file of another kind', one({ oauth: { file: 'analytics-mcp.json' } }), /is "\w+"; move the file under "\w+"/, 'files'],
    ['a file that is not JSON', one({ oauth: { file: 'broken.json' } }), /broken\.json: line 1, column/, 'files'],
    ['a file with a field missing', one({ oauth: { file: 'half.json' } }), /half\.json line 1: refresh_token: missing/, 'files'],
    ['a seal that does not open', one({ oauth: { ...USER, refresh_token: { sealed: `v1:k1:${'A'.repeat(40)}` } } }), /does not open|changed, or/, 'needs the key'],
    ['a seal of a key that is not there', one({ oauth: { ...USER, refresh_token: { sealed: `v1:k2:${'A'.repeat(40)}` } } }), /sealed with key ".+", which is not on the keyring/, 'needs the key'],
    ['a seal of bad base64', one({ oauth: { ...USER, refresh_token: { sealed: `v1:k1:${'A'.repeat(41)}` } } }), /not a sealed value: must be/, 'the length of base64', (text) => text.match(/"sealed":"[^"]*"/g).every((seal) => /:"v1:[\w.-]{1,32}:[A-Za-z0-9+/]{38,}={0,2}"$/.test(seal))],
    ['a text of too many bytes', one({ city: 'é'.repeat(65), ...oauth }), /longer than 128 bytes/, 'a schema counts characters, the loader bytes of UTF-8', beyondAscii],
    ['a word of too many bytes', { ...one(oauth), cohorts: [{ id: 'c', label: 'é'.repeat(65), region: 'West' }] }, /longer than 128 bytes/, 'the same', beyondAscii],
    ['a group of too many bytes', one({ groups: ['é'.repeat(65)], ...oauth }), /must be a non-empty string of at most 128 bytes/, 'the same', beyondAscii],
    ['an address that is none', one({ oauth: { ...USER, token_uri: 'http://[0:1]/token' } }), /must be an https URL/, 'the spellings of the IPv6 loopback address', (text) => /http:\/\/\[[0:.]*1\]/.test(text)],
    ['a name of a vehicle of too many bytes', one({ vehicle_overrides: [{ value: 'é'.repeat(41), make: 'Ford', model: 'F-150' }], ...oauth }), /longer than 80 bytes/, 'the same', beyondAscii],
    ['a host of too many bytes', one({ oauth: { ...USER, token_uri: `https://${'é'.repeat(200)}/` } }), /must be an https URL/, 'a schema counts characters', beyondAscii],
    ['a name twice', '{"dealers":[{"dealer_id":"d1","dealer_id":"d1","name":"N","region":"W","properties":["1"],"adc":true}]}', /name "dealer_id" occurs twice/, 'lost when JSON is parsed'],
  ];
};
