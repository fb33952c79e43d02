import { ProtocolError } from '../../errors/protocol-error.ts';
import { CborInput } from './decode.ts';
import { CborOutput, encodeValue, MAJOR_MAP, sortedTexts } from './encode.ts';

/** What a field of a record may hold. */
export type CborField = number | string | boolean | Uint8Array | readonly CborField[] | CborRecord;

/** A map with text keys as an object. Undefined fields are left out. */
export interface CborRecord {
  readonly [field: string]: CborField | undefined;
}

/** Most records fit. One encoding at a time writes into it, and leaves nothing in it. */
const scratch = new Uint8Array(1_024);

/**
 * Deterministic CBOR of an object: the same bytes as `encodeCbor` makes of the map with these keys.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT`, `ERR_WIRE_LIMIT` as `encodeCbor`
 */
export function encodeCborRecord(record: CborRecord): Uint8Array {
  const output = new CborOutput(0, scratch);
  try {
    encodeValue(output, record, 0, writeRecord);
    return output.finish();
  } finally {
    scratch.fill(0);
  }
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
 * @throws ProtocolError `ERR_WIRE_*`
 */
export function decodeCborRecord(bytes: Uint8Array, wanted?: ReadonlySet<string>): CborRecord {
  return new RecordInput(bytes, wanted).record();
}

/** Has the shape of an ordinary object, which takes a fraction of the memory and time of one without a prototype. */
const Fields = function Fields() {} as unknown as new () => object;
Fields.prototype = Object.create(null);

class RecordInput extends CborInput<CborRecord> {
  private readonly wanted: ReadonlySet<string> | undefined;

  constructor(bytes: Uint8Array, wanted: ReadonlySet<string> | undefined) {
    super(bytes);
    this.wanted = wanted;
  }

  record(): CborRecord {
    const value = this.whole();
    if (value instanceof Fields) return value as CborRecord;
    return this.fail('ERR_WIRE_TYPE', 'value is not a map');
  }

  protected map(count: number, depth: number): CborRecord {
    const record = new Fields() as Record<string, CborField>;
    const wanted = depth === 0 ? this.wanted : undefined;
    let previous = 0;
    for (let i = 0; i < count; i++) {
      const start = this.offset;
      const name = this.value(depth + 1);
      if (typeof name !== 'string') return this.fail('ERR_WIRE_TYPE', 'map key is not text');
      if (i > 0) this.requireOrder(previous, start);
      previous = start;
      if (wanted?.has(name) === false) this.skip(depth + 1);
      else record[name] = this.value(depth + 1);
    }
    return record;
  }
}
