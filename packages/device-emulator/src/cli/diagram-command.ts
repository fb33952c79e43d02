import { existsSync, statSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { ProtocolError } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type Diagram, makeDiagram } from '../diagram/diagram.ts';
import { toMermaid } from '../diagram/mermaid.ts';
import { toPage } from '../diagram/page.ts';
import { MAX_DRAWABLE_MESSAGES, MAX_DRAWN_MESSAGES, readTrace } from '../diagram/read-trace.ts';
import { toSvg } from '../diagram/svg.ts';
import { MAX_DEVICES } from '../scenario/scenario.ts';
import type { CliIo } from './cli-io.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { textFlag, wholeFlag } from './flags.ts';
import { progressDisplay } from './progress-display.ts';

const FORMATS: Readonly<Record<string, { readonly extension: string; draw(diagram: Diagram): string }>> = {
  html: { extension: 'html', draw: toPage },
  svg: { extension: 'svg', draw: toSvg },
  mermaid: { extension: 'mmd', draw: toMermaid },
};

/** Files that are read in less than a second or two need no words. */
const LONG_READ_BYTES = 64 * 1_048_576;
const MIB = 1_048_576;

const STEP = /^F\d{1,2}(\.\d{1,2})?$/;

/** `diagram`: a trace as a picture. */
export const diagram: Command = {
  name: 'diagram',
  description: 'Draws a trace as a sequence diagram: who told whom what, when, decoded, with the steps of the flows',
  args: {
    trace: { type: 'positional', description: 'Trace of a run (--trace)', required: true },
    device: { type: 'string', valueHint: 'index', description: 'Only this device and what the servers do for it; all devices unless set' },
    flow: { type: 'string', valueHint: 'F5', description: 'Only this flow, or one step of it (F5.4)' },
    journal: { type: 'string', valueHint: 'file', description: 'Journal of the server (lab-server start --journal), where the trace was written without one' },
    format: { type: 'string', valueHint: 'html|svg|mermaid', description: 'html (unless set) folds the decoded messages out and filters' },
    max: { type: 'string', valueHint: 'messages', description: `Most messages of the picture; ${MAX_DRAWN_MESSAGES} unless set` },
    out: { type: 'string', valueHint: 'file', description: 'File to write; - is standard output; beside the trace unless set' },
  },
  examples: [
    ['device-emulator diagram demo.ndjson --device 1', 'writes demo.html: open it in a browser'],
    ['device-emulator diagram demo.ndjson --device 1 --flow F5 --format svg --out f5.svg', 'one flow for a document'],
    ['device-emulator diagram demo.ndjson --format mermaid --max 50 --out -', 'for a page that draws Mermaid itself'],
  ],
  async run(parsed, io) {
    const [file] = parsed.positionals;
    if (file === undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'which trace? name the file that --trace has written');
    const format = textFlag(parsed, 'format') ?? 'html';
    const drawing = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
    if (drawing === undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', `--format is one of ${Object.keys(FORMATS).join(', ')}`);
    const step = textFlag(parsed, 'flow');
    if (step !== undefined && !STEP.test(step)) throw new ProtocolError('ERR_USAGE_ARGUMENT', '--flow is a flow or a step of one, for example F5 or F5.4');
    const device = wholeFlag(parsed, 'device', 0, MAX_DEVICES - 1);
    const named = textFlag(parsed, 'journal');
    const trace = existing(io.cwd, file, 'trace');
    const journal = named === undefined ? undefined : existing(io.cwd, named, 'journal');
    const read = await readTrace({
      trace,
      journal,
      device,
      step,
      maxMessages: wholeFlag(parsed, 'max', 1, MAX_DRAWABLE_MESSAGES),
      crypto: nodeCrypto(),
      onRead: readingProgress(journal === undefined ? [trace] : [trace, journal], io),
    });
    if (device === undefined && read.devices.size === 0 && step === undefined && journal === undefined) {
      throw new ProtocolError('ERR_USAGE_ARGUMENT', `${file} has no message of any device; a trace is the file that --trace has written`);
    }
    if (device !== undefined && !read.devices.has(device)) {
      throw new ProtocolError('ERR_USAGE_ARGUMENT', `${file} has no message of device ${device}${step === undefined ? '' : ` in ${step}`}`);
    }
    const title = [basename(file), device === undefined ? undefined : `device ${device}`, step].filter((part) => part !== undefined).join(' · ');
    const made = makeDiagram(read, { title });
    const out = textFlag(parsed, 'out') ?? `${file.replace(/\.(nd)?json$/, '')}.${drawing.extension}`;
    const picture = drawing.draw(made);
    if (out === '-') io.out(picture);
    else writeFileSync(resolve(io.cwd, out), picture, { mode: 0o600 });
    for (const note of made.notes) io.err(`${note}\n`);
    if (out !== '-') io.err(`${out}: ${made.messages} messages and steps\n`);
    return EXIT.ok;
  },
};

/** Says how far the reading of long files is, in MiB. */
function readingProgress(files: readonly string[], io: CliIo): ((bytes: number) => void) | undefined {
  const bytes = 2 * files.reduce((sum, file) => sum + statSync(file).size, 0);
  if (bytes < LONG_READ_BYTES) return undefined;
  const display = progressDisplay({ write: io.err, interactive: io.interactive, colour: false });
  const total = Math.ceil(bytes / MIB);
  let read = 0;
  let told = 0;
  return (more) => {
    read += more;
    // A file may grow while it is read.
    const done = Math.min(Math.ceil(read / MIB), total);
    if (done === told) return;
    told = done;
    display.step(done, total, 'MiB of the trace, read twice');
  };
}

function existing(cwd: string, file: string, what: string): string {
  const path = resolve(cwd, file);
  if (!existsSync(path)) throw new ProtocolError('ERR_USAGE_ARGUMENT', `there is no ${what} ${file}`);
  return path;
}
