/** Kinds of device by the name that they have on the wire (`DeviceInfo.platform`). */
export type PlatformId = 'ios' | 'macos' | 'android-mdm-controls' | 'android-enterprise' | 'samsung-knox' | 'windows-10' | 'blackberry-10';

/** Names of one kind of device; what UEM may do with it is in the table of commands. */
export interface Platform {
  readonly title: string;
  /** `osFamilyName` in the REST API. */
  readonly family: string;
  /** Names of its activation types (`DeviceConfiguration.activationType`). */
  readonly activationTypes: readonly string[];
}

/** The activation type that puts nothing on the device: it is only known, so there is nothing to command, to configure or to watch. */
export const REGISTRATION = '2fa-registration';

const ANDROID_TYPES: readonly string[] = ['work-and-personal-user-privacy', 'work-and-personal-full-control', 'work-space-only'];

/** Every kind of device of the description. */
export const PLATFORMS: Readonly<Record<PlatformId, Platform>> = {
  ios: { title: 'iOS', family: 'iOS', activationTypes: ['mdm-controls', 'user-privacy', REGISTRATION] },
  macos: { title: 'macOS', family: 'macOS', activationTypes: ['mdm-controls'] },
  'android-mdm-controls': {
    title: 'Android with MDM controls',
    family: 'Android',
    activationTypes: ['mdm-controls', 'user-privacy', REGISTRATION],
  },
  'android-enterprise': { title: 'Android Enterprise', family: 'Android', activationTypes: ANDROID_TYPES },
  'samsung-knox': { title: 'Samsung Knox Workspace', family: 'Android', activationTypes: ANDROID_TYPES },
  'windows-10': { title: 'Windows 10', family: 'Windows', activationTypes: ['mdm-controls'] },
  'blackberry-10': { title: 'BlackBerry 10', family: 'BlackBerry 10', activationTypes: ['work-and-personal-regulated', 'work-space-only'] },
};

/** The kind of device called `name`; undefined for a name that is not ours, which a foreign device may have. */
export function platformOf(name: string): Platform | undefined {
  return Object.hasOwn(PLATFORMS, name) ? PLATFORMS[name as PlatformId] : undefined;
}
