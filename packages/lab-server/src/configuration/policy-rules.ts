import * as v from 'valibot';

const allowed = v.optional(v.boolean());
const count = (min: number, max: number) => v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max)));
const appIds = v.optional(v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(128))), v.maxLength(200)));

/** How much a password has to mix. */
export const PASSWORD_COMPLEXITIES = ['NONE', 'NUMERIC', 'ALPHABETIC', 'ALPHANUMERIC', 'COMPLEX'] as const;

/**
 * Rules of an IT policy by group. The groups are the documented ones (password, device functionality, apps, security and privacy); complete lists of their rules are not public, so the
 * rules are ours. A rule that is left out says nothing.
 */
export const policyRules: v.GenericSchema<unknown, PolicyRules> = v.strictObject({
  password: v.optional(
    v.strictObject({
      required: allowed,
      minimumLength: count(1, 64),
      complexity: v.optional(v.picklist(PASSWORD_COMPLEXITIES)),
      maximumAttempts: count(3, 100),
      expiryDays: count(1, 3_650),
      historyLength: count(1, 50),
      lockAfterInactivityS: count(15, 86_400),
    }),
  ),
  deviceFunctionality: v.optional(
    v.strictObject({
      allowCamera: allowed,
      allowScreenCapture: allowed,
      allowBluetooth: allowed,
      allowWiFi: allowed,
      allowUsbStorage: allowed,
      allowNfc: allowed,
      allowTethering: allowed,
      allowVoiceAssistant: allowed,
    }),
  ),
  apps: v.optional(
    v.strictObject({
      allowUnknownSources: allowed,
      allowAppStore: allowed,
      allowUninstall: allowed,
      allowedApplications: appIds,
      blockedApplications: appIds,
    }),
  ),
  securityAndPrivacy: v.optional(
    v.strictObject({
      encryptionRequired: allowed,
      allowBackup: allowed,
      allowLocation: allowed,
      allowDiagnostics: allowed,
      allowCopyFromWorkSpace: allowed,
      allowFactoryReset: allowed,
    }),
  ),
});

type Flags<Names extends string> = Readonly<Partial<Record<Names, boolean | undefined>>>;
type Numbers<Names extends string> = Readonly<Partial<Record<Names, number | undefined>>>;

/** Rules of an IT policy, as checked. */
export interface PolicyRules {
  readonly password?:
    | (Flags<'required'> &
        Numbers<'minimumLength' | 'maximumAttempts' | 'expiryDays' | 'historyLength' | 'lockAfterInactivityS'> & {
          readonly complexity?: (typeof PASSWORD_COMPLEXITIES)[number] | undefined;
        })
    | undefined;
  readonly deviceFunctionality?:
    | Flags<'allowCamera' | 'allowScreenCapture' | 'allowBluetooth' | 'allowWiFi' | 'allowUsbStorage' | 'allowNfc' | 'allowTethering' | 'allowVoiceAssistant'>
    | undefined;
  readonly apps?:
    | (Flags<'allowUnknownSources' | 'allowAppStore' | 'allowUninstall'> & {
        readonly allowedApplications?: readonly string[] | undefined;
        readonly blockedApplications?: readonly string[] | undefined;
      })
    | undefined;
  readonly securityAndPrivacy?:
    | Flags<'encryptionRequired' | 'allowBackup' | 'allowLocation' | 'allowDiagnostics' | 'allowCopyFromWorkSpace' | 'allowFactoryReset'>
    | undefined;
}
