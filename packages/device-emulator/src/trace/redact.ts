/** How one field of a message is shown. What no rule names is hidden. */
export type FieldRule =
  /** As it is. */
  | 'show'
  /** Length and a hash: enough to tell equal values from different ones. For values with far more entropy than a person chooses. */
  | 'hash'
  /** Each field by its own rule. */
  | { readonly [field: string]: FieldRule }
  /** Each entry of a list by the same rule. */
  | readonly [FieldRule];

/** SHA-256, for the hashes in a trace. */
export type Hash = (data: Uint8Array) => Uint8Array;

const HASH_HEX_CHARACTERS = 16;
const MAX_TEXT_CHARACTERS = 256;

/** A JSON value that may be written to a trace. */
export type Traced = string | number | boolean | null | readonly Traced[] | { readonly [key: string]: Traced };

/** `value` under `rule`; whatever the rule does not name is replaced by its kind and size. */
export function redact(value: unknown, rule: FieldRule | undefined, hash: Hash): Traced {
  if (value === undefined) return null;
  if (rule === 'show') return show(value, hash);
  if (rule === 'hash')
    return value instanceof Uint8Array ? hashed(value, hash) : Array.isArray(value) ? value.map((item) => redact(item, 'hash', hash)) : hidden(value);
  if (isListRule(rule)) return Array.isArray(value) ? value.map((item) => redact(item, rule[0], hash)) : hidden(value);
  if (rule === undefined || !isRecord(value)) return hidden(value);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([name, field]) => [name, redact(field, Object.hasOwn(rule, name) ? rule[name] : undefined, hash)]),
  );
}

function isListRule(rule: FieldRule | undefined): rule is readonly [FieldRule] {
  return Array.isArray(rule);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** Byte strings are never written out in full, even where they are shown. */
function show(value: unknown, hash: Hash): Traced {
  if (typeof value === 'string') return value.length <= MAX_TEXT_CHARACTERS ? value : `${value.slice(0, MAX_TEXT_CHARACTERS)}…`;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (value instanceof Uint8Array) return hashed(value, hash);
  if (Array.isArray(value)) return value.map((item) => show(item, hash));
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, show(field, hash)]));
  return null;
}

function hashed(bytes: Uint8Array, hash: Hash): Traced {
  const digest = Array.from(hash(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { bytes: bytes.length, sha256: digest.slice(0, HASH_HEX_CHARACTERS) };
}

/** Kind and size only; no hash, as a short text could be guessed from it. */
function hidden(value: unknown): Traced {
  if (typeof value === 'string') return { hidden: 'text', characters: value.length };
  if (value instanceof Uint8Array) return { hidden: 'bytes', bytes: value.length };
  if (Array.isArray(value)) return { hidden: 'list', items: value.length };
  return { hidden: typeof value };
}
