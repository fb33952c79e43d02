import { type MessageCodec, message } from './frame.ts';
import { coded, required, structure } from './schema.ts';

/** Why an exchange ended. Before key confirmation every failure of the peer is `authFailed` or `badMessage`. */
export type AlertCode = 'badMessage' | 'authFailed' | 'expired' | 'busy' | 'internal' | 'revoked' | 'unknownDevice' | 'declined';

export const ALERT_CODES: Readonly<Record<AlertCode, number>> = {
  badMessage: 1,
  authFailed: 2,
  expired: 3,
  busy: 4,
  internal: 5,
  revoked: 6,
  unknownDevice: 7,
  declined: 8,
};

/** Before confirmation only a hint: it ends the connection and nothing else. 3, 6 and 7 only towards an authenticated device, 8 only in a record. */
export interface Alert {
  readonly code: AlertCode;
}

export const alert: MessageCodec<Alert> = message('alert', structure<Alert>({ code: required(0, coded(ALERT_CODES)) }));
