import * as wire from '@uemkit/protocol/wire';
import type { ConformanceCase } from '../conformance-case.ts';
import { demandClosed, demandStatus, FRAME_MEDIA_TYPE, messageOf } from '../frames.ts';
import type { WireRequest, WireResponse } from '../http-wire.ts';
import { demand, demandSame } from '../mismatch.ts';
import type { Subject } from '../subject.ts';

/** A discovery request, changed on the level of HTTP. */
function ask(subject: Subject, change: Partial<WireRequest> = {}): Promise<WireResponse | undefined> {
  return subject.http.request({
    address: subject.connection.infrastructure,
    path: '/uemkit/1/discovery',
    headers: { 'content-type': FRAME_MEDIA_TYPE },
    body: wire.discoveryRequest.encode({ versions: [wire.PROTOCOL_VERSION], userId: subject.setUp.newName() }),
    ...change,
  });
}

const FRAME = wire.poll.encode({ reason: 'request' });

/** How frames travel over HTTP and TLS (9). */
export const httpBindingCases: readonly ConformanceCase[] = [
  {
    name: 'http-media-type',
    step: 'F1.3',
    section: '9.1',
    demand: 'an answer has status 200, the media type of frames and exactly one frame',
    async run(subject) {
      const answer = demandStatus(await ask(subject), 200, 'for a frame');
      messageOf(answer, wire.discoveryResponse);
      demandSame('content-type', FRAME_MEDIA_TYPE, String(answer.headers['content-type']).split(';')[0]);
    },
  },
  {
    name: 'http-media-type-parameters',
    step: 'F1.3',
    section: '9.1',
    demand: 'parameters of the media type are passed over',
    async run(subject) {
      messageOf(await ask(subject, { headers: { 'content-type': `${FRAME_MEDIA_TYPE}; v=1` } }), wire.discoveryResponse);
    },
  },
  {
    name: 'http-other-media-type',
    step: 'F1.3',
    section: '9.1',
    demand: 'another media type is 415',
    async run(subject) {
      demandStatus(await ask(subject, { headers: { 'content-type': 'application/octet-stream' } }), 415, 'for application/octet-stream');
      demandStatus(await ask(subject, { headers: {} }), 415, 'without a media type');
    },
  },
  {
    name: 'http-other-method',
    step: 'F1.3',
    section: '9.1',
    demand: 'another method is 405, with `allow: POST`',
    async run(subject) {
      const { body: _, ...get } = { method: 'GET', body: undefined };
      const answer = demandStatus(
        await subject.http.request({ address: subject.connection.infrastructure, path: '/uemkit/1/discovery', ...get }),
        405,
        'for GET',
      );
      demandSame('allow', 'POST', String(answer.headers['allow']));
    },
  },
  {
    name: 'http-unknown-service',
    step: 'F1.3',
    section: '9.1',
    demand: 'a service that the listener does not have is 404',
    async run(subject) {
      for (const path of ['/uemkit/1/activation', '/uemkit/1/device', '/uemkit/2/discovery', '/'])
        demandStatus(await ask(subject, { path }), 404, `for ${path}`);
    },
  },
  {
    name: 'http-services-apart',
    step: 'F1.4',
    section: '9.2',
    demand: 'the device service is not to be had at the listener that asks for no certificate',
    async run(subject) {
      demandStatus(
        await ask(subject, { address: subject.connection.activation, path: '/uemkit/1/device', body: FRAME }),
        404,
        'for the device service without mutual TLS',
      );
    },
  },
  {
    name: 'http-no-frame',
    step: 'F1.3',
    section: '9.1',
    demand: 'a body that is no frame is 400',
    async run(subject) {
      const frame = wire.discoveryRequest.encode({ versions: [1], userId: subject.setUp.newName() });
      const bodies: readonly (readonly [string, Uint8Array])[] = [
        ['an empty body', new Uint8Array(0)],
        ['half a header', frame.subarray(0, 5)],
        ['another version', Uint8Array.of(9, ...frame.subarray(1))],
        ['flags', Uint8Array.of(...frame.subarray(0, 3), 1, ...frame.subarray(4))],
        ['an unknown type', Uint8Array.of(1, 0xee, ...frame.subarray(2))],
        ['a frame that is cut short', frame.subarray(0, -1)],
        ['bytes behind the frame', Uint8Array.of(...frame, 0)],
      ];
      for (const [what, body] of bodies) demandStatus(await ask(subject, { body }), 400, `for ${what}`);
    },
  },
  {
    name: 'http-too-large',
    step: 'F1.3',
    section: '9.3',
    demand: 'a body over the limit of the listener is 413',
    async run(subject) {
      demandStatus(await ask(subject, { body: new Uint8Array(32_768) }), 413, 'for 32 KiB');
    },
  },
  {
    name: 'http-headers-too-large',
    step: 'F1.3',
    section: '9.3',
    demand: 'headers over 8 KiB are 431',
    async run(subject) {
      const headers = { 'content-type': FRAME_MEDIA_TYPE, 'x-padding': 'x'.repeat(10_000) };
      demandStatus(await ask(subject, { headers }), 431, 'for headers of 10 KB');
    },
  },
  {
    name: 'http-connection-kept',
    step: 'F5.3',
    section: '9.1',
    demand: 'an error of HTTP says nothing about the peer: the next request is answered',
    async run(subject) {
      demandStatus(await ask(subject, { path: '/uemkit/1/nothing' }), 404, 'for an unknown service');
      messageOf(await ask(subject), wire.discoveryResponse);
    },
  },
  {
    name: 'tls-version',
    step: 'F1.3',
    section: '9.1',
    demand: 'no other version of TLS than 1.3 is answered, at no listener',
    async run(subject) {
      const { infrastructure, activation, devices } = subject.connection;
      for (const address of [infrastructure, activation, devices]) {
        demandClosed(await ask(subject, { address, tls: { version: 'TLSv1.2' } }), 'over TLS 1.2');
      }
      demand((await ask(subject))?.status === 200, 'an answer over TLS 1.3', 'none');
    },
  },
];
