/** A P-256 key that signs JSON Web Tokens. Secret. */
export interface SigningKey {
  readonly keyId: string;
  /** PEM. */
  readonly key: string;
}

/**
 * What UEM's tenant sends with at each notification service; the Infrastructure has it in its role file. Secret.
 * `apns` is the MDM push certificate; `apnsApp` signs provider tokens for apps (the Infrastructure does not need it: it is for other senders).
 */
export interface PushCredentials {
  readonly apns: { readonly topic: string /** PEM. */; readonly key: string /** PEM. */; readonly certificate: string };
  readonly apnsApp: SigningKey & { readonly topic: string; readonly teamId: string };
  readonly fcm: SigningKey & { readonly projectId: string; readonly clientEmail: string };
  readonly wns: { readonly packageSid: string; readonly clientSecret: string };
  readonly bb10: { readonly applicationId: string; readonly password: string };
}
