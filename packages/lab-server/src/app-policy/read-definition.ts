import {
  CONTROLS,
  type Control,
  DEFINITION_LIMITS,
  DEFINITION_NAMESPACE,
  DEFINITION_ROOT,
  type DefinitionFault,
  type PolicyDefinition,
  PolicyDefinitionError,
  type PolicyOption,
  type PolicySetting,
  type PolicyValue,
} from './definition.ts';
import { fitsIntoMessage } from './values.ts';
import { readViews, type ViewOfSetting } from './views.ts';
import { allowOnly, attribute, childText, only, textOf } from './xml-parts.ts';
import { type XmlElement, xmlTree } from './xml-tree.ts';

/** Key whose hidden value names the version of the definition, by custom. */
const VERSION_KEY = 'version';
const CONTROL_PARTS: Readonly<Record<Control, readonly string[]>> = {
  hidden: ['key', 'value'],
  checkbox: ['key', 'label', 'value'],
  text: ['key', 'label', 'value', 'maxlength'],
  textarea: ['key', 'label', 'value', 'maxlength'],
  select: ['key', 'label', 'value', 'options'],
  multiselect: ['key', 'label', 'value', 'options'],
};
const PLAIN_NUMBER = /^(?:0|-?[1-9]\d{0,14}|-?(?:0|[1-9]\d{0,14})\.\d{0,14}[1-9])$/;
const KEY = /^[^\p{Cc}\p{Cs}\s]+$/u;

/**
 * Reads and checks the policy definition of an app (documented schema `urn:AppPolicySchema1.good.com`).
 * @throws PolicyDefinitionError with line, column and path of what is not taken
 */
export function readDefinition(xml: string): PolicyDefinition {
  const root = xmlTree(xml);
  if (root.name !== DEFINITION_ROOT || root.namespace !== DEFINITION_NAMESPACE)
    throw fault('wrongRoot', `the root has to be ${DEFINITION_ROOT} of the namespace ${DEFINITION_NAMESPACE}`, root);
  allowOnly(root, ['pview', 'setting', 'dl', 'do'], []);
  const named = (name: string): readonly XmlElement[] => root.children.filter((child) => child.name === name);
  const lists = byName(named('dl'), optionsOf);
  const chosen = byName(named('do'), valuesOf);
  const settings = byName(named('setting'), (setting) => settingOf(setting, lists, chosen));
  if (settings.size > DEFINITION_LIMITS.settings) throw fault('tooLarge', `more than ${DEFINITION_LIMITS.settings} settings`, root);
  const keys = new Set<string>();
  for (const { key, at } of settings.values()) {
    // check: a key says one thing
    if (keys.has(key)) throw fault('duplicate', `the key ${key} is there twice`, at);
    keys.add(key);
  }
  const views = readViews(named('pview'), new Map([...settings].map(([name, { control }]) => [name, control])));
  const read = [...settings.values()].map(({ at: _at, ...setting }) => withView(setting, views.get(setting.name)));
  const version = read.find(({ key, control }) => key === VERSION_KEY && control === 'hidden')?.initial;
  const definition: PolicyDefinition = { ...(typeof version === 'string' ? { version } : {}), settings: read };
  if (!fitsIntoMessage(definition)) throw fault('tooLarge', `the values that it begins with take more than ${DEFINITION_LIMITS.valueBytes} bytes`, root);
  return definition;
}

/** A setting that a view names is sent unless every such view is sent to nobody. */
function withView(setting: Omit<PolicySetting, 'isSent'>, view: ViewOfSetting | undefined): PolicySetting {
  const { dependsOn, isSent } = view ?? { isSent: true };
  return { ...setting, ...(dependsOn === undefined ? {} : { dependsOn }), isSent };
}

type Read = Omit<PolicySetting, 'isSent'> & { readonly at: XmlElement };

