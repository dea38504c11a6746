import { beforeEach, describe, expect, test } from 'vitest';
import { askingAtDial } from '../../../functions/probe/at-the-dial.ts';
import { gateTo, lookupsTo } from '../../support/gate.ts';
import { NOON, sampleHost } from '../../support/samples.ts';

const [OWN, SECOND, ELSEWHERE] = ['185.1.1.1', '185.1.1.2', '185.2.2.2'] as const;
let world: {
  now: number;
  leadsTo: readonly string[];
  paused: boolean;
  registered: boolean;
  looks: number;
  reads: number;
  onRead: () => void;
};
beforeEach(() => {
  world = { now: NOON, leadsTo: [OWN, SECOND], paused: false, registered: true, looks: 0, reads: 0, onRead: () => {} };
});

/** Asks for a host whose addresses are the operator's, of which DNS was asked at `askedAt`. */
const asking = (askedAt = NOON) =>
  askingAtDial(
    sampleHost(),
    askedAt,
    gateTo(['185.1.1.0/24', '185.2.2.0/24'], {
      now: () => world.now,
      lookAgain() {
        world.looks++;
        return lookupsTo(...world.leadsTo);
      },
      async pausedAmong(asked) {
        world.reads++;
        const found = world.paused ? asked : [];
        world.onRead();
        return found;
      },
      isRegistered: async () => world.registered,
    }),
  );

/** As the table answers, once, something happens. */
const atFirstRead = (happens: () => void) => {
  world.onRead = () => {
    world.onRead = () => {};
    happens();
  };
};

test('consent is asked for again when it is older than 55 seconds', async () => {
  await asking(NOON - 55_000)(OWN);
  expect(world.looks).toBe(0);
  await asking(NOON - 55_001)(OWN);
  expect(world.looks).toBe(1);
});

test('a look at the table is good for a second', async () => {
  const ask = asking();
  await ask(OWN);
  world.now += 1_000;
  await ask(OWN);
  expect(world.reads).toBe(1);
  world.now += 1;
  await ask(OWN);
  expect(world.reads).toBe(2);
});

describe('what has become too old while the others answered is asked again', () => {
  test('consent', async () => {
    atFirstRead(() => {
      world.now += 1_000;
      world.leadsTo = [ELSEWHERE];
    });
    expect(await asking(NOON - 54_500)(OWN)).toBe('out-of-time');
  });

  test('pauses', async () => {
    atFirstRead(() => {
      world.now += 1_001;
      world.paused = true;
    });
    expect(await asking()(OWN)).toBe('vetoed');
  });

  test('whether the host is there', async () => {
    const ask = asking();
    expect(await ask(OWN)).toBeUndefined();
    world.now += 900;
    atFirstRead(() => {
      world.now += 200;
      world.registered = false;
    });
    expect(await ask(SECOND)).toBe('vetoed');
  });
});

test('a table that takes longer than a second three times ends the sitting', async () => {
  world.onRead = () => {
    world.now += 1_001;
  };
  expect(await asking()(OWN)).toBe('out-of-time');
  expect(world.reads).toBe(3);
});
