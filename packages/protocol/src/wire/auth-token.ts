import { ProtocolError } from '../errors/protocol-error.ts';
import { epochSeconds, id16, userIdText } from './common.ts';
import { host } from './destination.ts';
import { type MessageCodec, message } from './frame.ts';
import { LIMITS } from './limits.ts';
import { bytes, type FieldType, optional, required, structure, text } from './schema.ts';

/** Printable characters of ASCII, no blank first or last: it goes through header fields of HTTP as it is. */
const CHALLENGE = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;
const challengeText: FieldType<string> = text(0, LIMITS.textBytes);

function requireChallenge(value: string, field: string): string {
  // check: a challenge fits a header field
  if (!CHALLENGE.test(value)) throw new ProtocolError('ERR_WIRE_FIELD', `${field}: is not printable ASCII without blanks around it`, { details: { field } });
  return value;
}

/** What an application server wants to find in the token again; empty: nothing. */
const challenge: FieldType<string> = {
  encode: (value, field) => challengeText.encode(requireChallenge(value, field), field),
  decode: (value, field) => requireChallenge(challengeText.decode(value, field), field),
};

/** What is sealed in an auth token (docs/protocol/13-services-of-the-proxy.md, 13.1): by the app, for UEM. */
export interface AuthTokenClaims {
  readonly challenge: string;
  /** The application server that the token is for. */
  readonly server: string;
  /** By the clock of the app. */
  readonly createdAtEpochS: number;
}

export const authTokenClaims: MessageCodec<AuthTokenClaims> = message(
  'authTokenClaims',
  structure<AuthTokenClaims>({ challenge: required(0, challenge), server: required(1, host), createdAtEpochS: required(2, epochSeconds) }),
);

/** A Proxy asks UEM on behalf of an application server whether a token is valid. */
export interface AuthTokenRequest {
  /** As the application server got it; its form is checked by UEM. */
  readonly token: Uint8Array;
  /** Who asks: a token for another server is refused. */
  readonly server?: string | undefined;
  /** What it has asked the app to put in: another one is refused. */
  readonly challenge?: string | undefined;
}

export const authTokenRequest: MessageCodec<AuthTokenRequest> = message(
  'authTokenRequest',
  structure<AuthTokenRequest>({ token: required(0, bytes(1, LIMITS.authTokenBytes)), server: optional(1, host), challenge: optional(2, challenge) }),
);

/** Whose token it is, and what the app has put in. A token that is not valid has an alert `authFailed` in its place. */
export interface AuthTokenResponse extends AuthTokenClaims {
  readonly userId: string;
  readonly appId: string;
  /** 16 bytes, one for each installation of an app. */
  readonly instanceId: Uint8Array;
}

export const authTokenResponse: MessageCodec<AuthTokenResponse> = message(
  'authTokenResponse',
  structure<AuthTokenResponse>({
    userId: required(0, userIdText),
    appId: required(1, text()),
    instanceId: required(2, id16),
    challenge: required(3, challenge),
    server: required(4, host),
    createdAtEpochS: required(5, epochSeconds),
  }),
);
