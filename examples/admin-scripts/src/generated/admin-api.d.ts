export interface paths {
    "/util/authorization": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Gives the value for the Authorization header; it holds for 12 hours */
        post: operations["authorize"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists users */
        get: operations["listUsers"];
        put?: never;
        /** Adds a user; the Infrastructure knows it when the answer comes (F1.1) */
        post: operations["createUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{guid}/activationPasswords": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the activation passwords of a user, never the secrets */
        get: operations["listActivationPasswords"];
        /** Sets activation passwords as POST does; the others of the user are useless at once */
        put: operations["replaceActivationPasswords"];
        /** Sets an activation password, a QR code, or both, tells them once, and mails them when a template is named */
        post: operations["setActivationPasswords"];
        /** Makes the activation passwords and QR codes of a user useless at once */
        delete: operations["deleteActivationPasswords"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{guid}/userDevices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the active devices of a user */
        get: operations["listUserDevices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists user groups */
        get: operations["listGroups"];
        put?: never;
        /** Adds a user group */
        post: operations["createGroup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/groups/{group}/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the users of a group */
        get: operations["listGroupUsers"];
        put?: never;
        /** Puts users into a group, all or none */
        post: operations["addGroupUsers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/deviceCommands": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sends the same commands to many devices; each gets all of them or none */
        post: operations["sendDeviceCommands"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/devices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists all active devices */
        get: operations["listDevices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads what happened to users, devices and commands, the oldest first; as a stream for who accepts application/x-ndjson */
        get: operations["readEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AccessKey: {
            guid: string;
            /**
             * @description ASSISTED: made for one app of a device, without a person
             * @enum {string}
             */
            kind: "TYPED" | "ASSISTED";
            /** Format: date-time */
            created: string;
            /** Format: date-time */
            expiry: string;
            triesLeft: number;
            applicationId?: string;
            device?: {
                guid: string;
            };
        };
        AccessKeys: {
            accessKeys: components["schemas"]["AccessKey"][];
        };
        ActivationPassword: {
            guid: string;
            /** @enum {string} */
            kind: "PASSWORD" | "QR_CODE";
            /** Format: date-time */
            created: string;
            /** Format: date-time */
            expiry: string;
            expireAfterUse: boolean;
            triesLeft: number;
            paired: boolean;
            activationProfile?: components["schemas"]["GuidReference"];
        };
        ActivationPasswords: {
            activationPasswords: components["schemas"]["ActivationPassword"][];
        };
        ActivationProfile: {
            guid: string;
            name: string;
            activationType: string;
            createWorkSpace: boolean;
            encryptDevice: boolean;
            pollIntervalS: number;
            pollJitterS: number;
            allowedDevices: number;
            /** @enum {string} */
            ownership?: "notSpecified" | "work" | "personal";
            organizationNotice?: string;
            deviceKinds?: ("ios" | "macos" | "android-mdm-controls" | "android-enterprise" | "samsung-knox" | "windows-10" | "blackberry-10")[];
            activationTypes?: {
                [key: string]: components["schemas"]["ActivationTypeChoice"][];
            };
            modelRestriction?: {
                /** @enum {string} */
                rule: "allow" | "disallow";
                models: string[];
            };
            minimumOsVersions?: {
                [key: string]: string;
            };
        };
        ActivationProfiles: {
            profiles: components["schemas"]["ActivationProfile"][];
        };
        ActivationRefusal: {
            /** @enum {string} */
            reason: "deviceLimit" | "kindNotAllowed" | "osTooOld" | "modelNotAllowed" | "activationTypeNotAvailable" | "licenceLimit" | "compliance";
            message?: string;
            /** Format: date-time */
            time: string;
            device: {
                os: string;
                osVersion: string;
                hardwareModel: string;
                serialNumber?: string;
            };
            activationProfile: {
                guid: string;
            };
        };
        ActivationRefusals: {
            activationRefusals: components["schemas"]["ActivationRefusal"][];
        };
        ActivationSettings: {
            passwordLength: number;
            passwordAlphabet: string;
            secretLifeMs: number;
            expireAfterUse: boolean;
            licences?: number;
            licencesUsed: number;
        };
        ActivationTypeChoice: {
            activationType: string;
            createWorkSpace: boolean;
            encryptDevice: boolean;
        };
        Administrator: {
            guid: string;
            username: string;
            /** @enum {string} */
            role: "readOnly" | "helpDesk" | "administrator";
            /** Format: date-time */
            created?: string;
            links: components["schemas"]["Link"][];
        };
        Administrators: {
            administrators: components["schemas"]["Administrator"][];
            links: components["schemas"]["Link"][];
        };
        AppPolicies: {
            appPolicies: components["schemas"]["AppPolicy"][];
            links: components["schemas"]["Link"][];
        };
        AppPolicy: {
            guid: string;
            name: string;
            rank: number;
            values: {
                [key: string]: (boolean | number | string) | (number | string)[];
            };
            /** Format: date-time */
            updated: string;
            links: components["schemas"]["Link"][];
        };
        Application: {
            guid: string;
            applicationId: string;
            name: string;
            version: string;
            vendor?: string;
            platforms: ("ANDROID" | "IOS" | "MACOS" | "WINDOWS" | "BLACKBERRY_10")[];
            /** @description What operating systems know the app by: a UEM Client gets access keys for these and no others (F3.4) */
            platformIds?: string[];
            /** @description Versions of the Dynamics app that may be used; absent: every one. Others are locked */
            entitledVersions?: string[];
            /** @description What the Dynamics app offers to other apps of its user on its device */
            services?: {
                serviceId: string;
                version: string;
            }[];
            /** Format: date-time */
            updated: string;
            links: components["schemas"]["Link"][];
        };
        ApplicationAssignment: {
            /** @enum {string} */
            disposition: "REQUIRED" | "OPTIONAL";
        };
        ApplicationServer: {
            guid: string;
            name: string;
            application: {
                guid: string;
            };
            servers: {
                host: string;
                port: number;
                priority: number;
            }[];
            /** Format: date-time */
            updated: string;
            links: components["schemas"]["Link"][];
        };
        ApplicationServers: {
            applicationServers: components["schemas"]["ApplicationServer"][];
            links: components["schemas"]["Link"][];
        };
        Applications: {
            applications: components["schemas"]["Application"][];
            links: components["schemas"]["Link"][];
        };
        Assignment: {
            guid: string;
            name?: string;
            kind?: string;
            applicationId?: string;
            /** @enum {string} */
            disposition?: "REQUIRED" | "OPTIONAL";
            /** Format: date-time */
            assigned: string;
            group?: {
                guid: string;
                name: string;
            };
        };
        Assignments: {
            assignments: components["schemas"]["Assignment"][];
        };
        AuditEntry: {
            sequence: number;
            /** Format: date-time */
            time: string;
            username: string;
            /** @enum {string} */
            role: "readOnly" | "helpDesk" | "administrator";
            source: string;
            operation: string;
            /** @description Path of the object, below the tenant */
            object: string;
            /** @description HTTP status; absent: the server stopped before it answered */
            status?: number;
            problem?: string;
        };
        AuditLog: {
            entries: components["schemas"]["AuditEntry"][];
            /** @description Number of the newest entry */
            last: number;
        };
        AuthorizationRequest: {
            username: string;
            password: string;
            /** @enum {string} */
            provider?: "LOCAL";
            domain?: string;
        };
        Command: {
            guid: string;
            type: string;
            /** @enum {string} */
            status: "QUEUED" | "SENT" | "COMPLETED" | "FAILED" | "CANCELLED";
            /** Format: date-time */
            created: string;
            /** Format: date-time */
            sent?: string;
            /** Format: date-time */
            finished?: string;
            /** Format: date-time */
            expiry?: string;
            /** Format: date-time */
            notBefore?: string;
            message?: string;
            data?: {
                [key: string]: unknown;
            };
            links: components["schemas"]["Link"][];
        };
        Commands: {
            commands: components["schemas"]["Command"][];
            links: components["schemas"]["Link"][];
        };
        Device: {
            guid: string;
            /** Format: date-time */
            activationDate?: string;
            os: string;
            osFamilyName?: string;
            osVersion: string;
            hardwareModel: string;
            serialNumber?: string;
            /** @description As the activation profile says, else as the device told it */
            ownership?: unknown;
            /** @description As the device told it */
            batteryLevel?: unknown;
            /** @description As the device told it */
            compromised?: unknown;
            /** @description As the device told it */
            imei?: unknown;
            /** @description As the device told it */
            udid?: unknown;
            /** @description As the device told it */
            wifiMacAddress?: unknown;
        };
        DeviceCommandResult: {
            guid: string;
            /** @description Guids of the commands, in the order of the request */
            commands?: string[];
            /**
             * @description Why it got none
             * @enum {string}
             */
            id?: "BAD_REQUEST" | "UNKNOWN_PROPERTY" | "INVALID_PROPERTY" | "INVALID_QUERY" | "INVALID_POLICY_DEFINITION" | "NOT_AUTHENTICATED" | "NOT_AUTHORIZED" | "NOT_FOUND" | "TENANT_NOT_FOUND" | "USER_NOT_FOUND" | "DEVICE_NOT_FOUND" | "COMMAND_NOT_FOUND" | "APPLICATION_NOT_FOUND" | "PROFILE_NOT_FOUND" | "FAULT_NOT_FOUND" | "ADMINISTRATOR_NOT_FOUND" | "ACCESS_KEY_NOT_FOUND" | "MAIL_NOT_FOUND" | "EMAIL_TEMPLATE_NOT_FOUND" | "GROUP_NOT_FOUND" | "POLICY_NOT_FOUND" | "ASSIGNMENT_NOT_FOUND" | "APPLICATION_SERVER_NOT_FOUND" | "POLICY_DEFINITION_NOT_FOUND" | "EVENTS_DROPPED" | "POSITION_UNKNOWN" | "METHOD_NOT_ALLOWED" | "USER_EXISTS" | "ADMINISTRATOR_EXISTS" | "ADMINISTRATOR_REQUIRED" | "TOO_MANY_ADMINISTRATORS" | "USER_HAS_DEVICES" | "DEVICE_NOT_ACTIVE" | "COMMAND_SENT" | "COMMAND_NOT_APPLICABLE" | "QUEUE_FULL" | "TOO_MANY_PASSWORDS" | "PROFILE_IN_USE" | "NO_MAIL_ADDRESS" | "OUTBOX_FULL" | "APPLICATION_EXISTS" | "IN_USE" | "LIMIT_REACHED" | "GROUP_BY_QUERY" | "UNLOCK_KEY_NOT_HELD" | "UPDATE_OF_SERVER" | "TOO_LARGE" | "UNSUPPORTED_MEDIA_TYPE" | "INTERNAL" | "BUSY";
        };
        DeviceCommands: {
            /** @description Devices that got all commands */
            sent: number;
            /** @description Devices that got none */
            refused: number;
            devices: components["schemas"]["DeviceCommandResult"][];
        };
        DeviceGroup: {
            guid: string;
            name: string;
            description?: string;
            query?: components["schemas"]["DeviceQuery"];
            /** Format: date-time */
            created: string;
            links: components["schemas"]["Link"][];
        };
        DeviceGroups: {
            deviceGroups: components["schemas"]["DeviceGroup"][];
            links: components["schemas"]["Link"][];
        };
        DeviceQuery: {
            /** @enum {string} */
            match: "ALL" | "ANY";
            conditions: {
                /** @enum {string} */
                field: "osFamily" | "os" | "osVersion" | "hardwareModel" | "activationType" | "ownership" | "compromised";
                /** @enum {string} */
                operator: "EQUALS" | "NOT_EQUALS" | "STARTS_WITH" | "CONTAINS" | "AT_LEAST" | "AT_MOST";
                value: string;
            }[];
        };
        DeviceReferences: {
            devices: {
                guid: string;
            }[];
        };
        DeviceUser: {
            guid: string;
            username: string;
        };
        Devices: {
            devices: components["schemas"]["UserDevice"][];
            links: components["schemas"]["Link"][];
        };
        DynamicsApp: {
            /** @description Id of the installation, `containerId` in the app */
            guid: string;
            applicationId: string;
            version: string;
            platform: string;
            device?: {
                guid: string;
            };
            /** Format: date-time */
            activated: string;
            /**
             * Format: date-time
             * @description Absent: it has not asked since it was activated
             */
            lastContact?: string;
            /**
             * @description As the app has said; ENDING: it is not assigned to its user any more, and has not heard that yet
             * @enum {string}
             */
            status: "ACTIVE" | "LOCKED" | "ENDING";
            /** @description It had configuration, policy and Proxies in force when it asked last */
            upToDate: boolean;
            /** @description Something that administrators want of it is not carried out yet */
            pending: boolean;
            wipe: boolean;
            /** @description Id of the last lock */
            lock?: string;
            blocks: {
                actionId: string;
                title: string;
                body: string;
            }[];
        };
        DynamicsAppCommand: {
            /** @enum {string} */
            type: "LOCK_APPLICATION" | "DELETE_APPLICATION";
        } | {
            /** @constant */
            type: "BLOCK_APPLICATION";
            title: string;
            body: string;
            actionId: string;
        } | {
            /** @constant */
            type: "UNBLOCK_APPLICATION";
            actionId: string;
        };
        DynamicsApps: {
            dynamicsApps: components["schemas"]["DynamicsApp"][];
        };
        EffectiveProfiles: {
            policy?: {
                guid: string;
                name: string;
            };
            profiles: {
                guid: string;
                name: string;
                kind: string;
            }[];
            applications: {
                guid: string;
                name: string;
                applicationId: string;
                version: string;
                disposition: string;
            }[];
            deviceGroups: {
                guid: string;
                name: string;
            }[];
            delivery: {
                policy?: {
                    /** @enum {string} */
                    state: "DELIVERED" | "WAITING" | "SENT" | "FAILED";
                    revision: number;
                    changed: string;
                    message?: string;
                };
                profiles?: {
                    /** @enum {string} */
                    state: "DELIVERED" | "WAITING" | "SENT" | "FAILED";
                    revision: number;
                    changed: string;
                    message?: string;
                };
                applications?: {
                    /** @enum {string} */
                    state: "DELIVERED" | "WAITING" | "SENT" | "FAILED";
                    revision: number;
                    changed: string;
                    message?: string;
                };
            };
        };
        EmailTemplate: {
            guid: string;
            /** @description 0: as the lab comes with it */
            version: number;
            name: string;
            subject: string;
            text: string;
            html: string;
            /** Format: date-time */
            changed?: string;
        };
        EmailTemplateVersions: {
            versions: components["schemas"]["EmailTemplate"][];
        };
        EmailTemplates: {
            emailTemplates: components["schemas"]["EmailTemplate"][];
            links: components["schemas"]["Link"][];
        };
        Error: {
            /** @enum {string} */
            id: "BAD_REQUEST" | "UNKNOWN_PROPERTY" | "INVALID_PROPERTY" | "INVALID_QUERY" | "INVALID_POLICY_DEFINITION" | "NOT_AUTHENTICATED" | "NOT_AUTHORIZED" | "NOT_FOUND" | "TENANT_NOT_FOUND" | "USER_NOT_FOUND" | "DEVICE_NOT_FOUND" | "COMMAND_NOT_FOUND" | "APPLICATION_NOT_FOUND" | "PROFILE_NOT_FOUND" | "FAULT_NOT_FOUND" | "ADMINISTRATOR_NOT_FOUND" | "ACCESS_KEY_NOT_FOUND" | "MAIL_NOT_FOUND" | "EMAIL_TEMPLATE_NOT_FOUND" | "GROUP_NOT_FOUND" | "POLICY_NOT_FOUND" | "ASSIGNMENT_NOT_FOUND" | "APPLICATION_SERVER_NOT_FOUND" | "POLICY_DEFINITION_NOT_FOUND" | "EVENTS_DROPPED" | "POSITION_UNKNOWN" | "METHOD_NOT_ALLOWED" | "USER_EXISTS" | "ADMINISTRATOR_EXISTS" | "ADMINISTRATOR_REQUIRED" | "TOO_MANY_ADMINISTRATORS" | "USER_HAS_DEVICES" | "DEVICE_NOT_ACTIVE" | "COMMAND_SENT" | "COMMAND_NOT_APPLICABLE" | "QUEUE_FULL" | "TOO_MANY_PASSWORDS" | "PROFILE_IN_USE" | "NO_MAIL_ADDRESS" | "OUTBOX_FULL" | "APPLICATION_EXISTS" | "IN_USE" | "LIMIT_REACHED" | "GROUP_BY_QUERY" | "UNLOCK_KEY_NOT_HELD" | "UPDATE_OF_SERVER" | "TOO_LARGE" | "UNSUPPORTED_MEDIA_TYPE" | "INTERNAL" | "BUSY";
            subStatusCode: number;
            message: string;
        };
        Event: {
            /** @description Counts from 1 without gaps */
            sequence: number;
            /** @description Where the event stands: what after takes */
            position: string;
            /** Format: date-time */
            time: string;
            /**
             * @description USER_CREATED: A user was added. USER_DELETED: A user was deleted. ACTIVATION_REFUSED: A device proved its secret and was not activated; `refusal` says which rule it was. ACTIVATION_FAILED: An activation that had begun ended before the device counted. DEVICE_ACTIVATED: A device counts from now on, or was activated anew. DEVICE_DEACTIVATED: A device left: its user removed it, or did not consent to a new activation. DEVICE_WIPED: A device carried out a command that deletes data, and left. DEVICE_REMOVED: UEM removed a device: its certificates are revoked. DEVICE_LATE_CONTACT: A device that was removed after it had counted made contact, and so deletes its work data. ACCESS_KEY_CREATED: An access key was made: `accessKey` names it. ACCESS_KEY_REVOKED: An access key was taken back before it was used. ACCESS_KEY_USED: An app was activated with an access key. ACCESS_KEY_REFUSED: An access key was not accepted, or is dead now; `reason` says why. APPLICATION_ENDED: An activated app is none any more, since its user may not have it: its keys and its link to the NOC are gone. COMMAND_QUEUED: A command waits for a device. COMMAND_SENT: A device has got a command. COMMAND_DEFERRED: A device will carry a command out later. COMMAND_COMPLETED: A device has carried a command out. COMMAND_FAILED: A device could not, or would not, carry a command out. COMMAND_CANCELLED: A command ended before it was carried out. CONFIGURATION_DELIVERED: A device has confirmed a revision of its policy, profiles or applications. CONFIGURATION_FAILED: A device has not applied an update of its policy, profiles or applications. COMPLIANCE_VIOLATED: A device breaks a rule of its compliance profile. COMPLIANCE_ACTION: The action of a rule was taken. COMPLIANCE_RESTORED: A device keeps a rule again
             * @enum {string}
             */
            type: "USER_CREATED" | "USER_DELETED" | "ACTIVATION_REFUSED" | "ACTIVATION_FAILED" | "DEVICE_ACTIVATED" | "DEVICE_DEACTIVATED" | "DEVICE_WIPED" | "DEVICE_REMOVED" | "DEVICE_LATE_CONTACT" | "ACCESS_KEY_CREATED" | "ACCESS_KEY_REVOKED" | "ACCESS_KEY_USED" | "ACCESS_KEY_REFUSED" | "APPLICATION_ENDED" | "COMMAND_QUEUED" | "COMMAND_SENT" | "COMMAND_DEFERRED" | "COMMAND_COMPLETED" | "COMMAND_FAILED" | "COMMAND_CANCELLED" | "CONFIGURATION_DELIVERED" | "CONFIGURATION_FAILED" | "COMPLIANCE_VIOLATED" | "COMPLIANCE_ACTION" | "COMPLIANCE_RESTORED";
            user?: {
                guid: string;
            };
            device?: {
                guid: string;
            };
            command?: {
                guid: string;
                type: string;
            };
            accessKey?: {
                guid: string;
            };
            /** @description Entitlement id of a Dynamics app */
            applicationId?: string;
            /** @description Rule that refused an activation, as in ActivationRefusal */
            refusal?: string;
            /** @enum {string} */
            document?: "policy" | "profiles" | "applications";
            revision?: number;
            /** @description Rule of the compliance profile */
            rule?: string;
            action?: string;
            /** @description In words */
            reason?: string;
        };
        EventHeartbeat: {
            /** @constant */
            type: "HEARTBEAT";
            /** Format: date-time */
            time: string;
            /** @description Position of the last event that this stream has told */
            last: string;
        };
        EventLine: components["schemas"]["Event"] | components["schemas"]["EventHeartbeat"] | components["schemas"]["EventStreamEnd"];
        EventStreamEnd: {
            /** @constant */
            type: "END";
            /** @enum {string} */
            reason: "SERVER_STOPS" | "EVENTS_DROPPED" | "NOT_AUTHENTICATED";
            /** Format: date-time */
            time: string;
            /** @description Position of the last event that this stream has told */
            last: string;
        };
        Events: {
            events: components["schemas"]["Event"][];
            /** @description Position of the oldest event that is kept; absent when there is none */
            first?: string;
            /** @description Position of the newest event */
            last: string;
        };
        Fault: {
            /** @enum {string} */
            kind: "drop" | "delay" | "duplicate" | "refuse" | "status" | "restart" | "reorder" | "throttle" | "expire" | "expireAccess";
            /** @enum {string} */
            role?: "infrastructure" | "uem" | "notification" | "noc";
            service?: string;
            /** @enum {string} */
            pushService?: "apns" | "fcm" | "wns" | "bb10";
            share?: number;
            seed?: number;
            count?: number;
            /** @enum {string} */
            at?: "request" | "answer";
            delayMs?: number;
            status?: number;
            id: string;
            seen: number;
            applied: number;
        };
        Faults: {
            faults: components["schemas"]["Fault"][];
        };
        GuidReference: {
            guid: string;
        };
        Inbox: {
            mails: components["schemas"]["InboxEntry"][];
        };
        InboxEntry: {
            guid: string;
            from: string;
            to: string[];
            subject: string;
            /** Format: date-time */
            received: string;
            bytes: number;
        };
        InboxMail: {
            guid: string;
            from: string;
            to: string[];
            subject: string;
            /** Format: date-time */
            received: string;
            bytes: number;
            /** @description Base64 of the whole mail */
            source: string;
        };
        IssuedAccessKey: {
            guid: string;
            /** @description 15 characters, shown 5-5-5; told this once */
            accessKey: string;
            /** Format: date-time */
            expiry: string;
            mail?: {
                guid: string;
            };
        };
        IssuedActivationPassword: {
            /** @enum {string} */
            kind: "PASSWORD" | "QR_CODE";
            /** @description Base64 of the password */
            password?: string;
            /** @description What the QR code holds, base64url */
            qrCodeContent?: string;
            /** Format: date-time */
            expiry: string;
            expireAfterUse: boolean;
            paired: boolean;
            activationProfile?: components["schemas"]["GuidReference"];
            mail?: components["schemas"]["GuidReference"];
        };
        IssuedActivationPasswords: {
            activationPasswords: components["schemas"]["IssuedActivationPassword"][];
        };
        IssuedAdministrator: {
            guid: string;
            username: string;
            /** @enum {string} */
            role: "readOnly" | "helpDesk" | "administrator";
            /** Format: date-time */
            created?: string;
            links: components["schemas"]["Link"][];
            /** @description Told this once */
            password: string;
        };
        Journal: {
            entries: components["schemas"]["JournalEntry"][];
            last: number;
        };
        JournalEntry: {
            sequence: number;
            timeMs: number;
            role: string;
            service: string;
            step?: string;
            request: string;
            answer: string;
            source: string;
            userId?: string;
            deviceId?: string;
            reason?: string;
            unknown?: boolean;
            receivedMs?: number;
            bytes?: number;
            refs?: string[];
        };
        License: {
            /**
             * @description Each active device takes one
             * @constant
             */
            type: "DEVICE";
            used: number;
            /** @description Absent: there is no limit */
            limit?: number;
            /** @description How many devices may still be activated; absent without a limit */
            available?: number;
        };
        Licensing: {
            licenses: components["schemas"]["License"][];
            links: components["schemas"]["Link"][];
        };
        Link: {
            rel: string;
            href: string;
        };
        Mail: {
            guid: string;
            user: {
                guid: string;
            };
            device?: {
                guid: string;
            };
            to: string;
            emailTemplate: {
                guid: string;
                version: number;
            };
            /** @enum {string} */
            status: "WAITING" | "SENT" | "FAILED" | "EXPIRED";
            /** Format: date-time */
            created: string;
            /** Format: date-time */
            expiry: string;
            attempts: number;
            /** Format: date-time */
            nextAttempt?: string;
            /** Format: date-time */
            ended?: string;
            error?: string;
        };
        MailSettings: {
            from: string;
            smtp?: {
                host: string;
                port: number;
                /** @enum {string} */
                security: "none" | "starttls" | "tls";
                username?: string;
                hasPassword: boolean;
                ca?: string;
            };
        };
        Mails: {
            mails: components["schemas"]["Mail"][];
            links: components["schemas"]["Link"][];
        };
        NewAccessKey: {
            /** Format: date-time */
            expiry?: string;
            emailTemplate?: {
                guid: string;
            };
        };
        NewActivationPasswords: {
            activationPasswords: {
                password?: string | null;
                emailTemplate?: {
                    guid: string;
                };
                /** Format: date-time */
                expiry?: string;
                expireAfterUse?: boolean;
                activationProfile?: {
                    guid: string;
                };
                qrCode?: boolean;
                paired?: boolean;
            }[];
        };
        NewActivationProfile: {
            name: string;
            activationType: string;
            createWorkSpace: boolean;
            encryptDevice: boolean;
            pollIntervalS: number;
            pollJitterS: number;
            allowedDevices: number;
            /** @enum {string} */
            ownership?: "notSpecified" | "work" | "personal";
            organizationNotice?: string;
            deviceKinds?: ("ios" | "macos" | "android-mdm-controls" | "android-enterprise" | "samsung-knox" | "windows-10" | "blackberry-10")[];
            activationTypes?: {
                [key: string]: components["schemas"]["ActivationTypeChoice"][];
            };
            modelRestriction?: {
                /** @enum {string} */
                rule: "allow" | "disallow";
                models: string[];
            };
            minimumOsVersions?: {
                [key: string]: string;
            };
        };
        NewActivationSettings: {
            passwordLength?: number;
            passwordAlphabet?: string;
            secretLifeMs?: number;
            expireAfterUse?: boolean;
            licences?: number | null;
        };
        NewAdministrator: {
            username: string;
            /** @enum {string} */
            role: "readOnly" | "helpDesk" | "administrator";
        };
        NewAppPolicy: {
            name: string;
            rank?: number;
            /** @description By key of the definition, and checked against it */
            values: {
                [key: string]: unknown;
            };
        };
        NewApplication: {
            applicationId: string;
            name: string;
            version: string;
            vendor?: string;
            platforms: ("ANDROID" | "IOS" | "MACOS" | "WINDOWS" | "BLACKBERRY_10")[];
            /** @description What operating systems know the app by: a UEM Client gets access keys for these and no others (F3.4) */
            platformIds?: string[];
            /** @description Versions of the Dynamics app that may be used; absent: every one. Others are locked */
            entitledVersions?: string[];
            /** @description What the Dynamics app offers to other apps of its user on its device */
            services?: {
                serviceId: string;
                version: string;
            }[];
        };
        NewApplicationServer: {
            name: string;
            application: {
                guid: string;
            };
            servers: {
                host: string;
                port: number;
                priority: number;
            }[];
        };
        NewCommand: {
            type: string;
            properties?: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            expiry?: string;
        };
        NewDeviceCommands: {
            commands: components["schemas"]["NewCommand"][];
            /** @description Guids of devices */
            devices?: string[];
            /** @description Active devices, as in the query of GET /devices */
            query?: string;
            /** @description Active devices of the users of a group */
            group?: {
                guid: string;
            };
            deviceGroup?: {
                guid: string;
            };
        };
        NewDeviceGroup: {
            name: string;
            description?: string;
            query?: components["schemas"]["DeviceQuery"];
        };
        NewEmailTemplate: {
            name: string;
            subject: string;
            text: string;
            html: string;
        };
        NewFault: {
            /** @enum {string} */
            kind: "drop" | "delay" | "duplicate" | "refuse" | "status" | "restart" | "reorder" | "throttle" | "expire" | "expireAccess";
            /** @enum {string} */
            role?: "infrastructure" | "uem" | "notification" | "noc";
            service?: string;
            /** @enum {string} */
            pushService?: "apns" | "fcm" | "wns" | "bb10";
            share?: number;
            seed?: number;
            count?: number;
            /** @enum {string} */
            at?: "request" | "answer";
            delayMs?: number;
            status?: number;
        };
        NewMailSettings: {
            from: string;
            smtp?: {
                host: string;
                port: number;
                /** @enum {string} */
                security: "none" | "starttls" | "tls";
                username?: string;
                password?: string;
                ca?: string;
            };
        };
        NewPolicy: {
            name: string;
            description?: string;
            rank?: number;
            rules: components["schemas"]["PolicyRules"];
        };
        NewPolicyDefinition: {
            /** @description Document with the root AppPolicyDefinition (urn:AppPolicySchema1.good.com), without document type */
            xml: string;
        };
        NewProfile: {
            /** @constant */
            kind: "compliance";
            name: string;
            description?: string;
            rank?: number;
            content: {
                jailbroken?: {
                    /** @enum {string} */
                    promptBehavior?: "PROMPT" | "IMMEDIATE";
                    /** @enum {string} */
                    promptMethod?: "DEVICE_NOTIFICATION" | "EMAIL" | "BOTH";
                    promptCount?: number;
                    promptIntervalS?: number;
                    /** @enum {string} */
                    action: "MONITOR_AND_LOG" | "UNTRUST" | "DELETE_WORK_DATA" | "DELETE_ALL_DATA" | "REMOVE_FROM_SERVER";
                };
                osVersion?: {
                    minimum: {
                        /** @enum {string} */
                        osFamily: "ANDROID" | "IOS" | "MACOS" | "WINDOWS" | "BLACKBERRY_10";
                        version: string;
                    }[];
                    /** @enum {string} */
                    promptBehavior?: "PROMPT" | "IMMEDIATE";
                    /** @enum {string} */
                    promptMethod?: "DEVICE_NOTIFICATION" | "EMAIL" | "BOTH";
                    promptCount?: number;
                    promptIntervalS?: number;
                    /** @enum {string} */
                    action: "MONITOR_AND_LOG" | "UNTRUST" | "DELETE_WORK_DATA" | "DELETE_ALL_DATA" | "REMOVE_FROM_SERVER";
                };
                hardwareModel?: {
                    /** @enum {string} */
                    mode: "ALLOW" | "DISALLOW";
                    models: string[];
                    /** @enum {string} */
                    promptBehavior?: "PROMPT" | "IMMEDIATE";
                    /** @enum {string} */
                    promptMethod?: "DEVICE_NOTIFICATION" | "EMAIL" | "BOTH";
                    promptCount?: number;
                    promptIntervalS?: number;
                    /** @enum {string} */
                    action: "MONITOR_AND_LOG" | "UNTRUST" | "DELETE_WORK_DATA" | "DELETE_ALL_DATA" | "REMOVE_FROM_SERVER";
                };
                noContact?: {
                    days: number;
                    /** @enum {string} */
                    promptBehavior?: "PROMPT" | "IMMEDIATE";
                    /** @enum {string} */
                    promptMethod?: "DEVICE_NOTIFICATION" | "EMAIL" | "BOTH";
                    promptCount?: number;
                    promptIntervalS?: number;
                    /** @enum {string} */
                    action: "MONITOR_AND_LOG" | "UNTRUST" | "DELETE_WORK_DATA" | "DELETE_ALL_DATA" | "REMOVE_FROM_SERVER";
                };
                passwordMissing?: {
                    /** @enum {string} */
                    promptBehavior?: "PROMPT" | "IMMEDIATE";
                    /** @enum {string} */
                    promptMethod?: "DEVICE_NOTIFICATION" | "EMAIL" | "BOTH";
                    promptCount?: number;
                    promptIntervalS?: number;
                    /** @enum {string} */
                    action: "MONITOR_AND_LOG" | "UNTRUST" | "DELETE_WORK_DATA" | "DELETE_ALL_DATA" | "REMOVE_FROM_SERVER";
                };
                encryptionMissing?: {
                    /** @enum {string} */
                    promptBehavior?: "PROMPT" | "IMMEDIATE";
                    /** @enum {string} */
                    promptMethod?: "DEVICE_NOTIFICATION" | "EMAIL" | "BOTH";
                    promptCount?: number;
                    promptIntervalS?: number;
                    /** @enum {string} */
                    action: "MONITOR_AND_LOG" | "UNTRUST" | "DELETE_WORK_DATA" | "DELETE_ALL_DATA" | "REMOVE_FROM_SERVER";
                };
                restrictedApps?: {
                    applications: string[];
                    /** @enum {string} */
                    promptBehavior?: "PROMPT" | "IMMEDIATE";
                    /** @enum {string} */
                    promptMethod?: "DEVICE_NOTIFICATION" | "EMAIL" | "BOTH";
                    promptCount?: number;
                    promptIntervalS?: number;
                    /** @enum {string} */
                    action: "MONITOR_AND_LOG" | "UNTRUST" | "DELETE_WORK_DATA" | "DELETE_ALL_DATA" | "REMOVE_FROM_SERVER";
                };
                missingApps?: {
                    applications?: string[];
                    /** @enum {string} */
                    promptBehavior?: "PROMPT" | "IMMEDIATE";
                    /** @enum {string} */
                    promptMethod?: "DEVICE_NOTIFICATION" | "EMAIL" | "BOTH";
                    promptCount?: number;
                    promptIntervalS?: number;
                    /** @enum {string} */
                    action: "MONITOR_AND_LOG" | "UNTRUST" | "DELETE_WORK_DATA" | "DELETE_ALL_DATA" | "REMOVE_FROM_SERVER";
                };
            };
        } | {
            /** @constant */
            kind: "enterprise-connectivity";
            name: string;
            description?: string;
            rank?: number;
            content: {
                secureConnectPlus?: boolean;
                secureGateway?: boolean;
                routedApplications?: string[];
            };
        } | {
            /** @constant */
            kind: "enterprise-management-agent";
            name: string;
            description?: string;
            rank?: number;
            content: {
                pollIntervalS?: number;
                pollJitterS?: number;
                inventoryIntervalS?: number;
            };
        } | {
            /** @constant */
            kind: "dynamics";
            name: string;
            description?: string;
            rank?: number;
            content: {
                requireDeviceManagement?: boolean;
                enrollUemClient?: boolean;
                enableLauncher?: boolean;
                startAfterConditionalAccess?: boolean;
                activationDelegates?: string[];
                idleLockMinutes?: number;
                noContactDays?: number;
                /** @enum {string} */
                noContactAction?: "block" | "wipe";
                passwordMinLength?: number;
                passwordMaxTries?: number;
                /** @enum {string} */
                whenExhausted?: "lock" | "wipe";
                passwordHistory?: number;
                passwordMaxAgeDays?: number;
                updateIntervalMinutes?: number;
            };
        } | {
            /** @constant */
            kind: "dynamics-connectivity";
            name: string;
            description?: string;
            rank?: number;
            content: {
                routeAllTraffic?: boolean;
                defaultDomains?: string[];
                /** @enum {string} */
                defaultRoute?: "DIRECT" | "PROXY" | "DENY";
                defaultCluster?: string;
                allowedDomains?: {
                    domain: string;
                    /** @enum {string} */
                    route: "DIRECT" | "PROXY" | "DENY";
                    cluster?: string;
                    ports?: number[];
                }[];
                additionalServers?: {
                    server: string;
                    /** @enum {string} */
                    route: "DIRECT" | "PROXY" | "DENY";
                    cluster?: string;
                    ports?: number[];
                }[];
                proxyClusters?: {
                    name: string;
                    directConnect?: boolean;
                    proxies: {
                        id: string;
                        priority?: number;
                    }[];
                }[];
            };
        } | {
            /** @constant */
            kind: "device-sr-requirements";
            name: string;
            description?: string;
            rank?: number;
            content: {
                minimumOsVersion?: string;
                installOverWiFiOnly?: boolean;
                deferDays?: number;
            };
        } | {
            /** @constant */
            kind: "factory-reset-protection";
            name: string;
            description?: string;
            rank?: number;
            content: {
                enabled: boolean;
                accounts?: string[];
            };
        } | {
            /** @constant */
            kind: "gatekeeping";
            name: string;
            description?: string;
            rank?: number;
            content: {
                servers: string[];
                domain?: string;
            };
        } | {
            /** @constant */
            kind: "email";
            name: string;
            description?: string;
            rank?: number;
            content: {
                server: string;
                port?: number;
                useTls?: boolean;
                domain?: string;
                syncDays?: number;
                useSecureGateway?: boolean;
                certificateProfile?: string;
            };
        } | {
            /** @constant */
            kind: "wi-fi";
            name: string;
            description?: string;
            rank?: number;
            content: {
                ssid: string;
                hidden?: boolean;
                /** @enum {string} */
                security: "OPEN" | "WPA2_PERSONAL" | "WPA3_PERSONAL" | "WPA2_ENTERPRISE" | "WPA3_ENTERPRISE";
                preSharedKey?: string;
                certificateProfile?: string;
                proxy?: {
                    host: string;
                    port: number;
                };
            };
        } | {
            /** @constant */
            kind: "vpn";
            name: string;
            description?: string;
            rank?: number;
            content: {
                server: string;
                /** @enum {string} */
                kind: "IKEV2" | "L2TP" | "TLS";
                /** @enum {string} */
                authentication: "SHARED_SECRET" | "CERTIFICATE" | "PASSWORD";
                sharedSecret?: string;
                certificateProfile?: string;
                perAppApplications?: string[];
            };
        } | {
            /** @constant */
            kind: "certificate";
            name: string;
            description?: string;
            rank?: number;
            content: {
                certificate: string;
                /** @enum {string} */
                trust?: "AUTHORITY" | "SERVER";
            };
        } | {
            /** @constant */
            kind: "certificate-retrieval";
            name: string;
            description?: string;
            rank?: number;
            content: {
                server: string;
                port?: number;
                baseName?: string;
                useTls?: boolean;
            };
        } | {
            /** @constant */
            kind: "user-credential";
            name: string;
            description?: string;
            rank?: number;
            content: {
                authority: string;
                /** @enum {number} */
                keyBits?: 2048 | 3072 | 4096;
                renewBeforeDays?: number;
            };
        } | {
            /** @constant */
            kind: "custom-payload";
            name: string;
            description?: string;
            rank?: number;
            content: {
                platforms?: string[];
                payload: string;
            };
        };
        NewUser: {
            username: string;
            displayName?: string;
            firstName?: string;
            lastName?: string;
            emailAddress?: string;
            activationProfile?: {
                guid: string;
            };
        };
        NewUserGroup: {
            name: string;
            description?: string;
        };
        OutOfComplianceInfo: {
            /** Format: date-time */
            date: string;
            reason: string;
            displayName: string;
            /** @description How often the user has been asked */
            prompts: number;
            /** @description What was done */
            action?: string;
        };
        Ping: {
            /** @constant */
            status: "OK";
        };
        Policies: {
            policies: components["schemas"]["Policy"][];
            links: components["schemas"]["Link"][];
        };
        Policy: {
            guid: string;
            name: string;
            description?: string;
            rank: number;
            isDefault: boolean;
            version: number;
            /** Format: date-time */
            updated: string;
            rules: components["schemas"]["PolicyRules"];
            links: components["schemas"]["Link"][];
        };
        PolicyDefinition: {
            application: {
                guid: string;
            };
            version?: string;
            settings: components["schemas"]["PolicySetting"][];
            xml: string;
            /** Format: date-time */
            updated: string;
            links: components["schemas"]["Link"][];
        };
        PolicyRules: {
            password?: {
                required?: boolean;
                minimumLength?: number;
                /** @enum {string} */
                complexity?: "NONE" | "NUMERIC" | "ALPHABETIC" | "ALPHANUMERIC" | "COMPLEX";
                maximumAttempts?: number;
                expiryDays?: number;
                historyLength?: number;
                lockAfterInactivityS?: number;
            };
            deviceFunctionality?: {
                allowCamera?: boolean;
                allowScreenCapture?: boolean;
                allowBluetooth?: boolean;
                allowWiFi?: boolean;
                allowUsbStorage?: boolean;
                allowNfc?: boolean;
                allowTethering?: boolean;
                allowVoiceAssistant?: boolean;
            };
            apps?: {
                allowUnknownSources?: boolean;
                allowAppStore?: boolean;
                allowUninstall?: boolean;
                allowedApplications?: string[];
                blockedApplications?: string[];
            };
            securityAndPrivacy?: {
                encryptionRequired?: boolean;
                allowBackup?: boolean;
                allowLocation?: boolean;
                allowDiagnostics?: boolean;
                allowCopyFromWorkSpace?: boolean;
                allowFactoryReset?: boolean;
            };
        };
        PolicySetting: {
            name: string;
            key: string;
            /** @enum {string} */
            control: "hidden" | "checkbox" | "text" | "textarea" | "select" | "multiselect";
            label?: string;
            maxLength?: number;
            options?: {
                value: number | string;
                description: string;
            }[];
            /** @description In force while no app policy sets another one; absent: apps are not told the key */
            initial?: (boolean | number | string) | (number | string)[];
            /** @description Name of the checkbox that makes it count */
            dependsOn?: string;
            /** @description False: apps are never told it */
            isSent: boolean;
        };
        Profile: {
            guid: string;
            /** @enum {string} */
            kind: "compliance" | "enterprise-connectivity" | "enterprise-management-agent" | "dynamics" | "dynamics-connectivity" | "device-sr-requirements" | "factory-reset-protection" | "gatekeeping" | "email" | "wi-fi" | "vpn" | "certificate" | "certificate-retrieval" | "user-credential" | "custom-payload";
            name: string;
            description?: string;
            rank?: number;
            isDefault: boolean;
            version: number;
            /** Format: date-time */
            updated: string;
            content: {
                [key: string]: unknown;
            };
            links: components["schemas"]["Link"][];
        };
        Profiles: {
            profiles: components["schemas"]["Profile"][];
            links: components["schemas"]["Link"][];
        };
        Proxies: {
            proxies: components["schemas"]["Proxy"][];
        };
        Proxy: {
            /** @description As clusters of a profile of kind dynamics-connectivity name it */
            id: string;
            host: string;
            /** @description Of Direct Connect */
            port: number;
            /** Format: date-time */
            registered: string;
        };
        SentCommand: {
            guid: string;
            type: string;
            /** @enum {string} */
            status: "QUEUED" | "SENT" | "COMPLETED" | "FAILED" | "CANCELLED";
            /** Format: date-time */
            created: string;
            /** Format: date-time */
            sent?: string;
            /** Format: date-time */
            finished?: string;
            /** Format: date-time */
            expiry?: string;
            /** Format: date-time */
            notBefore?: string;
            message?: string;
            data?: {
                [key: string]: unknown;
            };
            links: components["schemas"]["Link"][];
            /** @description The new device password, base64: told this once, when it cannot be mailed to the user (GENERATE_DEVICE_PASSWORD_AND_LOCK) */
            generatedPassword?: string;
            /** @description The mail by which the user is told the new device password */
            mail?: {
                guid: string;
            };
        };
        Services: {
            services: {
                name: string;
                devices: number;
            }[];
        };
        SystemInfo: {
            product: string;
            version: string;
            tenantGuid: string;
            coreId: string;
        };
        UnlockKey: {
            /** @description 15 characters, shown 5-5-5; opens the app once, with a new password */
            unlockKey: string;
        };
        UserDetail: {
            guid: string;
            username: string;
            displayName: string;
            firstName?: string;
            lastName?: string;
            emailAddress?: string;
            /** Format: date-time */
            created: string;
            links: components["schemas"]["Link"][];
        };
        UserDevice: {
            guid: string;
            enrollmentType: string[];
            clientVersion?: string;
            /** Format: date-time */
            lastContactTime?: string;
            /** @enum {string} */
            state: "ACTIVE" | "DEACTIVATED" | "REMOVED";
            device: components["schemas"]["Device"];
            user: components["schemas"]["DeviceUser"];
            /** @description Why it ended, or why its configuration could not be applied */
            message?: string;
            outOfComplianceInfo?: components["schemas"]["OutOfComplianceInfo"][];
            /**
             * Format: date-time
             * @description When a device that was removed made contact again, was refused and so deletes its work data
             */
            lateContactTime?: string;
            deviceInformation?: {
                [key: string]: unknown;
            };
            installedApps?: {
                [key: string]: unknown;
            };
            links: components["schemas"]["Link"][];
        };
        UserDevices: {
            userDevices: components["schemas"]["UserDevice"][];
            links: components["schemas"]["Link"][];
        };
        UserGroup: {
            guid: string;
            name: string;
            description?: string;
            /** Format: date-time */
            created: string;
            links: components["schemas"]["Link"][];
        };
        UserGroups: {
            groups: components["schemas"]["UserGroup"][];
            links: components["schemas"]["Link"][];
        };
        UserReferences: {
            users: {
                guid: string;
            }[];
        };
        Users: {
            users: components["schemas"]["UserDetail"][];
            links: components["schemas"]["Link"][];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    authorize: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AuthorizationRequest"];
                "application/vnd.blackberry.authorizationrequest-v1+json": components["schemas"]["AuthorizationRequest"];
            };
        };
        responses: {
            /** @description The value for the Authorization header */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description INVALID_QUERY, BAD_REQUEST, UNKNOWN_PROPERTY, INVALID_PROPERTY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description TENANT_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description The body is over 1 MiB; no body */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description UNSUPPORTED_MEDIA_TYPE */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description BUSY */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /** @description Most items of the page */
                max?: number;
                /** @description Items before the page */
                offset?: number;
                /** @description Field, with ` DESC` behind it for descending order */
                sortBy?: string;
                /** @description `field=value`, with `*` at the end for a beginning; comparisons ignore case */
                query?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.users-v1+json": components["schemas"]["Users"];
                };
            };
            /** @description INVALID_QUERY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHORIZED */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description TENANT_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
    createUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUser"];
                "application/vnd.blackberry.user-v1+json": components["schemas"]["NewUser"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    /** @description Path of what was created */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.userdetail-v1+json": components["schemas"]["UserDetail"];
                };
            };
            /** @description INVALID_QUERY, BAD_REQUEST, UNKNOWN_PROPERTY, INVALID_PROPERTY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHORIZED */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description TENANT_NOT_FOUND, PROFILE_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description USER_EXISTS */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description The body is over 1 MiB; no body */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description UNSUPPORTED_MEDIA_TYPE */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description BUSY */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
    listActivationPasswords: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description guid of the user */
                guid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.activationpasswords-v1+json": components["schemas"]["ActivationPasswords"];
                };
            };
            /** @description INVALID_QUERY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHORIZED */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_FOUND, TENANT_NOT_FOUND, USER_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
    replaceActivationPasswords: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description guid of the user */
                guid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewActivationPasswords"];
                "application/vnd.blackberry.activationpasswords-v1+json": components["schemas"]["NewActivationPasswords"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.activationpasswords-v1+json": components["schemas"]["IssuedActivationPasswords"];
                };
            };
            /** @description INVALID_QUERY, BAD_REQUEST, UNKNOWN_PROPERTY, INVALID_PROPERTY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHORIZED */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_FOUND, TENANT_NOT_FOUND, USER_NOT_FOUND, PROFILE_NOT_FOUND, EMAIL_TEMPLATE_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description TOO_MANY_PASSWORDS, NO_MAIL_ADDRESS, OUTBOX_FULL */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description The body is over 1 MiB; no body */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description UNSUPPORTED_MEDIA_TYPE */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description BUSY */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
    setActivationPasswords: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description guid of the user */
                guid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewActivationPasswords"];
                "application/vnd.blackberry.activationpasswords-v1+json": components["schemas"]["NewActivationPasswords"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.activationpasswords-v1+json": components["schemas"]["IssuedActivationPasswords"];
                };
            };
            /** @description INVALID_QUERY, BAD_REQUEST, UNKNOWN_PROPERTY, INVALID_PROPERTY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHORIZED */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_FOUND, TENANT_NOT_FOUND, USER_NOT_FOUND, PROFILE_NOT_FOUND, EMAIL_TEMPLATE_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description TOO_MANY_PASSWORDS, NO_MAIL_ADDRESS, OUTBOX_FULL */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description The body is over 1 MiB; no body */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description UNSUPPORTED_MEDIA_TYPE */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description BUSY */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
    deleteActivationPasswords: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description guid of the user */
                guid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description INVALID_QUERY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHORIZED */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_FOUND, TENANT_NOT_FOUND, USER_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description BUSY */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
    listUserDevices: {
        parameters: {
            query?: {
                /** @description Most items of the page */
                max?: number;
                /** @description Items before the page */
                offset?: number;
                /** @description Field, with ` DESC` behind it for descending order */
                sortBy?: string;
                /** @description `field=value`, with `*` at the end for a beginning; comparisons ignore case */
                query?: string;
            };
            header?: never;
            path: {
                /** @description guid of the user */
                guid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.userdevices-v1+json": components["schemas"]["UserDevices"];
                };
            };
            /** @description INVALID_QUERY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHORIZED */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_FOUND, TENANT_NOT_FOUND, USER_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
    listGroups: {
        parameters: {
            query?: {
                /** @description Most items of the page */
                max?: number;
                /** @description Items before the page */
                offset?: number;
                /** @description Field, with ` DESC` behind it for descending order */
                sortBy?: string;
                /** @description `field=value`, with `*` at the end for a beginning; comparisons ignore case */
                query?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.groups-v1+json": components["schemas"]["UserGroups"];
                };
            };
            /** @description INVALID_QUERY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHORIZED */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description TENANT_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
    createGroup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUserGroup"];
                "application/vnd.blackberry.group-v1+json": components["schemas"]["NewUserGroup"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    /** @description path of the group */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.group-v1+json": components["schemas"]["UserGroup"];
                };
            };
            /** @description INVALID_QUERY, BAD_REQUEST, UNKNOWN_PROPERTY, INVALID_PROPERTY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHORIZED */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description TENANT_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description LIMIT_REACHED */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description The body is over 1 MiB; no body */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description UNSUPPORTED_MEDIA_TYPE */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description BUSY */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
    listGroupUsers: {
        parameters: {
            query?: {
                /** @description Most items of the page */
                max?: number;
                /** @description Items before the page */
                offset?: number;
                /** @description Field, with ` DESC` behind it for descending order */
                sortBy?: string;
                /** @description `field=value`, with `*` at the end for a beginning; comparisons ignore case */
                query?: string;
            };
            header?: never;
            path: {
                /** @description guid of the user group */
                group: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.users-v1+json": components["schemas"]["Users"];
                };
            };
            /** @description INVALID_QUERY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHORIZED */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_FOUND, TENANT_NOT_FOUND, GROUP_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
    addGroupUsers: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description guid of the user group */
                group: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserReferences"];
                "application/vnd.blackberry.users-v1+json": components["schemas"]["UserReferences"];
            };
        };
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description INVALID_QUERY, BAD_REQUEST, UNKNOWN_PROPERTY, INVALID_PROPERTY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHORIZED */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_FOUND, TENANT_NOT_FOUND, GROUP_NOT_FOUND, USER_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description LIMIT_REACHED */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description The body is over 1 MiB; no body */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description UNSUPPORTED_MEDIA_TYPE */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description BUSY */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
    sendDeviceCommands: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewDeviceCommands"];
                "application/vnd.blackberry.devicecommands-v1+json": components["schemas"]["NewDeviceCommands"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.devicecommands-v1+json": components["schemas"]["DeviceCommands"];
                };
            };
            /** @description INVALID_QUERY, BAD_REQUEST, UNKNOWN_PROPERTY, INVALID_PROPERTY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHORIZED */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description TENANT_NOT_FOUND, GROUP_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description The body is over 1 MiB; no body */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description UNSUPPORTED_MEDIA_TYPE */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description BUSY */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
    listDevices: {
        parameters: {
            query?: {
                /** @description Most items of the page */
                max?: number;
                /** @description Items before the page */
                offset?: number;
                /** @description Field, with ` DESC` behind it for descending order */
                sortBy?: string;
                /** @description `field=value`, with `*` at the end for a beginning; comparisons ignore case */
                query?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.devices-v1+json": components["schemas"]["Devices"];
                };
            };
            /** @description INVALID_QUERY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHORIZED */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description TENANT_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
    readEvents: {
        parameters: {
            query?: {
                /** @description Position of the last event that is known; absent: from the oldest one that is kept */
                after?: string;
                /** @description Most events of the page; not for the stream */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.events-v1+json": components["schemas"]["Events"];
                    "application/x-ndjson": components["schemas"]["EventLine"];
                };
            };
            /** @description INVALID_QUERY */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHENTICATED */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description NOT_AUTHORIZED */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description TENANT_NOT_FOUND */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description EVENTS_DROPPED, POSITION_UNKNOWN */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description INTERNAL */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
            /** @description BUSY */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.blackberry.error-v1+json": components["schemas"]["Error"];
                };
            };
        };
    };
}
