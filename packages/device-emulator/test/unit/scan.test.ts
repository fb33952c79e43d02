import { deflateSync } from 'node:zlib';
import { startLab } from '@uemkit/lab-server';
import { toBase64url } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import fc from 'fast-check';
import { PNG } from 'pngjs';
import encodeQR from 'qr';
import { describe, expect, it } from 'vitest';
import { pictureInMail } from '../../src/scan/activation-mail.ts';
import { MAX_PICTURE_BYTES, readPicture } from '../../src/scan/picture.ts';
import { scanActivationQrCode } from '../../src/scan/qr-scanner.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const CODE: wire.QrCode = {
  format: 1,
  host: 'lab.example:4433',
  userId: 'ada@example.com',
  secret: new Uint8Array(16).fill(7),
  spkiPin: new Uint8Array(32).fill(9),
  coreId: 'core-1',
  expiryEpochS: NOW_MS / 1_000 + 60,
};
const CONTENT = toBase64url(wire.encodeCbor(wire.qrCode.encode(CODE, 'qrCode')));

/** Pictures side by side on white, each of them a grid of modules of `scale` pixels. */
function png(contents: readonly string[], scale = 4): Uint8Array {
  const grids = contents.map((content) => encodeQR(content, 'raw', { border: 4, ecc: 'medium' }));
  const [width, height] = [Math.max(64, grids.reduce((sum, grid) => sum + grid.length, 0) * scale), Math.max(64, ...grids.map((grid) => grid.length * scale))];
  const picture = new PNG({ width, height });
  picture.data.fill(255);
  let left = 0;
  for (const grid of grids) {
    for (const [row, modules] of grid.entries()) {
      for (const [column, dark] of modules.entries()) if (dark) paint(picture, left + column * scale, row * scale, scale);
    }
    left += grid.length * scale;
  }
  return new Uint8Array(PNG.sync.write(picture));
}

function paint(picture: PNG, x: number, y: number, scale: number): void {
  for (let row = y; row < y + scale; row++) {
    for (let column = x; column < x + scale; column++) picture.data.fill(0, (row * picture.width + column) * 4, (row * picture.width + column) * 4 + 3);
  }
}

async function problemOf(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason as { readonly code: string; readonly step: string; readonly message: string; readonly details: { readonly picture: string } },
  );
  expect(`${error?.message}`).not.toContain(CONTENT);
  return [error?.code, error?.step, error?.details.picture];
}

const usage = (problem: string): readonly string[] => ['ERR_USAGE_ARGUMENT', 'F1.2', problem];

/** A picture that says it is `width` by `height`, and holds whatever. */
function posing(width: number, height: number, pixels: Uint8Array): Uint8Array {
  const bytes = png([]).slice();
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  return Buffer.concat([bytes.subarray(0, 33), pixels]);
}

describe('scanning a picture (F1.2)', () => {
  it('gives the content of an activation QR code, at several sizes', async () => {
    for (const scale of [2, 3, 6, 9]) expect(await scanActivationQrCode(png([CONTENT], scale), NOW_MS)).toBe(CONTENT);
  });

  it.each<[string, () => Uint8Array, string]>([
    ['a picture without a QR code', () => png([]), 'noQrCode'],
    ['a QR code of somebody else', () => png(['https://example.com/menu']), 'foreignQrCode'],
    ['base64url of something else', () => png(['AAAAAAAAAAAAAAAA']), 'foreignQrCode'],
    ['a QR code of a later format', () => png([toBase64url(wire.encodeCbor(new Map([[0, 2]])))]), 'foreignQrCode'],
    ['two QR codes', () => png([CONTENT, CONTENT]), 'severalQrCodes'],
    ['ours beside a foreign one', () => png(['https://example.com/menu', CONTENT]), 'severalQrCodes'],
    ['what is no PNG', () => new TextEncoder().encode('GIF89a and more of it'), 'notPng'],
    ['nothing', () => new Uint8Array(0), 'notPng'],
    ['the head of a PNG alone', () => png([CONTENT]).subarray(0, 20), 'damagedPicture'],
    ['a PNG that is cut short', () => png([CONTENT]).subarray(0, 300), 'damagedPicture'],
    ['a file that is too large', () => new Uint8Array(MAX_PICTURE_BYTES + 1).fill(0x89), 'pictureTooLarge'],
    ['a picture that would be too large, before it is unpacked', () => posing(60_000, 60_000, deflateSync(new Uint8Array(1_000_000))), 'pictureTooLarge'],
    ['a width that overflows', () => posing(0xffff_ffff, 0xffff_ffff, new Uint8Array(0)), 'pictureTooLarge'],
    ['a picture of no size', () => posing(0, 0, new Uint8Array(0)), 'damagedPicture'],
  ])('refuses %s', async (_name, picture, problem) => {
    expect(await problemOf(scanActivationQrCode(picture(), NOW_MS))).toEqual(usage(problem));
  });

  it('refuses a QR code that is out of date, and takes it a moment before', async () => {
    expect(await problemOf(scanActivationQrCode(png([CONTENT]), CODE.expiryEpochS * 1_000))).toEqual(['ERR_REJECTED_EXPIRED', 'F1.2', 'expiredQrCode']);
    expect(await scanActivationQrCode(png([CONTENT]), CODE.expiryEpochS * 1_000 - 1)).toBe(CONTENT);
  });

  it('reads a picture with transparent parts as it looks on white', () => {
    const picture = new PNG({ width: 2, height: 1 });
    picture.data.set([0, 0, 0, 0, 0, 0, 0, 255]);
    expect([...readPicture(new Uint8Array(PNG.sync.write(picture))).data]).toEqual([255, 255, 255, 255, 0, 0, 0, 255]);
  });

  it('has no other errors for damaged pictures', async () => {
    const whole = png([CONTENT], 2);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = whole.slice();
        damaged[at] = (damaged[at] as number) ^ change;
        const outcome = await scanActivationQrCode(damaged, NOW_MS).catch((error: { readonly code?: string }) => error.code);
        expect([CONTENT, 'ERR_USAGE_ARGUMENT']).toContain(outcome);
      }),
      { numRuns: 60 },
    );
  });
});

describe('opening a mail (F1.2)', () => {
  it('finds the picture that the server put into its activation mail', async () => {
    const lab = await startLab();
    const ada = await lab.admin.createUser({ username: 'ada', email: 'ada@example.com' });
    const { qrCode, mail } = await lab.admin.sendActivationMail(ada.guid, { qrCode: {} });
    while (lab.admin.mail(mail.mailId).status === 'waiting') await new Promise((resolve) => setImmediate(resolve));
    const [arrived] = lab.admin.inbox({ to: 'ada@example.com' });
    const picture = await pictureInMail(arrived?.source as Uint8Array);
    expect(await scanActivationQrCode(picture, Date.now())).toBe(qrCode?.content);
    await lab.close();
  });

  it.each([
    ['without a picture', 'Subject: hello\r\n\r\nno picture here', 'noPicture'],
    ['with another kind of attachment', 'Content-Type: image/gif\r\nContent-Transfer-Encoding: base64\r\n\r\nR0lGODlh', 'noPicture'],
    ['that is too large', 'x'.repeat(1_048_577), 'damagedMail'],
    ['whose head does not end', `X: ${'y'.repeat(100_000)}`, 'damagedMail'],
  ])('refuses one %s', async (_name, source, problem) => {
    expect(await problemOf(pictureInMail(new TextEncoder().encode(source)))).toEqual(usage(problem));
  });
});
