import type { DeviceKey } from '@uemkit/dynamics-sdk';
import { type CryptoProvider, type Store, toBase64url } from '@uemkit/protocol';
import type { SeededDraw } from '../plan/seeded-draw.ts';

const MADE = 'device-key';

export interface DerivedDeviceKeyOptions {
  readonly crypto: Pick<CryptoProvider, 'hmacSha256'>;
  readonly draw: SeededDraw;
  /** Remembers how many keys were made and whether the last one is still there. */
  readonly store: Store;
  /** Names the app in its fleet. */
  readonly name: string;
}

/** The device key of an emulated app: a **test key**, made from the seed, so that only its number has to be kept. A key that was destroyed does not come again. */
export function derivedDeviceKey({ crypto, draw, store, name }: DerivedDeviceKeyOptions): DeviceKey {
  const state = async (): Promise<{ readonly made: number; readonly isThere: boolean }> => {
    const [made = 0, isThere = 0] = (await store.get(MADE)) ?? [];
    return { made, isThere: isThere === 1 };
  };
  const put = (made: number, isThere: boolean): Promise<void> => store.commit([{ key: MADE, value: Uint8Array.of(made, isThere ? 1 : 0) }]);
  return {
    async create() {
      const { made, isThere } = await state();
      if (!isThere) await put((made + 1) % 256, true);
    },
    async mac(data) {
      const { made, isThere } = await state();
      return isThere ? crypto.hmacSha256(draw.bytes(`device key ${made} of ${name}`), data) : undefined;
    },
    async destroy() {
      const { made, isThere } = await state();
      if (isThere) await put(made, false);
    },
  };
}

/** What the emulated user opens an app with; from the seed, as the activation password. The digits satisfy rules of character classes. */
export function derivedAppPassword(draw: SeededDraw, name: string): string {
  return `${toBase64url(draw.bytes(`password of ${name}`)).slice(0, 16)}-aA7`;
}

/** scrypt of containers of a fleet at the least cost: the passwords are no secrets. */
export const FLEET_PASSWORD_COST = { N: 16, r: 1, p: 1 } as const;
