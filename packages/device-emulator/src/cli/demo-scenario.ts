/** The scenario of `demo`; the same as examples/scenarios/demo.yaml, which a test compares. */
export const DEMO_SCENARIO: string = `# The demo: 200 devices of two kinds activate themselves, get commands by push, and lose a tenth of the pushes on purpose.
#   npx -y pnpm@10.34.9 demo
# Copy this file, change it, and run it with: device-emulator run my.yaml
format: 1
name: demo
description: 200 devices activate and are managed; a tenth of the pushes is lost on purpose
seed: 7

populations:
  - name: android
    operatingSystem: android-enterprise
    activationType: work-and-personal-full-control
    count: 120
    credential: password
  - name: apple
    operatingSystem: ios
    activationType: mdm-controls
    count: 80
    credential: password

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
  # Sent in this order. The device gets the lock first: it is the most urgent one (F5.4).
  - at: 0s
    send:
      - { command: REQUEST_DEVICE_INFO }
      - { command: REQUEST_INSTALLED_APPS }
      - { command: LOCK_DEVICE, properties: { message: Please bring this device to the help desk } }

duration: 0s
drainWithin: 60s

assert:
  - activated == devices
  - commandsDone == commandsSent
  - pushesRecoveredByPoll == pushesDropped
  - audit == ok
`;
