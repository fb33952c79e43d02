import * as wire from '@uemkit/protocol/wire';
import { delay, HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ExchangeRequest, fetchTransport, type PushRequest } from '../../src/index.ts';

const URL = 'https://uem.example/uemkit/1/device';
const FRAME = wire.poll.encode({ reason: 'schedule' });
const ANSWER = wire.idle.encode({ pollIntervalS: 60, pollJitterS: 0, serverTimeEpochS: 1 });
const FRAME_TYPE = 'application/vnd.uemkit.frame';
const PLATFORM_TRUST = { roots: 'platform', spkiPins: [] } as const;

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

function asking(more: Partial<ExchangeRequest> = {}): ExchangeRequest {
  return { address: 'uem.example:443', service: 'device', frame: FRAME, trust: PLATFORM_TRUST, ...more };
}

function transport(): ReturnType<typeof fetchTransport> {
  return fetchTransport({ fetch: (url, init) => fetch(url, init), security: 'platform' });
}

describe('exchange', () => {
  it('posts the frame and gives the answer', async () => {
    server.use(
      http.post(URL, async ({ request }) => {
        expect(request.headers.get('content-type')).toBe(FRAME_TYPE);
        expect(new Uint8Array(await request.arrayBuffer())).toEqual(FRAME);
        return HttpResponse.arrayBuffer(ANSWER.slice().buffer as ArrayBuffer, { headers: { 'content-type': FRAME_TYPE } });
      }),
    );
    expect(await transport().exchange(asking())).toEqual(ANSWER);
  });

  it.each([
    ['status 500', new HttpResponse(null, { status: 500 }), { code: 'ERR_TRANSPORT_HTTP', details: { status: 500 } }],
    ['status 503', new HttpResponse(null, { status: 503, headers: { 'retry-after': '9' } }), { code: 'ERR_REJECTED_BUSY', details: { retryAfterS: 9 } }],
    ['a page of a proxy', HttpResponse.html('<p>sign in</p>'), { code: 'ERR_TRANSPORT_HTTP' }],
    ['an endless answer', new HttpResponse(new Uint8Array(65_545), { headers: { 'content-type': FRAME_TYPE } }), { code: 'ERR_WIRE_LIMIT' }],
    ['no network', HttpResponse.error(), { code: 'ERR_TRANSPORT_CONNECT', details: { sent: 'unknown' } }],
  ])('turns %s into a typed error', async (_name, response, error) => {
    server.use(http.post(URL, () => response));
    await expect(transport().exchange(asking())).rejects.toMatchObject(error);
  });

  // By 303: msw follows no other when the request has a body, so that they would prove nothing.
  it('does not follow a redirect', async () => {
    let followed = 0;
    server.use(
      http.post(URL, () => HttpResponse.redirect('https://elsewhere.example/', 303)),
      http.all('https://elsewhere.example/', () => {
        followed++;
        return HttpResponse.arrayBuffer(ANSWER.slice().buffer as ArrayBuffer, { headers: { 'content-type': FRAME_TYPE } });
      }),
    );
    await expect(transport().exchange(asking())).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CONNECT' });
    expect(followed).toBe(0);
  });

  it('rejects with the reason of an abort, and of close', async () => {
    server.use(
      http.post(URL, async () => {
        await delay('infinite');
      }),
    );
    const abort = new AbortController();
    const asked = transport().exchange(asking({ signal: abort.signal }));
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(asked).rejects.toBe(reason);

    const closing = transport();
    const other = closing.exchange(asking());
    await closing.close();
    await expect(other).rejects.toMatchObject({ kind: 'transport' });
    await expect(closing.exchange(asking())).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
  });

  it.each([
    ['own roots', { trust: { roots: [new Uint8Array(1)], spkiPins: [] } }],
    ['key pins', { trust: { roots: 'platform', spkiPins: [new Uint8Array(32)] } }],
    ['a device certificate', { identity: { deviceId: 'd', certificates: [], keyId: 'k' } }],
  ] as const)('refuses %s, which it cannot apply, before anything is sent', async (_name, more) => {
    await expect(transport().exchange(asking(more))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
  });

  it('hands trust and identity to functions that apply them', async () => {
    const seen: ExchangeRequest[] = [];
    const made = fetchTransport({
      security: 'delegated',
      fetch: async (_url, _init, request) => {
        seen.push(request);
        return new Response(ANSWER.slice(), { headers: { 'content-type': FRAME_TYPE } });
      },
    });
    const request = asking({ trust: { roots: [new Uint8Array(1)], spkiPins: [] }, identity: { deviceId: 'd', certificates: [], keyId: 'k' } });
    expect(await made.exchange(request)).toEqual(ANSWER);
    expect(seen).toEqual([request]);
  });
});

/** A WebSocket that a test plays the other end of. */
class FakeWebSocket extends EventTarget {
  static last: FakeWebSocket;
  binaryType = 'blob';
  readyState = 0;
  readonly sent: unknown[] = [];
  closedWith: number | undefined;

  readonly url: string;
  readonly protocol: string;

  constructor(url: string, protocol: string) {
    super();
    this.url = url;
    this.protocol = protocol;
    FakeWebSocket.last = this;
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(code = 1000): void {
    // As browsers do: other codes are not for pages.
    if (code !== 1000 && (code < 3000 || code > 4999)) throw new DOMException('invalid code', 'InvalidAccessError');
    this.closedWith = code;
    this.end(code, true);
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }

  deliver(data: unknown): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }

  end(code: number, wasClean: boolean): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event('close'), { code, wasClean }));
  }
}

