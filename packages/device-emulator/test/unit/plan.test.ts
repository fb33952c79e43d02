import { nodeCrypto } from '@uemkit/protocol/node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apportion, interleave } from '../../src/plan/apportion.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { SeededDraw } from '../../src/plan/seeded-draw.ts';
import { parseScenario } from '../../src/scenario/parse-scenario.ts';

const crypto = nodeCrypto();
const SOURCE = `
format: 1
name: mix
size: 10
populations:
  - { name: one, operatingSystem: android-enterprise, share: 33.3%, labels: [x] }
  - { name: two, operatingSystem: ios, share: 33.3%, devicePassword: 50% }
  - { name: three, operatingSystem: ios, share: 33.4%, labels: [x] }
timeline:
  - { at: 2s, send: [{ command: LOCK_DEVICE }], to: { label: x, share: 50% } }
  - { at: 1s, send: [{ command: REQUEST_DEVICE_INFO }] }
`;

describe('apportion', () => {
  it('gives whole parts that add up, each within one of its exact share', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 20 }), (total, weights) => {
        const parts = apportion(total, weights);
        const sum = weights.reduce((all, weight) => all + weight, 0);
        expect(parts.reduce((all, part) => all + part, 0)).toBe(total);
        parts.forEach((part, index) => {
          expect(Math.abs(part - (total * (weights[index] as number)) / sum)).toBeLessThan(1);
        });
      }),
    );
  });

  it('interleaves parts evenly', () => {
    expect(interleave([3, 2, 1])).toEqual([0, 1, 0, 2, 1, 0]);
  });
});

describe('makePlan', () => {
  const scenario = parseScenario(SOURCE, 'mix.yaml');

  it('is the same for the same scenario and seed, and another one for another seed', () => {
    expect(makePlan(scenario, crypto)).toEqual(makePlan(scenario, crypto));
    expect(makePlan(scenario, crypto).digest).not.toBe(makePlan(scenario, crypto, { seed: 2 }).digest);
  });

  it('keeps the mix exactly at any size', () => {
    const counts = (size?: number): number[] => {
      const { devices } = makePlan(scenario, crypto, { size });
      return ['one', 'two', 'three'].map((name) => devices.filter((device) => device.population === name).length);
    };
    expect(counts()).toEqual([3, 3, 4]);
    expect(counts(1_000)).toEqual([333, 333, 334]);
    expect(counts(1)).toEqual([0, 0, 1]);
  });

  it('names each device once and marks its serial number as that of a test key', () => {
    const { devices } = makePlan(scenario, crypto, { size: 500 });
    expect(new Set(devices.map((device) => device.userId)).size).toBe(500);
    expect(new Set(devices.map((device) => device.serialNumber)).size).toBe(500);
    expect(devices.every((device) => device.serialNumber.startsWith('TEST-KEY-') && device.serialNumber.length <= 64)).toBe(true);
  });

  it('sorts the timeline by time and chooses exactly the share of the devices that fit', () => {
    const { steps, devices } = makePlan(scenario, crypto, { size: 300 });
    expect(steps.map(({ place }) => place)).toEqual([1, 0]);
    expect(steps[0]?.devices).toHaveLength(300);
    expect(steps[1]?.devices).toHaveLength(100);
    const labelled = new Set(devices.filter((device) => device.labels.includes('x')).map((device) => device.index));
    expect(steps[1]?.devices.every((index) => labelled.has(index))).toBe(true);
  });

  it('spaces activations by the rate', () => {
    expect(makePlan(scenario, crypto).devices.map((device) => device.activateAtMs)).toEqual([0, 50, 100, 150, 200, 250, 300, 350, 400, 450]);
  });
});

describe('SeededDraw', () => {
  it('hits a share over many draws', () => {
    const draw = new SeededDraw(crypto, 'fleet');
    const hits = Array.from({ length: 10_000 }, (_, index) => draw.chance(`n ${index}`, 0.1)).filter(Boolean).length;
    expect(hits).toBeGreaterThan(850);
    expect(hits).toBeLessThan(1_150);
    expect([draw.chance('never', 0), draw.chance('always', 1)]).toEqual([false, true]);
  });
});
