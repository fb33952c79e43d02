/** Version of this package, in the system information and the OpenAPI document. */
export const LAB_VERSION = '0.0.0';
