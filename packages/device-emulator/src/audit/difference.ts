/** One difference: what is missing, or too much, on which side. */
export interface Difference {
  readonly device: number;
  readonly problem:
    | 'notActivated'
    | 'activationNotRefused'
    | 'notOnServer'
    | 'otherDeviceOnServer'
    | 'duplicateOnServer'
    | 'leftButOnServer'
    | 'notManaged'
    | 'executedTwice'
    | 'commandLost'
    | 'commandOpen'
    | 'commandCancelled'
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
    | 'configurationNotPlanned'
    // What UEM says of compliance.
    | 'complianceNotPlanned'
    | 'complianceDiffers'
    // Dynamics apps.
    | 'appNotActivated'
    | 'appNotOnServer'
    | 'appOtherOnServer'
    | 'appRequestsFailed'
    | 'appRequestsMissing'
    // What administrators have sent to Dynamics apps.
    | 'appCommandRefused'
    | 'appCommandLost'
    | 'appCommandOpen'
    | 'appConditionDiffers'
    | 'appContainerDiffers'
    | 'appDoesNotWork'
    | 'appDiffersOnServer'
    | 'appWipedButOnServer'
    | 'appPolicyOpen'
    | 'appPolicyDiffers';
  readonly detail: string;
}
