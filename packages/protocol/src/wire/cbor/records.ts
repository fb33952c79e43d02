import { ProtocolError } from '../../errors/protocol-error.ts';
import { CborInput } from './decode.ts';
import { CborOutput, encodeValue, MAJOR_MAP, sortedTexts } from './encode.ts';
import type { CborFieldNames } from './field-names.ts';

/** What a field of a record may hold. */
export type CborField = number | string | boolean | Uint8Array | readonly CborField[] | CborRecord;

/** A map with text keys as an object. Undefined fields are left out. */
export interface CborRecord {
  readonly [field: string]: CborField | undefined;
}

/** Records that are encoded one after the other share buffers of this length; each keeps its part for itself, and nothing is written there again. */
const SHARED_BYTES = 16_384;
/** Most records fit. */
const ROOM_BYTES = 1_024;
let shared = new Uint8Array(0);
let sharedUsed = 0;

/**
 * Deterministic CBOR of an object: the same bytes as `encodeCbor` makes of the map with these keys. They may be a part of a buffer that holds other records.
 * @param names of the fields of this kind of record; those that it has not are added
 * @throws ProtocolError `ERR_USAGE_ARGUMENT`, `ERR_WIRE_LIMIT` as `encodeCbor`
 */
export function encodeCborRecord(record: CborRecord, names?: CborFieldNames): Uint8Array {
  if (shared.length - sharedUsed < ROOM_BYTES) {
    shared = new Uint8Array(SHARED_BYTES);
    sharedUsed = 0;
  }
  const output = new CborOutput(sharedUsed, shared);
  if (names === undefined || !writeNamed(output, record, names)) return writeAny(record, names);
  return finished(output);
}

function finished(output: CborOutput): Uint8Array {
  const bytes = output.finishBehind(sharedUsed, shared);
  if (bytes.buffer === shared.buffer) sharedUsed += bytes.length;
  return bytes;
}

function writeAny(record: CborRecord, names: CborFieldNames | undefined): Uint8Array {
  const output = new CborOutput(sharedUsed, shared);
  encodeValue(output, record, 0, writeRecord);
  if (names !== undefined) for (const name of Object.keys(record)) names.learn(name);
  return finished(output);
}

/** Writes a record all of whose names are known. False: it has others, and what was written counts for nothing. */
function writeNamed(output: CborOutput, record: CborRecord, names: CborFieldNames): boolean {
  let left = 0;
  for (const name of Object.keys(record)) if (record[name] !== undefined) left++;
  output.item(0);
  output.head(MAJOR_MAP, left);
  for (let at = 0; at < names.count && left > 0; at++) {
    const value = record[names.name(at)];
    if (value === undefined) continue;
    left--;
    names.write(output, at, 1);
    encodeValue<CborField>(output, value, 1, writeRecord);
  }
  return left === 0;
}

function writeRecord(output: CborOutput, value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'CBOR cannot hold this value');
  const record = value as CborRecord;
  const names = sortedTexts(Object.keys(record).filter((name) => record[name] !== undefined));
  output.head(MAJOR_MAP, names.length);
  for (const name of names) {
    encodeValue(output, name, depth + 1);
    encodeValue<CborField>(output, record[name] as CborField, depth + 1, writeRecord);
  }
}

/**
 * Reads a map with text keys, as `decodeCbor` does, as an object that inherits nothing.
 * @param wanted only these fields of it; the values of the others are gone over
 * @param names of the fields of this kind of record; those that it has not are added
 * @throws ProtocolError `ERR_WIRE_*`
 */
export function decodeCborRecord(bytes: Uint8Array, wanted?: ReadonlySet<string>, names?: CborFieldNames): CborRecord {
  return new RecordInput(bytes, wanted, names).record();
}

/** Has the shape of an ordinary object, which takes a fraction of the memory and time of one without a prototype. */
const Fields = function Fields() {} as unknown as new () => object;
Fields.prototype = Object.create(null);

class RecordInput extends CborInput<CborRecord> {
  private readonly wanted: ReadonlySet<string> | undefined;
  private readonly names: CborFieldNames | undefined;

  constructor(bytes: Uint8Array, wanted: ReadonlySet<string> | undefined, names: CborFieldNames | undefined) {
    super(bytes);
    this.wanted = wanted;
    this.names = names;
  }

  record(): CborRecord {
    const value = this.whole();
    if (value instanceof Fields) return value as CborRecord;
    return this.fail('ERR_WIRE_TYPE', 'value is not a map');
  }

  protected map(count: number, depth: number): CborRecord {
    const record = new Fields() as Record<string, CborField>;
    const names = depth === 0 ? this.names : undefined;
    const wanted = depth === 0 ? this.wanted : undefined;
    let previous = 0;
    let next = 0;
    for (let i = 0; i < count; i++) {
      const start = this.offset;
      const at = names === undefined ? -1 : this.knownName(names, next);
      let name: string;
      if (at >= 0) {
        name = (names as CborFieldNames).name(at);
        // Known names stand in order; only one that is not known may have come before.
        if (i > 0 && next === 0) this.requireOrder(previous, start);
        next = at + 1;
      } else {
        name = this.otherName(depth, i > 0 ? previous : undefined);
        names?.learn(name);
        // Names have moved in the list, and the next known one has to be compared with this one.
        next = 0;
      }
      previous = start;
      if (wanted?.has(name) === false) this.skip(depth + 1);
      else record[name] = this.value(depth + 1);
    }
    return record;
  }

  /** Goes over a name that is known, and gives its place from `from` on; -1: it is none of those. */
  private knownName(names: CborFieldNames, from: number): number {
    for (let at = from; at < names.count; at++) if (this.passEncoding(names.encoding(at), 1)) return at;
    return -1;
  }

  private otherName(depth: number, previous: number | undefined): string {
    const start = this.offset;
    const name = this.value(depth + 1);
    if (typeof name !== 'string') return this.fail('ERR_WIRE_TYPE', 'map key is not text');
    if (previous !== undefined) this.requireOrder(previous, start);
    return name;
  }
}
