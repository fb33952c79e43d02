/** Refusals of the admin REST API: HTTP status and the number that scripts compare. The numbers are ours, but for 113 and 403. */
const PROBLEMS = {
  BAD_REQUEST: { status: 400, subStatusCode: 400 },
  UNKNOWN_PROPERTY: { status: 400, subStatusCode: 1002 },
  INVALID_PROPERTY: { status: 400, subStatusCode: 1003 },
  INVALID_QUERY: { status: 400, subStatusCode: 1004 },
  INVALID_POLICY_DEFINITION: { status: 400, subStatusCode: 1005 },
  NOT_AUTHENTICATED: { status: 401, subStatusCode: 401 },
  NOT_AUTHORIZED: { status: 403, subStatusCode: 403 },
  NOT_FOUND: { status: 404, subStatusCode: 404 },
  TENANT_NOT_FOUND: { status: 404, subStatusCode: 101 },
  USER_NOT_FOUND: { status: 404, subStatusCode: 110 },
  DEVICE_NOT_FOUND: { status: 404, subStatusCode: 111 },
  COMMAND_NOT_FOUND: { status: 404, subStatusCode: 112 },
  APPLICATION_NOT_FOUND: { status: 404, subStatusCode: 113 },
  PROFILE_NOT_FOUND: { status: 404, subStatusCode: 114 },
  FAULT_NOT_FOUND: { status: 404, subStatusCode: 115 },
  ADMINISTRATOR_NOT_FOUND: { status: 404, subStatusCode: 130 },
  ACCESS_KEY_NOT_FOUND: { status: 404, subStatusCode: 149 },
  MAIL_NOT_FOUND: { status: 404, subStatusCode: 116 },
  EMAIL_TEMPLATE_NOT_FOUND: { status: 404, subStatusCode: 117 },
  GROUP_NOT_FOUND: { status: 404, subStatusCode: 140 },
  POLICY_NOT_FOUND: { status: 404, subStatusCode: 141 },
  ASSIGNMENT_NOT_FOUND: { status: 404, subStatusCode: 142 },
  APPLICATION_SERVER_NOT_FOUND: { status: 404, subStatusCode: 143 },
  POLICY_DEFINITION_NOT_FOUND: { status: 404, subStatusCode: 151 },
  EVENTS_DROPPED: { status: 410, subStatusCode: 118 },
  POSITION_UNKNOWN: { status: 410, subStatusCode: 119 },
  METHOD_NOT_ALLOWED: { status: 405, subStatusCode: 405 },
  USER_EXISTS: { status: 409, subStatusCode: 120 },
  ADMINISTRATOR_EXISTS: { status: 409, subStatusCode: 131 },
  ADMINISTRATOR_REQUIRED: { status: 409, subStatusCode: 132 },
  TOO_MANY_ADMINISTRATORS: { status: 409, subStatusCode: 133 },
  USER_HAS_DEVICES: { status: 409, subStatusCode: 121 },
  DEVICE_NOT_ACTIVE: { status: 409, subStatusCode: 122 },
  COMMAND_SENT: { status: 409, subStatusCode: 124 },
  COMMAND_NOT_APPLICABLE: { status: 409, subStatusCode: 125 },
  QUEUE_FULL: { status: 409, subStatusCode: 123 },
  TOO_MANY_PASSWORDS: { status: 409, subStatusCode: 129 },
  PROFILE_IN_USE: { status: 409, subStatusCode: 126 },
  NO_MAIL_ADDRESS: { status: 409, subStatusCode: 127 },
  OUTBOX_FULL: { status: 409, subStatusCode: 128 },
  APPLICATION_EXISTS: { status: 409, subStatusCode: 144 },
  IN_USE: { status: 409, subStatusCode: 145 },
  LIMIT_REACHED: { status: 409, subStatusCode: 146 },
  GROUP_BY_QUERY: { status: 409, subStatusCode: 147 },
  UNLOCK_KEY_NOT_HELD: { status: 409, subStatusCode: 150 },
  UPDATE_OF_SERVER: { status: 409, subStatusCode: 148 },
  TOO_LARGE: { status: 413, subStatusCode: 413 },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, subStatusCode: 415 },
  INTERNAL: { status: 500, subStatusCode: 500 },
  BUSY: { status: 503, subStatusCode: 503 },
} as const;

export type ProblemId = keyof typeof PROBLEMS;

/** Every id, for documents. */
export const PROBLEM_IDS: readonly ProblemId[] = Object.keys(PROBLEMS) as ProblemId[];

/** HTTP status that a refusal has. */
export function problemStatus(id: ProblemId): number {
  return PROBLEMS[id].status;
}

/** Why a request of an administrator is refused. The message is for people and holds nothing that the caller did not send or may not know. */
export class AdminProblem extends Error {
  readonly id: ProblemId;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(id: ProblemId, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'AdminProblem';
    this.id = id;
    this.status = PROBLEMS[id].status;
    this.headers = headers;
  }

  /** Body in the documented shape. */
  body(): { readonly id: ProblemId; readonly subStatusCode: number; readonly message: string } {
    return { id: this.id, subStatusCode: PROBLEMS[this.id].subStatusCode, message: this.message };
  }
}
