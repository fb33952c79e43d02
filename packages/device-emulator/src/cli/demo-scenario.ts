/** The scenario of `demo`; the same as examples/scenarios/demo.yaml, which a test compares. */
export const DEMO_SCENARIO: string = `# The demo: 210 devices, 30 of each of the seven kinds, activate themselves, get commands and a policy by push, and lose a tenth of the pushes on purpose; apps on some of them ask a
# server behind the firewall.
#   npx -y pnpm@10.34.9 demo
# Copy this file, change it, and run it with: device-emulator run my.yaml
format: 1
name: demo
description: 210 devices of all seven kinds activate and are managed; a tenth of the pushes is lost on purpose
seed: 7

# An activation type says what UEM may touch: the whole device, work data only, or a work space beside a private side. One user in five has set no device password.
populations:
  - { name: iphones, operatingSystem: ios, activationType: mdm-controls, count: 20, devicePassword: 80% }
  - { name: private-iphones, operatingSystem: ios, activationType: user-privacy, count: 10, devicePassword: 80% }
  - { name: macs, operatingSystem: macos, activationType: mdm-controls, count: 30, devicePassword: 80% }
  - { name: old-androids, operatingSystem: android-mdm-controls, activationType: mdm-controls, count: 20, devicePassword: 80% }
  - { name: private-androids, operatingSystem: android-mdm-controls, activationType: user-privacy, count: 10, devicePassword: 80% }
  - { name: androids, operatingSystem: android-enterprise, activationType: work-and-personal-full-control, count: 10, devicePassword: 80% }
  - { name: own-androids, operatingSystem: android-enterprise, activationType: work-and-personal-user-privacy, count: 10, devicePassword: 80% }
  - { name: scanners, operatingSystem: android-enterprise, activationType: work-space-only, count: 10, devicePassword: 80% }
  - { name: knox, operatingSystem: samsung-knox, activationType: work-and-personal-full-control, count: 20, devicePassword: 80% }
  - { name: own-knox, operatingSystem: samsung-knox, activationType: work-and-personal-user-privacy, count: 10, devicePassword: 80% }
  - { name: laptops, operatingSystem: windows-10, activationType: mdm-controls, count: 30, devicePassword: 80% }
  - { name: blackberries, operatingSystem: blackberry-10, activationType: work-and-personal-regulated, count: 20, devicePassword: 80% }
  - { name: work-blackberries, operatingSystem: blackberry-10, activationType: work-space-only, count: 10, devicePassword: 80% }

# Eight devices a second are to begin, whatever the server does; at most 16 are under way.
activation: { ratePerS: 8, inFlight: 16 }

# A device that loses a push sleeps on until its next regular poll.
push: { loss: 10% }
poll: { interval: 10s, jitter: 4s }

timeline:
  # Wake-ups wait a moment, so that each device finds all three commands pending when it asks.
  - at: 0s
    fault: { kind: delay, service: wakeUp, delayMs: 500 }
    for: 10s
  # Sent in this order. The device gets the lock first: it is the most urgent one (F5.4). Under user-privacy UEM does not send it at all, and without a device password it has no effect.
  - at: 0s
    send:
      - { command: REQUEST_DEVICE_INFO }
      - { command: REQUEST_INSTALLED_APPS }
      - { command: LOCK_DEVICE, properties: { message: Please bring this device to the help desk } }
  # An IT policy for everybody: UEM makes an update of it for each device (F5.1 to F5.4).
  - at: 0s
    configure: [{ policy: staff, rules: { password: { required: true, minimumLength: 6 }, deviceFunctionality: { allowCamera: false } } }]
  # When all of that is through: who may clear a device password? Some kinds and activation types never (docs/commands.md), so UEM refuses it for them, as the plan expects. And this
  # application is on no device: where such applications run at all, UEM sends the command, and the device answers that it failed, with the reason.
  - after: drained
    send: [{ command: UNLOCK_DEVICE }, { command: LOCK_APPLICATION, application: com.example.mail }]
  # Half a second later one group of the rules changes: only that group travels.
  - at: 500ms
    configure: [{ policy: staff, rules: { password: { required: true, minimumLength: 8 }, deviceFunctionality: { allowCamera: false } } }]

# Dynamics apps on some devices: each activates itself with an access key from another source, and asks a server behind the firewall through NOC and Proxy, or by Direct Connect to the
# Proxy (F3, F10, F11). The server is a real one: name yours with --app-server http://127.0.0.1:8080, or let the demo start a small one.
apps:
  - name: wiki
    to: { population: androids }
    key: uem-client
    way: noc
    sessions: 2
    requests: [{ get: /start, count: 2 }, { get: /bytes/200000 }, { post: /drafts, bytes: 20000 }]
  - { name: chat, to: { population: androids }, key: sibling, way: noc, requests: [{ post: /messages, bytes: 200, count: 5 }] }
  - { name: post, to: { population: iphones, share: 50% }, key: mail, way: direct, requests: [{ get: /inbox, count: 3 }] }

duration: 0s
drainWithin: 60s

# A device does what UEM sends to it, or refuses it as documented; the audit compares each command with what the plan expects.
assert:
  - activated == devices
  - commandsFailed > 0
  - pushesRecoveredByPoll == pushesDropped
  - appsActivated == apps
  - appRequestsDone == appRequests
  - audit == ok
`;
