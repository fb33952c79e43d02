/** One difference: what is missing, or too much, on which side. */
export interface Difference {
  readonly device: number;
  readonly problem:
    | 'notActivated'
    | 'notOnServer'
    | 'otherDeviceOnServer'
    | 'duplicateOnServer'
    | 'leftButOnServer'
    | 'notManaged'
    | 'executedTwice'
    | 'commandLost'
    | 'commandOpen'
    | 'statusDiffers'
    | 'unknownCommand'
    | 'pushNotRecovered'
    // Against what the plan expects of a command.
    | 'notRefused'
    | 'refusedByUem'
    | 'carriedOut'
    | 'refusedByDevice'
    | 'hadEffect'
    | 'failedWithEffect'
    // Policies, profiles and applications.
    | 'configurationOpen'
    | 'configurationDiffers'
    | 'configurationNotPlanned';
  readonly detail: string;
}
