import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicyDefinition, PolicyOption, PolicySetting, PolicyValue } from '../../src/app-policy/definition.ts';
import { readDefinition } from '../../src/app-policy/read-definition.ts';
import { checkValues, valuesInForce, valuesJson, valuesOfJson } from '../../src/app-policy/values.ts';
import { definitionOf } from '../support/policy-definitions.ts';

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll(']]>', ']]&gt;').replaceAll('\r', '&#13;');
/** Text as XML may hold it, without white space at its ends. */
const plain = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .filter((text) => text === text.trim() && !/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/u.test(text) && text.length <= 200);
const numbers = fc
  .oneof(
    fc.integer(),
    fc.integer({ min: -9_999, max: 9_999 }).map((n) => n / 4),
  )
  .filter((n) => !Object.is(n, -0));
const optionsOf = (value: fc.Arbitrary<number | string>): fc.Arbitrary<readonly PolicyOption[]> =>
  fc.uniqueArray(fc.record({ value, description: plain }), { selector: (option) => option.value, minLength: 1, maxLength: 6 });
const options = fc.oneof(optionsOf(numbers), optionsOf(plain.filter((text) => text !== '')));
const maxLength = fc.option(fc.integer({ min: 200, max: 4_096 }), { nil: undefined });

type Body = Pick<PolicySetting, 'control' | 'maxLength' | 'options' | 'initial'>;
const body: fc.Arbitrary<Body> = fc.oneof<fc.Arbitrary<Body>[]>(
  fc.record({ control: fc.constant('hidden' as const), initial: fc.option(plain, { nil: undefined }) }),
  fc.record({ control: fc.constant('checkbox' as const), initial: fc.boolean() }),
  fc.record({ control: fc.constantFrom('text' as const, 'textarea' as const), maxLength, initial: fc.option(plain, { nil: undefined }) }),
  options.chain((list) =>
    fc.record({
      control: fc.constant('select' as const),
      options: fc.constant(list),
      initial: fc.option(fc.constantFrom(...list.map(({ value }) => value)), { nil: undefined }),
    }),
  ),
  options.chain((list) =>
    fc.record({ control: fc.constant('multiselect' as const), options: fc.constant(list), initial: fc.subarray(list.map(({ value }) => value)) }),
  ),
);
const definitions: fc.Arbitrary<PolicyDefinition> = fc
  .array(fc.record({ body, label: plain, isSent: fc.boolean() }), { maxLength: 12 })
  .map((all) => ({ settings: all.map(({ body: part, label, isSent }, index) => ({ name: `name-${index}`, key: `key.${index}`, label, isSent, ...part })) }));

/** Writes a definition as an app developer would. */
function xmlOf({ settings }: PolicyDefinition): string {
  const parts = settings.map(({ name, key, control, label = '', maxLength: most, options: list, initial }) => {
    const isNumber = typeof list?.[0]?.value === 'number';
    const dl = list?.map(({ value, description }) => `<dv><desc>${escaped(description)}</desc><value>${escaped(String(value))}</value></dv>`).join('');
    const lists = dl === undefined ? '' : `<dl name="${name}"${isNumber ? ' dtype="number"' : ''}>${dl}</dl>`;
    const chosen = Array.isArray(initial) ? `<do name="${name}">${initial.map((one) => `<value>${escaped(String(one))}</value>`).join('')}</do>` : '';
    const value = initial === undefined ? '' : Array.isArray(initial) ? `<value ref="${name}"/>` : `<value>${escaped(String(initial))}</value>`;
    const length = most === undefined ? '' : `<maxlength>${most}</maxlength>`;
    const shown = control === 'hidden' ? '' : `<label>${escaped(label)}</label>`;
    const offered = list === undefined ? '' : `<options ref="${name}"/>`;
    return `${chosen}<setting name="${name}"><${control}><key>${key}</key>${shown}${value}${length}${offered}</${control}></setting>${lists}`;
  });
  const hidden = settings.filter(({ isSent }) => !isSent).map(({ name }) => `<pe ref="${name}"/>`);
  return definitionOf(`<pview><sendto client="None"/>${hidden.join('')}</pview>${parts.join('\n')}`);
}

/** A value that an administrator may set, for some of the settings. */
const setFor = ({ settings }: PolicyDefinition): fc.Arbitrary<Readonly<Record<string, PolicyValue | undefined>>> => {
  const fields = settings.flatMap(({ key, control, options: list = [] }): [string, fc.Arbitrary<PolicyValue>][] => {
    const values = list.map(({ value }) => value);
    if (control === 'checkbox') return [[key, fc.boolean()]];
    if (control === 'select') return [[key, fc.constantFrom(...values)]];
    if (control === 'multiselect') return [[key, fc.subarray(values)]];
    return control === 'hidden' ? [] : [[key, fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => text.length <= 200)]];
  });
  return fc.record(Object.fromEntries(fields), { requiredKeys: [] });
};

/** As records compare: what is undefined is not there. */
const bare = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a definition and its values', () => {
  it('are read as they were written, and reach the app as they were set', () => {
    fc.assert(
      fc.property(
        definitions.chain((definition) => fc.tuple(fc.constant(definition), setFor(definition))),
        ([definition, set]) => {
          const read = readDefinition(xmlOf(definition));
          const wanted = definition.settings.map(({ control, label, ...setting }) =>
            control === 'hidden' ? { ...setting, control } : { ...setting, control, label },
          );
          expect(bare(read.settings)).toEqual(bare(wanted));
          const checked = checkValues(read, set);
          if (!('values' in checked)) throw new Error(JSON.stringify(checked));
          expect(valuesOfJson(valuesJson(checked.values))).toEqual(checked.values);
          const told = JSON.parse(valuesJson(valuesInForce(read, checked.values)));
          const expected = definition.settings.flatMap(({ key, initial, isSent }) => {
            const value = set[key] ?? initial;
            return value === undefined || !isSent ? [] : [[key, value]];
          });
          expect(told).toEqual(Object.fromEntries(expected));
        },
      ),
      { numRuns: process.env['SLOW'] === undefined ? 150 : 5_000 },
    );
  });

  it('whatever text comes is a definition or an error of ours', () => {
    const junk = fc.oneof(
      fc.string(),
      fc.string().map(definitionOf),
      fc.constantFrom('<pview>', '<setting name="a">', '</pview>', '&#0;', '\0').map(definitionOf),
    );
    fc.assert(
      fc.property(junk, (xml) => {
        try {
          readDefinition(xml);
        } catch (error) {
          expect((error as Error).name).toBe('PolicyDefinitionError');
        }
      }),
    );
  });
});
