import { describe, expect, it } from 'vitest';
import { DEFINITION_LIMITS, type DefinitionFault, PolicyDefinitionError } from '../../src/app-policy/definition.ts';
import { readDefinition } from '../../src/app-policy/read-definition.ts';
import { valuesInForce, valuesJson } from '../../src/app-policy/values.ts';
import { A_DEFINITION, definitionOf } from '../support/policy-definitions.ts';

function refused(xml: string): PolicyDefinitionError {
  try {
    readDefinition(xml);
  } catch (error) {
    if (error instanceof PolicyDefinitionError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

const text = (inside: string, name = 'a', key = name): string => `<setting name="${name}"><text><key>${key}</key>${inside}</text></setting>`;
const LIST = '<dl name="l" dtype="number"><dv><value>1</value></dv></dl>';
const select = (inside: string): string => `<setting name="s"><select><key>s</key>${inside}</select></setting>`;

describe('the policy definition of an app', () => {
  it('becomes typed settings with what they begin with', () => {
    const { version, settings } = readDefinition(A_DEFINITION);
    expect(version).toBe('2.1');
    expect(settings.map(({ key, control, initial, isSent }) => [key, control, initial, isSent])).toEqual([
      ['version', 'hidden', '2.1', true],
      ['sound', 'checkbox', true, true],
      ['loudSound', 'checkbox', false, true],
      ['name', 'text', 'Ada', true],
      ['notes', 'textarea', undefined, true],
      ['colour', 'select', 0.5, true],
      ['tabs', 'multiselect', ['a', 'c'], true],
      ['digest', 'hidden', '00:11', false],
    ]);
    expect(settings[1]?.label).toBe('Sound & more');
    expect(settings[2]?.dependsOn).toBe('sound');
    expect(settings[3]?.maxLength).toBe(8);
    expect(settings[5]?.options).toEqual([
      { value: -1, description: 'None' },
      { value: 0.5, description: 'Half' },
      { value: 12, description: 'All' },
    ]);
    expect(settings[6]?.options?.[2]).toEqual({ value: 'c', description: 'c' });
  });

  it('tells apps what a view sends and what none names, and nothing that is for no client', () => {
    expect(valuesJson(valuesInForce(readDefinition(A_DEFINITION)))).toBe(
      '{"version":"2.1","sound":true,"loudSound":false,"name":"Ada","colour":0.5,"tabs":["a","c"]}',
    );
    const both = definitionOf(`<pview><sendto client="None"/><pe ref="a"/></pview><pview><pe ref="a"/></pview>${text('<value>x</value>')}`);
    expect(valuesJson(valuesInForce(readDefinition(both)))).toBe('{"a":"x"}');
    const inside = definitionOf(`<pview><sendto client="None"/><pview><pe ref="a"/></pview></pview>${text('<value>x</value>')}`);
    expect(valuesJson(valuesInForce(readDefinition(inside)))).toBe('{}');
  });

  it('may be empty, may be written under any prefix, and with character references and CDATA', () => {
    expect(readDefinition('<AppPolicyDefinition xmlns="urn:AppPolicySchema1.good.com"/>').settings).toEqual([]);
    const schema =
      '<p:AppPolicyDefinition xmlns:p="urn:AppPolicySchema1.good.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" xml:lang="en">';
    const { settings } = readDefinition(`${schema}<!-- x -->${text('<value>&#65;<![CDATA[<b>&amp;]]>&lt;</value>')}</p:AppPolicyDefinition>`);
    expect(settings[0]?.initial).toBe('A<b>&amp;<');
  });

  it('begins with nothing chosen where it says nothing, or an empty value', () => {
    const multi = (inside: string): string =>
      definitionOf(`<setting name="m"><multiselect><key>m</key>${inside}<options ref="l"/></multiselect></setting>${LIST}`);
    for (const inside of ['', '<value/>']) expect(readDefinition(multi(inside)).settings[0]?.initial).toEqual([]);
    expect(readDefinition(multi('<value>1</value>')).settings[0]?.initial).toEqual([1]);
    expect(readDefinition(definitionOf(select('<value/><options ref="l"/>') + LIST)).settings[0]?.initial).toBe(undefined);
  });

  it('keeps a key that an object has already', () => {
    const definition = readDefinition(definitionOf(['toString', 'constructor', 'hasOwnProperty'].map((name) => text('<value>x</value>', name)).join('')));
    expect(valuesJson(valuesInForce(definition))).toBe('{"toString":"x","constructor":"x","hasOwnProperty":"x"}');
  });
});

const LAUGHS = `<!DOCTYPE lolz [<!ENTITY lol "lol">${[2, 3, 4, 5, 6, 7, 8, 9]
  .map((n) => `<!ENTITY lol${n} "${`&lol${n === 2 ? '' : n - 1};`.repeat(10)}">`)
  .join('')}]><apd:AppPolicyDefinition xmlns:apd="urn:AppPolicySchema1.good.com">${text('<value>&lol9;</value>')}</apd:AppPolicyDefinition>`;
const EXTERNAL = `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><apd:AppPolicyDefinition xmlns:apd="urn:AppPolicySchema1.good.com">${text('<value>&e;</value>')}</apd:AppPolicyDefinition>`;
const repeated = (count: number, one: (n: number) => string): string => Array.from({ length: count }, (_, n) => one(n)).join('');

describe('a definition is refused, with what is wrong and where', () => {
  it.each<[string, string, DefinitionFault, string]>([
    ['entities within entities', LAUGHS, 'documentType', ''],
    ['an external entity', EXTERNAL, 'documentType', ''],
    ['a document type alone', `<!DOCTYPE AppPolicyDefinition>${definitionOf('').slice(39)}`, 'documentType', ''],
    ['an entity that is not there', definitionOf(text('<value>&nbsp;</value>')), 'notXml', 'line 3, '],
    ['half a document', A_DEFINITION.slice(0, 700), 'notXml', ''],
    ['an end that fits no beginning', definitionOf('<pview></pveiw>'), 'notXml', 'line 3, column 16, /AppPolicyDefinition'],
    ['no XML', '{"settings": []}', 'notXml', 'line 1, column 18, /:'],
    ['nothing', '', 'notXml', ''],
    ['two roots', '<a/><b/>', 'notXml', ''],
    ['a prefix of no namespace', '<apd:AppPolicyDefinition/>', 'notXml', ''],
    ['an attribute twice', definitionOf('<setting name="a" name="b"/>'), 'notXml', ''],
    ['another root', '<Policy xmlns="urn:AppPolicySchema1.good.com"/>', 'wrongRoot', 'line 1, column 1, /Policy'],
    ['the root of another namespace', '<AppPolicyDefinition xmlns="urn:AppPolicySchema2.good.com"/>', 'wrongRoot', ''],
    ['the root of no namespace', '<AppPolicyDefinition/>', 'wrongRoot', ''],
    ['deep nesting', definitionOf('<pview>'.repeat(12) + '</pview>'.repeat(12)), 'tooDeep', 'line 3, column 85, /AppPolicyDefinition/pview'],
    ['very deep nesting', definitionOf('<pview>'.repeat(30_000)), 'tooDeep', ''],
    ['too many bytes', definitionOf(`<!--${'x'.repeat(DEFINITION_LIMITS.xmlBytes)}-->`), 'tooLarge', ''],
    ['too many bytes by characters of three each', definitionOf(`<!--${'€'.repeat(90_000)}-->`), 'tooLarge', ''],
    ['too many elements', definitionOf('<pview/>'.repeat(DEFINITION_LIMITS.elements)), 'tooLarge', ''],
    ['too many attributes', definitionOf(`<setting ${repeated(17, (n) => `a${n}="" `)}/>`), 'tooLarge', ''],
    ['too many settings', definitionOf(repeated(501, (n) => text('', `s${n}`))), 'tooLarge', ''],
    ['too many options', definitionOf(`<dl name="l">${repeated(501, (n) => `<dv><value>${n}</value></dv>`)}</dl>`), 'tooLarge', ''],
    ['more than an app can be told', definitionOf(repeated(5, (n) => text(`<value>${'x'.repeat(4_000)}</value>`, `s${n}`))), 'tooLarge', ''],
    ['a key twice', definitionOf(`${text('', 'a', 'k')}\n${text('', 'b', 'k')}`), 'duplicate', 'line 4, column 19, /AppPolicyDefinition/setting/text'],
    ['a setting twice', definitionOf(text('', 'a', 'k') + text('', 'a', 'l')), 'duplicate', ''],
    ['a list twice', definitionOf(LIST + LIST), 'duplicate', ''],
    ['two controls in a setting', definitionOf('<setting name="a"><text><key>a</key></text><text><key>b</key></text></setting>'), 'duplicate', ''],
    ['two keys in a control', definitionOf(text('<key>b</key>')), 'duplicate', ''],
    ['an option twice', definitionOf('<dl name="l" dtype="number"><dv><value>1</value></dv><dv><value>1</value></dv></dl>'), 'duplicate', ''],
    [
      'an unknown control',
      definitionOf('<setting name="a"><slider><key>a</key></slider></setting>'),
      'unknownElement',
      'line 3, column 19, /AppPolicyDefinition/setting/slider',
    ],
    ['an unknown part', definitionOf(text('<maxLength>3</maxLength>')), 'unknownElement', ''],
    ['an unknown element below the root', definitionOf('<policy/>'), 'unknownElement', ''],
    ['a control of another namespace', definitionOf('<setting name="a"><text xmlns="urn:x"><key>a</key></text></setting>'), 'unknownElement', ''],
    ['an unknown attribute', definitionOf('<setting name="a" default="1"><text><key>a</key></text></setting>'), 'unknownAttribute', ''],
    ['options in a text', definitionOf(text('<options ref="l"/>') + LIST), 'unknownElement', ''],
    ['a setting without name', definitionOf('<setting><text><key>a</key></text></setting>'), 'missing', ''],
    ['a setting without control', definitionOf('<setting name="a"/>'), 'missing', ''],
    ['a control without key', definitionOf('<setting name="a"><text/></setting>'), 'missing', ''],
    ['a select without options', definitionOf(select('')), 'missing', ''],
    ['an empty list', definitionOf('<dl name="l"/>'), 'missing', ''],
    ['options that are not there', definitionOf(select('<options ref="x"/>')), 'unknownReference', ''],
    ['a view of a setting that is not there', definitionOf('<pview><pe ref="x"/></pview>'), 'unknownReference', ''],
    ['a view that depends on a setting that is not there', definitionOf(`<pview><pe ref="a" depends="x"/></pview>${text('')}`), 'unknownReference', ''],
    ['a view that depends on a text', definitionOf(`<pview><pe ref="a" depends="a"/></pview>${text('')}`), 'badValue', ''],
    ['a client of sendto that nobody knows', definitionOf('<pview><sendto client="Android"/></pview>'), 'badValue', ''],
    ['an unknown attribute of a pe', definitionOf(`<pview><pe ref="a" hidden="1"/></pview>${text('')}`), 'unknownAttribute', ''],
    ['an element in sendto', definitionOf('<pview><sendto client="None"><pe ref="a"/></sendto></pview>'), 'unknownElement', ''],
    ['text between elements', definitionOf('<pview>x</pview>'), 'badValue', ''],
    ['a key with a space', definitionOf(text('', 'a', 'a b')), 'badValue', ''],
    ['the key of a prototype', definitionOf(text('', 'a', '__proto__')), 'badValue', ''],
    ['a long key', definitionOf(text('', 'a', 'k'.repeat(129))), 'badValue', ''],
    ['a long name', definitionOf(text('', 'a'.repeat(129), 'a')), 'badValue', ''],
    ['a long value', definitionOf(text(`<value>${'x'.repeat(4_097)}</value>`)), 'badValue', ''],
    ['a value over its own length', definitionOf(text('<value>xxx</value><maxlength>2</maxlength>')), 'badValue', ''],
    ['no length', definitionOf(text('<maxlength>0</maxlength>')), 'badValue', ''],
    ['a length over the bound', definitionOf(text('<maxlength>4097</maxlength>')), 'badValue', ''],
    ['a checkbox of yes', definitionOf('<setting name="a"><checkbox><key>a</key><value>yes</value></checkbox></setting>'), 'badValue', ''],
    ['a value that is none of the options', definitionOf(select('<value>2</value><options ref="l"/>') + LIST), 'badValue', ''],
    ['a word in a list of numbers', definitionOf('<dl name="l" dtype="number"><dv><value>one</value></dv></dl>'), 'badValue', ''],
    ['a number that a double cannot hold', definitionOf('<dl name="l" dtype="number"><dv><value>12345678901234567890</value></dv></dl>'), 'badValue', ''],
    ['an unknown part of a list', definitionOf('<dl name="l"><dv><value>1</value></dv><option/></dl>'), 'unknownElement', ''],
    ['an unknown part of an option', definitionOf('<dl name="l"><dv><value>1</value><label>x</label></dv></dl>'), 'unknownElement', ''],
    ['an unknown part of a do', definitionOf('<do name="d"><dv>1</dv></do>'), 'unknownElement', ''],
    ['another dtype of a do', definitionOf('<do name="d" dtype="date"/>'), 'badValue', ''],
    ['options in place', definitionOf(select('<options ref="l"><dl name="x"/></options>') + LIST), 'unknownElement', ''],
    ['another dtype', definitionOf('<dl name="l" dtype="date"><dv><value>1</value></dv></dl>'), 'badValue', ''],
  ])('%s', (_name, xml, fault, where) => {
    const error = refused(xml);
    expect([error.fault, error.message.startsWith(where) || error.message]).toEqual([fault, true]);
    expect(error.message).toMatch(/^line \d+, column [1-9]\d*, \/[\w/]*: /);
    expect(error.message.length).toBeLessThan(400);
  });

  it('whatever half of it arrives', () => {
    for (let length = 0; length < A_DEFINITION.length - 2; length += 7) expect(refused(A_DEFINITION.slice(0, length)).name).toBe('PolicyDefinitionError');
  });
});
