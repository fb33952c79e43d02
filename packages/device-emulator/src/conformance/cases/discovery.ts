import { sameBytes } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ConformanceCase } from '../conformance-case.ts';
import { demandAlert, messageOf } from '../frames.ts';
import { demand, demandSame } from '../mismatch.ts';
import type { Subject } from '../subject.ts';

const ask = (userId: string, versions: readonly number[] = [wire.PROTOCOL_VERSION]): Uint8Array => wire.discoveryRequest.encode({ versions, userId });

async function found(subject: Subject, userId: string): Promise<Uint8Array> {
  const answer = await subject.post('discovery', ask(userId));
  messageOf(answer, wire.discoveryResponse);
  return answer?.body as Uint8Array;
}

/** F1.3: which server activates this user (6.6, 9.5). */
export const discoveryCases: readonly ConformanceCase[] = [
  {
    name: 'discovery-known-user',
    step: 'F1.3',
    section: '6.6',
    demand: 'a registered user is led to the activation listener of the tenant',
    async run(subject) {
      const { userId } = await subject.setUp.user();
      const response = messageOf(await subject.post('discovery', ask(userId)), wire.discoveryResponse);
      demandSame('version', wire.PROTOCOL_VERSION, response.version);
      demandSame('tenant', subject.connection.tenantId, response.tenantId);
      demandSame('activation address', subject.connection.activation, response.activationAddress);
    },
  },
  {
    name: 'discovery-unknown-user-alike',
    step: 'F1.3',
    section: '9.5',
    demand: 'an unknown user gets an answer of the same form and length as a known one',
    async run(subject) {
      const { userId } = await subject.setUp.user();
      const known = await found(subject, userId);
      const unknown = await found(subject, subject.setUp.newName());
      demandSame('length of the answer', known.length, unknown.length);
    },
  },
  {
    name: 'discovery-unknown-user-stable',
    step: 'F1.3',
    section: '9.5',
    demand: 'an unknown user gets the same answer each time',
    async run(subject) {
      const userId = subject.setUp.newName();
      demand(sameBytes(await found(subject, userId), await found(subject, userId)), 'the same answer twice', 'another one');
    },
  },
  {
    name: 'discovery-no-common-version',
    step: 'F1.3',
    section: '1.4',
    demand: 'no version in common is an alert',
    async run(subject) {
      demandAlert(await subject.post('discovery', ask(subject.setUp.newName(), [99])), 'badMessage', 'for version 99');
    },
  },
  {
    name: 'discovery-user-id-form',
    step: 'F1.3',
    section: '1.5',
    demand: 'a user id that is not in its one form is refused',
    async run(subject) {
      demandAlert(await subject.post('discovery', ask('Alice@Conformance.invalid')), 'badMessage', 'for a user id in upper case');
    },
  },
  {
    name: 'discovery-other-frame',
    step: 'F1.3',
    section: '9.2',
    demand: 'a frame of another service is refused',
    async run(subject) {
      demandAlert(await subject.post('discovery', wire.poll.encode({ reason: 'request' })), 'badMessage', 'for a poll at the discovery service');
    },
  },
];
