import type { Trust } from './transport.ts';

/** User name and activation password, typed by the user (F1.2). */
export interface PasswordCredentials {
  readonly kind: 'password';
  readonly userId: string;
  readonly password: string;
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