function settingOf(setting: XmlElement, lists: ReadonlyMap<string, readonly PolicyOption[]>, chosen: ReadonlyMap<string, readonly string[]>): Read {
  allowOnly(setting, CONTROLS, ['name']);
  const [at, second] = setting.children;
  if (at === undefined) throw fault('missing', `a setting holds one of ${CONTROLS.join(', ')}`, setting);
  if (second !== undefined) throw fault('duplicate', 'a setting holds one control', second);
  const control = at.name as Control;
  allowOnly(at, CONTROL_PARTS[control], []);
  const key = childText(at, 'key') ?? missing(at, 'key');
  // check: `__proto__` is no name of anything in an app that is written in JavaScript
  if (key.length > DEFINITION_LIMITS.nameCharacters || !KEY.test(key) || key === '__proto__') throw fault('badValue', 'is no key', only(at, 'key') ?? at);
  const label = childText(at, 'label');
  const maxLength = lengthOf(at);
  const options = control === 'select' || control === 'multiselect' ? referred(at, 'options', lists) : undefined;
  const initial = initialOf(at, control, { maxLength, options, chosen });
  return {
    name: attribute(setting, 'name'),
    key,
    control,
    ...(label === undefined ? {} : { label }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(options === undefined ? {} : { options }),
    ...(initial === undefined ? {} : { initial }),
    at,
  };
}

interface Around {
  readonly maxLength: number | undefined;
  readonly options: readonly PolicyOption[] | undefined;
  readonly chosen: ReadonlyMap<string, readonly string[]>;
}

/** What holds while nobody sets another value. */
function initialOf(at: XmlElement, control: Control, { maxLength, options = [], chosen }: Around): PolicyValue | undefined {
  const value = only(at, 'value');
  const where = value ?? at;
  const optionOf = (text: string): number | string => {
    const option = options.find(({ value: one }) => (typeof one === 'number' ? PLAIN_NUMBER.test(text) && Number(text) === one : one === text));
    if (option === undefined) throw fault('badValue', 'is none of the options', where);
    return option.value;
  };
  if (value !== undefined) allowOnly(value, [], control === 'multiselect' ? ['ref'] : []);
  switch (control) {
    case 'checkbox': {
      const text = value === undefined ? 'false' : textOf(value);
      if (text !== 'true' && text !== 'false') throw fault('badValue', 'is neither true nor false', where);
      return text === 'true';
    }
    case 'multiselect': {
      if (value === undefined) return [];
      const texts = value.attributes.has('ref') ? referred(at, 'value', chosen) : textOf(value) === '' ? [] : [textOf(value)];
      const set = new Set(texts.map(optionOf));
      return options.map((option) => option.value).filter((one) => set.has(one));
    }
    case 'select':
      return value === undefined || textOf(value) === '' ? undefined : optionOf(textOf(value));
    default: {
      if (value === undefined) return undefined;
      const text = textOf(value);
      if (maxLength !== undefined && text.length > maxLength) throw fault('badValue', `is longer than ${maxLength} characters`, where);
      return text;
    }
  }
}

function lengthOf(at: XmlElement): number | undefined {
  const text = childText(at, 'maxlength');
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(text) || Number(text) > DEFINITION_LIMITS.textCharacters)
    throw fault('badValue', `is no whole number from 1 to ${DEFINITION_LIMITS.textCharacters}`, only(at, 'maxlength') ?? at);
  return Number(text);
}

/** What a list offers; its `dtype` says what apps get. */
function optionsOf(list: XmlElement): readonly PolicyOption[] {
  allowOnly(list, ['dv'], ['name', 'dtype']);
  const isNumber = dtypeOf(list) === 'number';
  const options = list.children.map((option): PolicyOption => {
    allowOnly(option, ['desc', 'value'], []);
    const text = childText(option, 'value') ?? missing(option, 'value');
    if (isNumber && !PLAIN_NUMBER.test(text)) throw fault('badValue', 'is no number, which the dtype of the list wants', option);
    const value = isNumber ? Number(text) : text;
    return { value, description: childText(option, 'desc') ?? text };
  });
  if (options.length === 0) throw fault('missing', 'a list has a dv', list);
  if (options.length > DEFINITION_LIMITS.options) throw fault('tooLarge', `more than ${DEFINITION_LIMITS.options} options`, list);
  if (new Set(options.map(({ value }) => value)).size < options.length) throw fault('duplicate', 'a value is there twice', list);
  return options;
}

/** What a `do` begins with, as text: its `dtype` counts for nothing, the options that it names have theirs. */
function valuesOf(chosen: XmlElement): readonly string[] {
  allowOnly(chosen, ['value'], ['name', 'dtype']);
  dtypeOf(chosen);
  return chosen.children.map((value) => textOf(value));
}

function dtypeOf({ attributes, ...at }: XmlElement): 'string' | 'number' {
  const dtype = attributes.get('dtype') ?? 'string';
  if (dtype !== 'string' && dtype !== 'number') throw fault('badValue', 'dtype is string or number', { ...at, attributes });
  return dtype;
}

/** Elements by their `name`, which stands once. */
function byName<T>(elements: readonly XmlElement[], read: (element: XmlElement) => T): Map<string, T> {
  const found = new Map<string, T>();
  for (const element of elements) {
    const name = attribute(element, 'name');
    if (found.has(name)) throw fault('duplicate', `${element.name} ${name} is there twice`, element);
    found.set(name, read(element));
  }
  return found;
}

/** What the `ref` of a part of a control names. */
function referred<T>(at: XmlElement, part: string, known: ReadonlyMap<string, T>): T {
  const element = only(at, part) ?? missing(at, part);
  allowOnly(element, [], ['ref']);
  const found = known.get(attribute(element, 'ref'));
  if (found === undefined) throw fault('unknownReference', `there is no ${part === 'options' ? 'dl' : 'do'} of this name`, element);
  return found;
}

function missing(at: XmlElement, part: string): never {
  throw fault('missing', `${part} is missing`, at);
}

function fault(why: DefinitionFault, what: string, at: XmlElement): PolicyDefinitionError {
  return new PolicyDefinitionError(why, what, at);
}
