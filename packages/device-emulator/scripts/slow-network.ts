import type { NocTransport } from '@uemkit/dynamics-sdk';
import type { FakeClock } from '@uemkit/protocol/testing';
import type { UemTransport } from '@uemkit/uem-client';

/** One way between a device and a server. */
const LATENCY_MS = 12;

/** A network that takes its time, in virtual time. */
export function slowUem(inner: UemTransport, clock: FakeClock): UemTransport {
  const pause = (): Promise<void> => new Promise((done) => void clock.setTimer(LATENCY_MS, done));
  return {
    async exchange(request) {
      await pause();
      const answer = await inner.exchange(request);
      await pause();
      return answer;
    },
    async openPush(request) {
      const { address, trust, signal } = request;
      const connection = await inner.openPush({
        address,
        trust,
        ...(signal === undefined ? {} : { signal }),
        onFrame: (frame) => void clock.setTimer(LATENCY_MS, () => request.onFrame(frame)),
        onClose: (error) => request.onClose(error),
      });
      return { send: (frame) => void clock.setTimer(LATENCY_MS, () => connection.send(frame)), close: () => connection.close() };
    },
    release: () => inner.release(),
    close: () => inner.close(),
  };
}

/** The same between an app and the NOC. */
export function slowNoc(inner: NocTransport, clock: FakeClock): NocTransport {
  return {
    async openNoc(request) {
      const connection = await inner.openNoc({ ...request, onFrame: (frame) => void clock.setTimer(LATENCY_MS, () => request.onFrame(frame)) });
      return { send: (frame) => void clock.setTimer(LATENCY_MS, () => connection.send(frame)), close: () => connection.close() };
    },
  };
}