describe('push', () => {
  function listening(more: Partial<PushRequest> = {}): PushRequest & { readonly frames: Uint8Array[]; readonly closed: unknown[] } {
    const frames: Uint8Array[] = [];
    const closed: unknown[] = [];
    return {
      address: 'push.example:443',
      trust: PLATFORM_TRUST,
      frames,
      closed,
      onFrame: (frame) => frames.push(frame),
      onClose: (error) => closed.push(error),
      ...more,
    };
  }

  function withWebSocket(): ReturnType<typeof fetchTransport> {
    return fetchTransport({ fetch: (url, init) => fetch(url, init), webSocket: FakeWebSocket as never, security: 'platform' });
  }

  it('carries binary messages and refuses others', async () => {
    const request = listening();
    const opening = withWebSocket().openPush(request);
    const socket = FakeWebSocket.last;
    expect([socket.url, socket.protocol, socket.binaryType]).toEqual(['wss://push.example:443/uemkit/1/push', 'uemkit.push.1', 'arraybuffer']);
    socket.open();
    const connection = await opening;
    connection.send(FRAME);
    socket.deliver(ANSWER.slice().buffer);
    expect([socket.sent, request.frames]).toEqual([[FRAME], [ANSWER]]);
    socket.deliver('text');
    expect([socket.closedWith, request.closed]).toEqual([4003, [undefined]]);
    connection.send(FRAME);
    expect(socket.sent).toHaveLength(1);
  });

  it('rejects when it does not open, and reports a break', async () => {
    const failing = withWebSocket().openPush(listening());
    FakeWebSocket.last.end(1006, false);
    await expect(failing).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CONNECT' });

    const request = listening();
    const opening = withWebSocket().openPush(request);
    FakeWebSocket.last.open();
    await opening;
    FakeWebSocket.last.end(1006, false);
    expect(request.closed).toMatchObject([{ code: 'ERR_TRANSPORT_CLOSED' }]);
  });

  it('ends at an abort and at close', async () => {
    const abort = new AbortController();
    const opening = withWebSocket().openPush(listening({ signal: abort.signal }));
    abort.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');

    const closing = withWebSocket();
    const request = listening();
    const second = closing.openPush(request);
    FakeWebSocket.last.open();
    await second;
    await closing.close();
    expect(request.closed).toEqual([undefined]);
  });

  it('says that there is no push without a WebSocket', async () => {
    expect(() => transport().openPush(listening())).toThrow(expect.objectContaining({ code: 'ERR_TRANSPORT_CONNECT' }));
  });
});
