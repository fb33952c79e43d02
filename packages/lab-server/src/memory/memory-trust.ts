/** Which servers a device believes; the same shape as the `Trust` of the client. */
export interface MemoryTrust {
  readonly roots: readonly Uint8Array[] | 'platform';
  readonly spkiPins: readonly Uint8Array[];
}
