import { describe, expect, it } from 'vitest';
import { encodeCbor } from '../../src/wire/cbor/encode.ts';
import { authTokenClaims } from '../../src/wire/index.ts';
import { wireError } from './wire-errors.ts';

const claims = (challenge: string) => ({ challenge, server: 'wiki.example.com', createdAtEpochS: 1_800_000_000 });

describe('the challenge of an auth token', () => {
  it.each(['', '~', 'a b', '!~'])('may be "%s"', (challenge) => {
    expect(authTokenClaims.decodeBody(authTokenClaims.encodeBody(claims(challenge)))).toEqual(claims(challenge));
  });

  it.each([' a', 'a ', ' ', 'a\nb', 'a\r\nX-Other: 1', 'é', 'a\u0000', 'a\u007f'])(
    'is neither written nor read as %j, which fits no header field',
    (challenge) => {
      expect(wireError(() => authTokenClaims.encodeBody(claims(challenge)))?.code).toBe('ERR_WIRE_FIELD');
      const [text, server, createdAt] = Object.values(claims(challenge));
      const body = encodeCbor(new Map([text, server, createdAt].map((value, key) => [key, value as string])));
      expect(wireError(() => authTokenClaims.decodeBody(body))?.code).toBe('ERR_WIRE_FIELD');
    },
  );
});
