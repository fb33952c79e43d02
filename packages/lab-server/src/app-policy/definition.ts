/** Namespace of the root element of a definition. */
export const DEFINITION_NAMESPACE = 'urn:AppPolicySchema1.good.com';
/** Name of the root element of a definition. */
export const DEFINITION_ROOT = 'AppPolicyDefinition';

/** What a setting is edited with. */
export const CONTROLS = ['hidden', 'checkbox', 'text', 'textarea', 'select', 'multiselect'] as const;
export type Control = (typeof CONTROLS)[number];

/** Bounds of a definition, and of what apps are told by it. */
export const DEFINITION_LIMITS = {
  /** Of the XML, as UTF-8. */
  xmlBytes: 262_144,
  /** Elements of a document. */
  elements: 8_192,
  /** Elements inside one another, the root included. */
  depth: 12,
  /** Of one element. */
  attributes: 16,
  /** Of one definition. */
  settings: 500,
  /** Of one list. */
  options: 500,
  /** Of a key, or of the name of a setting or list. */
  nameCharacters: 128,
  /** Of a value, label or description. */
  textCharacters: 4_096,
  /** Of all values of one app, as JSON in UTF-8: they travel in one message with everything else that an app is given. */
  valueBytes: 16_384,
} as const;

/** A value as apps get it. */
export type PolicyValue = boolean | number | string | readonly (number | string)[];

/** Values by key. */
export type PolicyValues = ReadonlyMap<string, PolicyValue>;

/** One choice of a list. */
export interface PolicyOption {
  readonly value: number | string;
  /** What people read. */
  readonly description: string;
}

/** One setting of an app, with the control that it is edited with. */
export interface PolicySetting {
  /** What views name it by. */
  readonly name: string;
  /** What the app names it by. */
  readonly key: string;
  readonly control: Control;
  readonly label?: string | undefined;
  /** Of text: the most characters (UTF-16 units). */
  readonly maxLength?: number | undefined;
  /** Of lists. */
  readonly options?: readonly PolicyOption[] | undefined;
  /** In force while nobody sets another one; absent: the app is not told the key. */
  readonly initial?: PolicyValue | undefined;
  /** Name of the checkbox that makes it count; for people who edit. */
  readonly dependsOn?: string | undefined;
  /** False: it stands in views alone that are sent to no client. */
  readonly isSent: boolean;
}

/** What an app can be set to do: its uploaded definition, checked. */
export interface PolicyDefinition {
  /** Value of the hidden key `version`, where there is one. */
  readonly version?: string | undefined;
  readonly settings: readonly PolicySetting[];
}

/** Why a definition is refused. */
export type DefinitionFault =
  | 'notXml'
  | 'documentType'
  | 'tooLarge'
  | 'tooDeep'
  | 'wrongRoot'
  | 'unknownElement'
  | 'unknownAttribute'
  | 'missing'
  | 'duplicate'
  | 'unknownReference'
  | 'badValue';

/** A definition that is not taken: why, and where. `message` says it in one line, with line, column and path. */
export class PolicyDefinitionError extends Error {
  readonly fault: DefinitionFault;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** `/AppPolicyDefinition/setting/select`. */
  readonly path: string;

  constructor(fault: DefinitionFault, what: string, { line, column, path }: { readonly line: number; readonly column: number; readonly path: string }) {
    super(`line ${line}, column ${column}, ${path}: ${what}`);
    this.name = 'PolicyDefinitionError';
    this.fault = fault;
    this.line = line;
    this.column = column;
    this.path = path;
  }
}
