import type { Trust } from './transport.ts';

/** User name and activation password, typed by the user (F1.2). */
export interface PasswordCredentials {
  readonly kind: 'password';
  readonly userId: string;
  readonly password: string;
  /**
   * Which of the user's passwords it is: 0, or 1 and 2 for those that are paired with an activation profile. Absent, as a person does not know: one after the other
   * is tried. Each try that is not right counts at the server (docs/protocol/02-activation.md, 2.8), so a program that knows the slot says it.
   */
  readonly slot?: number | undefined;
  /** The Infrastructure, which knows the UEM address of the user (F1.3). Its roots are those of the activation listener too. */
  readonly infrastructure: { readonly address: string; readonly trust: Trust };
}

/** Content of a scanned activation QR code (F1.2): address, key pin, user and secret in one text. */
export interface QrCredentials {
  readonly kind: 'qr';
  readonly content: string;
}

/** What a user activates a device with. */
export type ActivationCredentials = PasswordCredentials | QrCredentials;
