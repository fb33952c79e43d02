import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex, userIdHash } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDiagram } from '../../src/diagram/diagram.ts';
import { LANE_PX, labelSpan, sinceText, sizeText } from '../../src/diagram/geometry.ts';
import { readLines } from '../../src/diagram/line-reader.ts';
import { toMermaid } from '../../src/diagram/mermaid.ts';
import { toPage } from '../../src/diagram/page.ts';
import { MAX_DRAWN_BODY_CHARACTERS, type ReadTraceOptions, readTrace } from '../../src/diagram/read-trace.ts';
import { toSvg } from '../../src/diagram/svg.ts';
import { cut, escapeMarkup, visible, width } from '../../src/diagram/text.ts';
import type { TraceLine } from '../../src/trace/trace-line.ts';

const crypto = nodeCrypto();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'diagram-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const HOSTILE = '</script><script>alert(1)</script><img src=x onerror=alert(2)>"\'&\u202eevil\u0000';

function line(atMs: number, fields: Partial<TraceLine> = {}): TraceLine {
  return { time: new Date(Date.UTC(2026, 0, 1) + atMs).toISOString(), device: 1, step: 'F5.3', from: 'device', to: 'uem', message: 'poll', ...fields };
}

function file(name: string, lines: readonly (object | string)[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n'));
  return path;
}

function read(lines: readonly (object | string)[], options: Partial<ReadTraceOptions> = {}) {
  return readTrace({ trace: file('trace.ndjson', lines), crypto, ...options });
}

const messages = ({ lines }: { readonly lines: readonly { readonly message: string }[] }): readonly string[] => lines.map(({ message }) => message);

describe('readLines', () => {
  it('gives each line with its number, whatever the pieces, and no line that is too long', async () => {
    const path = file('lines', ['one', '', 'x'.repeat(600_000), 'größe', 'y'.repeat(40)]);
    const seen: [string | undefined, number][] = [];
    await readLines(path, 39, (text, number) => seen.push([text, number]));
    expect(seen).toEqual([
      ['one', 1],
      ['', 2],
      [undefined, 3],
      ['größe', 4],
      [undefined, 5],
    ]);
  });
});

describe('readTrace', () => {
  it('draws in the order of time, and tells damaged lines by number', async () => {
    const bad = [
      'no json',
      '[]',
      '{"time":"yesterday","from":"a","to":"b","message":"c"}',
      { ...line(0), device: -1 },
      { ...line(0), trouble: 'odd' },
      { ...line(0), refs: [1] },
    ];
    const found = await read([line(5, { message: 'second' }), ...bad, { leftOut: 3 }, { leftOut: -1 }, line(1, { message: 'first' })]);
    expect(messages(found)).toEqual(['first', 'second']);
    expect(found.damaged).toEqual([{ file: join(folder, 'trace.ndjson'), count: 7, numbers: [2, 3, 4, 5, 6, 7, 9] }]);
    expect(found.leftOutByWriter).toBe(3);
    const { notes } = makeDiagram(found, { title: 't' });
    expect(notes.join('\n')).toMatch(/3 lines are missing in the trace itself/);
    expect(notes.join('\n')).toMatch(/trace\.ndjson: lines 2, 3, 4, 5, 6, 7, 9 cannot be read/);
  });

  it('stops at its bound and counts the rest', async () => {
    const found = await read(
      Array.from({ length: 30_000 }, (_, at) => line(at)),
      { maxMessages: 100 },
    );
    expect(found.lines).toHaveLength(100);
    expect(found.beyondBound).toBe(29_900);
    expect(makeDiagram(found, { title: 't' }).notes.join()).toContain('29,900 later messages are left out');
  });

  it('cuts a body that is too long', async () => {
    const found = await read([line(0, { body: { text: 'x'.repeat(20_000) } })]);
    expect(found.lines[0]?.body?.length).toBeLessThan(MAX_DRAWN_BODY_CHARACTERS + 50);
    expect(found.lines[0]?.body).toContain('(cut:');
  });

  it('takes one step, or all steps of a flow, and not those of a flow that begins alike', async () => {
    const lines = ['F1.1', 'F1.5', 'F5.1', 'F15.1'].map((step, at) => line(at, { step, message: step }));
    expect(messages(await read(lines, { step: 'F1' }))).toEqual(['F1.1', 'F1.5']);
    expect(messages(await read(lines, { step: 'F1.5' }))).toEqual(['F1.5']);
  });

  it('finds what the servers do for one device by device id, user and reference, also where that is known later', async () => {
    const user = toHex(userIdHash(crypto, 'alice').subarray(0, 8));
    const about = (fields: Partial<TraceLine>) => line(0, { device: undefined, from: 'uem', to: 'infrastructure', ...fields });
    const lines = [
      about({ message: 'profile for all', step: 'F1.1' }),
      about({ message: 'asks', step: undefined }),
      about({ message: 'registers alice', refs: ['00', user] }),
      about({ message: 'registers bob', refs: ['ffff'] }),
      about({ message: 'wakes 1', refs: ['aaaa'] }),
      about({ message: 'wakes 1, lost', refs: ['bbbb'] }),
      about({ message: 'told by UEM', deviceId: 'id-1', refs: ['bbbb'] }),
      about({ message: 'refuses', deviceId: 'id-2' }),
      about({ message: 'refuses alice', userId: 'alice' }),
      line(1, { message: 'device comes up', from: 'device', to: 'device', body: { userId: 'alice', deviceId: 'id-1', title: 'iOS', agent: 'mdm-daemon' } }),
      line(1, { message: 'wakeUp', body: { wakeUpId: { bytes: 16, sha256: 'aaaa' } } }),
      line(1, { device: 2, message: 'other', body: { userId: 'bob', deviceId: 'id-2' } }),
    ];
    const one = await read(lines, { device: 1 });
    expect(messages(one)).toEqual([
      'profile for all',
      'registers alice',
      'wakes 1',
      'wakes 1, lost',
      'told by UEM',
      'refuses alice',
      'device comes up',
      'wakeUp',
    ]);
    expect(one.devices).toEqual(new Set([1]));
    const { lanes } = makeDiagram(one, { title: 't' });
    expect(lanes.map(({ title, subtitle }) => `${title}|${subtitle}`)).toEqual([
      'Device 1|iOS · MDM daemon',
      'Infrastructure|finds UEM, passes on',
      'UEM|manages devices',
    ]);
    expect(messages(await read(lines))).toHaveLength(lines.length);
  });

  it('adds a journal of the server, without what the trace has already', async () => {
    const entry = (fields: object) => ({
      sequence: 1,
      timeMs: Date.UTC(2026, 0, 1) + 2,
      role: 'infrastructure',
      service: 'notifications',
      step: 'F5.2',
      request: 'notify',
      answer: 'notifyResult',
      source: '',
      ...fields,
    });
    const post = '/t/api/v1/users/2/userDevices/3/commands';
    const journal = file('journal.ndjson', [
      entry({ receivedMs: Date.UTC(2026, 0, 1) + 1, bytes: 81, refs: ['aaaa'] }),
      entry({ receivedMs: Date.UTC(2026, 0, 1), refs: ['known'] }),
      entry({ role: 'uem', service: 'admin', step: undefined, request: `POST ${post}`, answer: '201' }),
      entry({ role: 'uem', service: 'admin', step: undefined, request: `POST ${post}`, answer: '201', timeMs: Date.UTC(2026, 0, 1) + 9 }),
      entry({ role: 'uem', service: 'device', request: 'poll', answer: 'idle' }),
      { leftOut: 2 },
      'rubbish',
    ]);
    const found = await read(
      [
        line(0, { device: undefined, from: 'uem', to: 'infrastructure', message: 'notify', answer: 'notifyResult', refs: ['known'], step: 'F5.2' }),
        line(0, {
          from: 'administrator',
          to: 'uem',
          message: 'POST commands',
          answer: '201',
          step: 'F5.1',
          body: { path: post, request: { type: 'LOCK_DEVICE' } },
        }),
      ],
      { journal },
    );
    expect(found.lines.map(({ message, line: { refs } }) => [message, refs?.[0]])).toEqual([
      ['LOCK_DEVICE', undefined],
      ['notify', 'known'],
      ['notify', 'aaaa'],
      ['POST commands', undefined],
    ]);
    expect(found.leftOutByWriter).toBe(2);
    expect(found.damaged).toMatchObject([{ count: 1, numbers: [7] }]);
  });
});

describe('pictures of hostile text', () => {
  const all = Object.fromEntries(['message', 'step', 'from', 'answer', 'reason', 'deviceId'].map((name) => [name, HOSTILE]));
  const drawn = async () =>
    makeDiagram(await read([line(0, { ...all, trouble: 'failed', body: { [HOSTILE]: HOSTILE } }), line(1, { to: 'device', ...all })]), { title: HOSTILE });

  it('are text in HTML and SVG', async () => {
    const diagram = await drawn();
    for (const picture of [toPage(diagram), toSvg(diagram)]) {
      expect(picture).not.toContain('<script>alert');
      expect(picture).not.toContain('<img');
      expect(picture).toContain('&lt;img src=x');
      for (const character of ['\u202e', '\u0000']) expect(picture).not.toContain(character);
    }
  });

  it('have no meaning in Mermaid', async () => {
    const picture = toMermaid(await drawn());
    const texts = picture.split('\n').flatMap((one) => /(?: as |: )(.*)$/.exec(one)?.[1] ?? []);
    expect(texts.length).toBeGreaterThan(5);
    for (const text of texts) expect(text.replaceAll('<br/>', '')).toMatch(/^(?:#\d+;|[^<>"'&;#%\u202e])*$/);
  });
});

describe('measures', () => {
  it('cut to whole cells, wide characters counted twice', () => {
    expect(cut('activationShare', 15)).toBe('activationShare');
    expect(cut('activationShare', 10)).toBe('activatio…');
    expect(cut('日本語日本語', 7)).toBe('日本語…');
    expect(cut('日本語', 6)).toBe('日本語');
    expect(cut('abc', 0)).toBe('…');
    for (const text of ['日本a語日本語', 'aaaaaaaaaaaa', '😀😀😀😀😀'])
      for (let room = 1; room < 14; room++) expect(width(cut(text, room))).toBeLessThanOrEqual(room);
  });

  it('show what cannot be seen', () => {
    expect(visible('a\u202eb\u0000c\ud800d\nE\u200b😀')).toBe('a\\u202eb\\u0000c\\ud800d\\u000aE\\u200b😀');
    expect(escapeMarkup(`<a href="x" b='y'>&`)).toBe('&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;');
  });

  it('tell times and sizes', () => {
    expect([0, 1_234, 61_001, 3_723_004, 90_000_000].map(sinceText)).toEqual(['+0.000', '+1.234', '+1:01.001', '+1:02:03.004', '+1d 1:00:00']);
    expect([undefined, 0, 37, 20_480, 20_971_520].map(sizeText)).toEqual(['', '', '37 B', '20.0 KiB', '20.0 MiB']);
  });

  it('keep every label inside the picture, in any number of lanes', () => {
    for (let lanes = 1; lanes <= 9; lanes++)
      for (let from = 0; from < lanes; from++)
        for (let to = 0; to < lanes; to++) {
          const { left, width: wide } = labelSpan({ from, to }, lanes);
          expect(left).toBeGreaterThanOrEqual(0);
          expect(left + wide).toBeLessThanOrEqual(lanes * LANE_PX);
          expect(wide).toBeGreaterThan(60);
        }
  });

  it('draw lost messages apart from those that arrive', async () => {
    const diagram = makeDiagram(await read([line(0), line(1, { trouble: 'lost', reason: 'on purpose' })]), { title: 't' });
    expect(toMermaid(diagram)).toMatch(/->>.*poll\n.*--x.*lost! poll on purpose/);
    expect(toPage(diagram)).toContain('href="#lost-0-1"');
    expect(readFileSync(file('out.svg', [toSvg(diagram)]), 'utf8')).toContain('class="lost"');
  });
});

describe('the trace of an app in docs/flows', () => {
  it('has every step of F3 with its parts, and each of its messages decoded', async () => {
    const trace = new URL('../../../../docs/flows/one-app.ndjson', import.meta.url).pathname;
    const { lanes, sections } = makeDiagram(await readTrace({ trace, device: 0, step: 'F3', crypto }), { title: 'F3' });
    const between = (step: string): readonly string[] => {
      const rows = sections.filter((section) => section.step === step).flatMap((section) => section.rows);
      return [...new Set(rows.map(({ from, to }) => `${lanes[from]?.id} ${lanes[to]?.id}`))].sort();
    };
    expect(sections.map(({ step }) => step)).toEqual(Array.from({ length: 11 }, (_, index) => `F3.${index + 1}`));
    expect(sections.filter(({ title }) => title === '')).toEqual([]);
    expect(Object.fromEntries(sections.map(({ step = '' }) => [step, between(step)]))).toEqual({
      'F3.1': ['administrator uem'],
      'F3.2': ['user app'],
      'F3.3': ['app device', 'device app', 'device device'],
      'F3.4': ['device uem'],
      'F3.5': ['uem device', 'uem noc'],
      'F3.6': ['device app'],
      'F3.7': ['app noc'],
      'F3.8': ['noc app'],
      'F3.9': ['app noc'],
      'F3.10': ['noc app', 'noc uem'],
      'F3.11': ['app app', 'app noc', 'noc app', 'noc uem', 'uem noc'],
    });
    expect(readFileSync(trace, 'utf8')).not.toContain('undecodable');
  });
});
