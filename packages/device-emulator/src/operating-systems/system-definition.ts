/** One app on the device. `managed`: it belongs to the work space. */
export interface InstalledApp {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly managed: boolean;
}

/** Operating systems that can be emulated. */
export type SystemId = 'android-enterprise' | 'ios';

/** What UEM may touch on a device of one activation type. */
export interface ActivationTypeDefinition {
  readonly name: string;
  /** The activation makes a work space apart from personal data. */
  readonly workSpace: boolean;
  /** The activation makes sure that the device is encrypted. */
  readonly encryptsDevice: boolean;
  /** UEM may set and clear the device password. */
  readonly controlsDevicePassword: boolean;
  /** UEM may delete all device data, personal data included. */
  readonly deletesDevice: boolean;
  /** UEM sees the apps outside the work space too. */
  readonly seesPersonalApps: boolean;
}

/** One operating system as data; behaviour that differs by system is decided by these fields alone. */
export interface SystemDefinition {
  readonly id: SystemId;
  readonly title: string;
  /** `osFamilyName` in the REST API. */
  readonly family: string;
  /** Who is woken by a notification and carries commands out (F5.2). */
  readonly agent: 'uem-client' | 'mdm-daemon';
  /** Notification service of the platform. */
  readonly pushService: 'fcm' | 'apns';
  readonly activationTypes: readonly ActivationTypeDefinition[];
  /** A lock command may bring a new device password. */
  readonly lockMaySetPassword: boolean;
  readonly versions: readonly string[];
  readonly models: readonly string[];
  readonly storageMiB: readonly number[];
  /** On each device. */
  readonly commonApps: readonly InstalledApp[];
  /** Each on a quarter of the devices, chosen by seed. */
  readonly rareApps: readonly InstalledApp[];
  /** Put into the work space by activation. */
  readonly workApps: readonly InstalledApp[];
}

/** The activation type called `name`, or undefined when the system has none of that name. */
export function activationTypeOf(system: SystemDefinition, name: string): ActivationTypeDefinition | undefined {
  return system.activationTypes.find((type) => type.name === name);
}
