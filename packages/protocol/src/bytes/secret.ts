/**
 * Key material with a purpose: `SecretBytes<'mac'>` does not fit where `SecretBytes<'link'>` is asked for.
 * It is a plain `Uint8Array` at run time; holders call `wipe` when its use is over. Wiping is best effort in JavaScript.
 */
export type SecretBytes<Purpose extends string> = Uint8Array & { readonly __purpose: Purpose };

/** Names the purpose of key material. */
export function secret<Purpose extends string>(bytes: Uint8Array): SecretBytes<Purpose> {
  return bytes as SecretBytes<Purpose>;
}

/** Overwrites key material with zeros. */
export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const bytes of secrets) bytes?.fill(0);
}
