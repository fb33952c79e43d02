import { describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../../src/providers/node/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { watchedCrypto } from '../../watched-crypto.ts';
import { DeviceBench, passwordSecret, qrSecretOf, ServerBench } from './activation-bench.ts';

/** At the server: the salt that an unknown user would get, and half of the verifier that nothing fits. */
const PUBLIC = ['mac', 'public key'];

/** Both sides, each with a provider that is watched. */
function watchedRun(secret = passwordSecret()) {
  const [atDevice, atServer] = [watchedCrypto(nodeCrypto(), { spake2: true }), watchedCrypto(nodeCrypto(), { spake2: true })];
  const device = new DeviceBench({ secret, crypto: atDevice.crypto });
  const server = new ServerBench({ options: { crypto: atServer.crypto } });
  return { device, server, atDevice, atServer };
}

/** Lets the next `count` frames of the device be answered. */
function exchange({ device, server }: ReturnType<typeof watchedRun>, count: number, change = (frame: Uint8Array): Uint8Array => frame): void {
  for (let done = 0; done < count && device.sent.length > 0; done++) device.receive(server.handle(change(device.take())).frame);
}

/** What went to the driver to be stretched, as it is now. */
function stretchInputs({ device }: ReturnType<typeof watchedRun>): readonly Uint8Array[] {
  return device.effects.flatMap((effect) => (effect.type === 'request' && effect.request.type === 'stretch' ? [effect.request.stretch.password] : []));
}

describe('activation leaves in memory', () => {
  it.each([
    ['a password', passwordSecret(), 1],
    ['a QR secret', qrSecretOf(), 0],
  ])('nothing once A6 is there, with %s', (_what, secret, stretched) => {
    const run = watchedRun(secret);
    run.device.start();
    exchange(run, 3);
    expect(run.device.machine.state).toBe('confirming');
    expect([run.atDevice.seen > 10, run.atServer.seen > 10]).toEqual([true, true]);
    expect([run.atDevice.left(), run.atServer.left()]).toEqual([[], PUBLIC]);
    expect(stretchInputs(run)).toHaveLength(stretched);
    for (const input of stretchInputs(run)) expect(input.every((byte) => byte === 0)).toBe(true);
  });

  it.each([0, 1, 2])('nothing when it ends after %d answers', (answers) => {
    const run = watchedRun();
    run.device.start();
    exchange(run, answers);
    run.device.input({ type: 'closed' });
    expect(run.device.machine.state).toBe('failed');
    expect(run.atDevice.left()).toEqual([]);
    for (const input of stretchInputs(run)) expect(input.every((byte) => byte === 0)).toBe(true);
    // The server forgets a run that nobody goes on with when somebody else comes.
    run.server.nowMs += 60_000;
    run.server.handle(new DeviceBench().start().take());
    expect(run.atServer.left()).toEqual([...PUBLIC.slice(0, answers), 'mac']);
  });

  it('nothing when the record of A6 opens and holds nothing that can be read', () => {
    const atDevice = watchedCrypto(nodeCrypto(), { spake2: true });
    const device = new DeviceBench({ crypto: atDevice.crypto }).start();
    const node = nodeCrypto();
    const cbcHs512: typeof node.cbcHs512 = (key) => {
      const made = node.cbcHs512(key);
      return {
        ...made,
        seal: (iv, associatedData, plaintext) =>
          made.seal(
            iv,
            associatedData,
            plaintext.map(() => 0xff),
          ),
      };
    };
    const server = new ServerBench({ options: { crypto: { ...node, cbcHs512 } } });
    for (let answers = 0; answers < 3; answers++) device.receive(server.handle(device.take()).frame);
    expect(device.error.code).toBe('ERR_WIRE_TYPE');
    expect(atDevice.left()).toEqual([]);
  });

  it('nothing of the verifier that an unknown user gets', () => {
    const atServer = watchedCrypto(nodeCrypto(), { spake2: true });
    const server = new ServerBench({ users: [], options: { crypto: atServer.crypto } });
    const device = new DeviceBench().start();
    device.receive(server.handle(device.take()).frame);
    device.receive(server.handle(device.take()).frame);
    expect(device.error.code).toBe('ERR_REJECTED_CREDENTIALS');
    server.nowMs += 60_000;
    server.handle(new DeviceBench().start().take());
    expect(atServer.left()).toEqual([...PUBLIC, 'mac']);
  });

  it('neither witness nor scalar once A4 has come', () => {
    const run = watchedRun();
    run.device.start();
    exchange(run, 2);
    expect(run.device.machine.state).toBe('awaitingResult');
    // Keys of the run, and the confirmation that is on its way.
    expect([...run.atDevice.left()].sort()).toEqual(['derived', 'derived', 'derived', 'mac']);
  });

  it('nothing of a run that is refused, at either side', () => {
    const guess = watchedRun(passwordSecret('wrong horse'));
    guess.device.start();
    exchange(guess, 3);
    expect(guess.device.error.code).toBe('ERR_REJECTED_CREDENTIALS');
    expect(guess.atDevice.left()).toEqual([]);

    const forged = watchedRun();
    forged.device.start();
    exchange(forged, 2);
    exchange(forged, 1, (frame) => {
      const request = wire.activationRequest.decode(wire.parseFrame(frame));
      return wire.activationRequest.encode({ ...request, record: request.record.map((byte) => byte ^ 1) });
    });
    expect(forged.device.machine.state).toBe('failed');
    expect([forged.atDevice.left(), forged.atServer.left()]).toEqual([[], PUBLIC]);
  });

  it('nothing of a stretched secret that comes too late', () => {
    const { device } = watchedRun();
    const bytes = new Uint8Array(80).fill(1);
    device.start().input({ type: 'result', result: { type: 'stretched', bytes } });
    expect(bytes).toEqual(new Uint8Array(80));
  });
});
