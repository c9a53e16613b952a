/** Tells from a name (of a label, a field, a parameter, a flag) whether what stands under it is a secret. Pure. */

/** The last word of such a name, also where it is glued to another: dbpassword, authtoken. */
const SECRET_END =
  /(?:password|passwd|passphrase|passcode|pwd|secret|token|apikey|credentials?|authorization|bearer|cookie|jwt)$/;
/** Whose "pass" is a password: a low pass and a test that may pass are none. */
const OF_PASS =
  /^(?:account|admin|auth|database|db|email|ftp|http|imap|ldap|login|mail|mongo|my|mysql|pg|postgres|proxy|redis|root|sasl|smtp|ssh|sudo|user|vpn|wifi)$/;
const GLUED_PASS = /^(?:admin|db|ftp|ldap|mysql|pg|root|smtp|user)pass$/;
/** Words that make a secret of "key" after them. */
const OF_KEY = new Set(
  'access account api app auth client encryption license master private secret service session shared signing ssh storage subscription webhook'.split(
    ' ',
  ),
);
/** Say only in what form the thing before them is: password_value, token2. */
const FORM = new Set(
  'base64 b64 current data enc encoded hash hex new old plain plaintext previous raw text value'.split(' '),
);
/** Only in an address are these what lets someone in: `key` is a fine label. */
const IN_ADDRESS = new Set(['auth', 'code', 'credential', 'key', 'sas', 'sig', 'signature']);

/** Without one of these no name is that of a secret: most are short, and let off here. */
export const PERHAPS_SECRET = /pass|bearer|pwd|secret|token|key|cred|auth|cookie|jwt|string/i;

/** Does a name such as `db_password`, `X-Api-Key`, `clientSecret` or `AccountKey` name a secret? `secretName` and `tokens` (a count) do not. */
export function isSecretName(name: string): boolean {
  if (!PERHAPS_SECRET.test(name)) return false;
  const words = wordsOf(name);
  while (words.length > 1 && isForm(words.at(-1) ?? '')) words.pop();
  const [before = '', last = ''] = words.length > 1 ? words.slice(-2) : ['', words[0] ?? ''];
  if (SECRET_END.test(last)) return true;
  if (last === 'pass') return before === '' || OF_PASS.test(before);
  if (GLUED_PASS.test(last)) return true;
  if (last === 'key' || last === 'keys') return OF_KEY.has(before);
  if (last === 'string') return before === 'connection';
  return /^(?:access|account|api|private|secret|signing|shared)keys?$/.test(last);
}

/** The same for a parameter in an address. */
export function isSecretParameter(name: string): boolean {
  return isSecretName(name) || IN_ADDRESS.has(wordsOf(name).at(-1) ?? '');
}

const isForm = (word: string): boolean => FORM.has(word) || /^\d+$/.test(word);

/** Longer names are no names. */
const LONGEST = 128;

function wordsOf(name: string): string[] {
  return name
    .slice(-LONGEST)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/([a-z])(\d+)$/, '$1 $2')
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}
