import { takeArrival } from '../../functions/canary/take-arrival.ts';
import { dispatch } from '../../functions/dispatch/dispatch.ts';
import { takeEvent } from '../../functions/feedback/feedback.ts';
import { notify } from '../../functions/notify/notify.ts';
import type { AuditOrder } from '../../functions/probe/audit-host.ts';
import type { Finding } from '../../functions/probe/finding.ts';
import { probeScans } from '../../functions/probe/probe-scans.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { OwedScan, ScanRef } from '../../shared/domain/scan.ts';
import { scanId } from '../../shared/domain/scan.ts';
import { tickOf } from '../../shared/domain/schedule.ts';
import type { Mail } from '../../shared/mail/letter.ts';
import { raiseScan } from '../../shared/outcomes/raise-scan.ts';
import type { AuditStore, RaisedResult, Result } from '../../shared/store/audit-store.ts';
import { AMPLE, NOON, sampleHost } from '../support/samples.ts';
import { type Bug, findHostWith, storeWith } from './bugs.ts';
import { type Ledger, newLedger } from './ledger.ts';
import { memoryStore, type SimulatedStore } from './memory-store.ts';
import { type Fault, newScheduler, type Scheduler, type Worker } from './scheduler.ts';
import { auditedAt, bounceText, canaryId, mailOf, type News, type Phase } from './server.ts';

const MINUTE = 60_000;
const VISIBILITY_MS = 6 * MINUTE;
const LEASE_MS = 10 * MINUTE; // of notices
const OWED_LEASE_MS = 15 * MINUTE;
const END_MS = 72 * 60 * MINUTE; // a digest is owed a day after the last
const STEPS_LIMIT = 20_000;
const SITTING_MS = 2 * MINUTE; // how long a delivery keeps others of the same scan from sending packets
// The recipients after each edit; the first of them stays.
const RECIPIENTS = [
  ['one@example.org', 'two@example.org'],
  ['one@example.org', 'three@example.org'],
] as const;

type Queue = 'scans' | 'notices' | 'events' | 'canaries';
type Message = { readonly queue: Queue; readonly body: string; visibleAt: number };

/** What the owner does at a minute: edits the settings, asks for a scan of the full table, or removes the host. */
export type Deed = { readonly at: number; readonly does: 'edits' | 'asks' | 'removes' };

/** What happens to events of SES, and to wake-up messages; each is asked once per event. Delays in milliseconds. */
export type Luck = {
  readonly event: () => { readonly copies: number; readonly delayMs: number };
  readonly message: () => { readonly copies: number; readonly delayMs: number };
  readonly skewMs: () => number;
  readonly refuses: () => boolean;
  /** How long a step takes, in milliseconds. */
  readonly lasts: () => number;
};

export type Plan = {
  readonly phases: readonly Phase[];
  /** Minutes at which scheduled scans come due. */
  readonly scans: readonly number[];
  readonly owner?: readonly Deed[];
  /** The call of a port before which the host is removed, whoever is under way. */
  readonly removedBefore?: number | undefined;
  readonly choose: (count: number) => number;
  readonly faultAt: (call: number, name: string) => Fault | undefined;
  readonly luck: Luck;
  readonly bug?: Bug | undefined;
};

export const NO_LUCK: Luck = {
  event: () => ({ copies: 1, delayMs: 0 }),
  message: () => ({ copies: 1, delayMs: 0 }),
  skewMs: () => 0,
  refuses: () => false,
  lasts: () => 0,
};

/** A mail that SES took: of which notice, for whom, and what its events were worth. */
export type Sent = { readonly noticeId: string; readonly recipient: string; readonly at: number; eventsIntact: boolean };

export type Run = {
  readonly host: Host;
  readonly sent: readonly Sent[];
  readonly ledger: Ledger;
  readonly all: ReturnType<ReturnType<typeof memoryStore>['all']>;
  readonly calls: number;
  readonly trace: readonly string[];
  readonly stuck: boolean;
};

/** Runs a plan until nothing is left to be done. */
export async function simulate(plan: Plan): Promise<Run> {
  const realTimeout = globalThis.setTimeout;
  // Waits between tries are over at once: what they wait for is up to the scheduler.
  globalThis.setTimeout = ((run: () => void) => setImmediate(run)) as unknown as typeof setTimeout;
  try {
    return await new World(plan).run();
  } finally {
    globalThis.setTimeout = realTimeout;
  }
}

class World {
  #now = NOON;
  readonly #plan: Plan;
  readonly #scheduler: Scheduler;
  readonly #memory: ReturnType<typeof memoryStore>;
  readonly #host = sampleHost({ alertRecipients: RECIPIENTS[0] });
  readonly #ledger = newLedger();
  readonly #messages: Message[] = [];
  readonly #sent: Sent[] = [];
  readonly #scans: number[];
  readonly #deeds: Deed[];
  readonly #sittings = new Map<string, { readonly worker: Worker; readonly until: number }>();
  #ticked = NOON - 1;
  #canaries = 0;
  #current: Worker | undefined;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#scans = plan.scans.map((minute) => NOON + minute * MINUTE);
    this.#deeds = (plan.owner ?? []).map(({ at, does }) => ({ at: NOON + at * MINUTE, does }));
    this.#ledger.recipients.push(RECIPIENTS[0]);
    this.#scheduler = newScheduler(plan.choose, (call, name) => {
      if (call === plan.removedBefore) this.#remove();
      const fault = plan.faultAt(call, name);
      // Whatever it was, it is taken up again when a message comes back, or a lease is over.
      if (fault !== undefined) this.#ledger.noteTrouble(this.#now, OWED_LEASE_MS);
      return fault;
    });
    const between = async (step: string) => {
      const worker = this.#current;
      if (worker !== undefined) await this.#scheduler.call(worker, step, () => {});
    };
    this.#memory = memoryStore(() => this.#now, between, plan.bug !== 'no version check');
  }

  async run(): Promise<Run> {
    const { store } = this.#memory;
    const { accountId, id: hostId } = this.#host;
    await store.moveCursor(undefined, tickOf(NOON));
    await store.registerHost(this.#host, { accountId, hostId, scanId: scanId(NOON, 'first'), dueAt: NOON, tries: 0 }, AMPLE);
    let steps = 0;
    for (; steps < STEPS_LIMIT && this.#now < NOON + END_MS; steps++) {
      this.#now += this.#plan.luck.lasts();
      if (this.#scheduler.waiting() > 0 && !this.#startsSomething()) {
        await this.#scheduler.step();
        continue;
      }
      if (this.#startWork()) await new Promise<void>((quiet) => setImmediate(quiet));
      else if (this.#scheduler.waiting() > 0) await this.#scheduler.step();
      else if (!this.#advance()) break;
    }
    const stuck = steps >= STEPS_LIMIT || this.#now >= NOON + END_MS;
    const { calls, trace } = this.#scheduler;
    return { host: this.#host, sent: this.#sent, ledger: this.#ledger, all: this.#memory.all(), calls: calls(), trace, stuck };
  }

  // Half of the time something new begins beside what runs already.
  #startsSomething(): boolean {
    return this.#plan.choose(2) === 0;
  }

  #startWork(): boolean {
    const visible = this.#messages.filter(({ visibleAt }) => visibleAt <= this.#now);
    const tick = this.#now - this.#ticked >= MINUTE && (this.#memory.nextDue() ?? Number.POSITIVE_INFINITY) <= this.#now;
    const scan = this.#scans[0] !== undefined && this.#scans[0] <= this.#now ? this.#scans[0] : undefined;
    const deed = this.#deeds[0] !== undefined && this.#deeds[0].at <= this.#now ? this.#deeds[0] : undefined;
    const options: (() => void)[] = [
      ...visible.map((message) => () => this.#deliver(message)),
      ...(tick ? [() => this.#dispatch()] : []),
      ...(scan === undefined ? [] : [() => this.#scheduled(scan)]),
      ...(deed === undefined ? [] : [() => this.#owner(deed)]),
    ];
    const chosen = options[this.#plan.choose(options.length)];
    chosen?.();
    return chosen !== undefined;
  }

  #advance(): boolean {
    const due = this.#memory.nextDue();
    const next = [
      ...this.#messages.map(({ visibleAt }) => visibleAt),
      ...this.#scans,
      ...this.#deeds.map(({ at }) => at),
      ...(due === undefined ? [] : [Math.max(due, this.#ticked + MINUTE)]),
    ].filter((at) => at > this.#now);
    if (next.length === 0) return false;
    this.#now = Math.min(...next);
    return true;
  }

  #scheduled(at: number): void {
    this.#scans.shift();
    const ref = { accountId: this.#host.accountId, hostId: this.#host.id, scanId: scanId(at, 'scheduled') };
    this.#enqueue('scans', JSON.stringify(ref));
  }

  // Who hears of a failure does nothing more: it is up to the owner to do it again.
  #owner({ at, does }: Deed): void {
    this.#deeds.shift();
    const { accountId, id: hostId } = this.#host;
    this.#start('owner', async (worker) => {
      const store = this.#store(worker);
      const host = await store.findHost(accountId, hostId);
      if (host === undefined) return;
      if (does === 'asks') await store.owe({ accountId, hostId, scanId: scanId(at, 'on-demand'), dueAt: at, tries: 0 });
      if (does === 'removes') await store.removeHost(host);
      if (does !== 'edits') return;
      const alertRecipients = RECIPIENTS[host.revision % RECIPIENTS.length] ?? RECIPIENTS[0];
      this.#ledger.recipients.push(alertRecipients);
      await store.changeSettings(host, { ...host.settings, alertRecipients, ports: [25, 587] });
    });
  }

  #remove(): void {
    for (const host of this.#memory.all().hosts) void this.#memory.store.removeHost(host);
    this.#ledger.noteRemoved();
  }

  #dispatch(): void {
    this.#ticked = this.#now;
    this.#start('dispatch', (worker) => {
      const services = {
        store: this.#store(worker),
        wakeScans: async (refs: readonly ScanRef[]) =>
          void (await this.#port(worker, 'sqs.scans', () => {
            for (const ref of refs) this.#enqueue('scans', JSON.stringify(ref));
          })),
        wakeNotices: this.#wakeNotices(worker),
        clock: this.#clock(),
        count: () => {},
        owedLeaseMs: OWED_LEASE_MS,
      };
      return dispatch(services);
    });
  }

  #deliver(message: Message): void {
    message.visibleAt = this.#now + VISIBILITY_MS;
    this.#start(
      message.queue,
      (worker) => this.#handle(worker, message),
      (done) => {
        // It may have come twice, to two workers, and be gone already.
        const at = this.#messages.indexOf(message);
        if (done && at >= 0) this.#messages.splice(at, 1);
      },
    );
  }

  async #handle(worker: Worker, { queue, body }: Message): Promise<void> {
    const store = this.#store(worker);
    const log = { info: () => {}, error: () => {} };
    const clock = this.#clock();
    const wakeNotices = this.#wakeNotices(worker);
    if (queue === 'events') return takeEvent(body, { store, clock, log });
    if (queue === 'notices') return this.#notify(worker, body);
    if (queue === 'canaries') {
      const { what, canary } = JSON.parse(body) as { what: News['what']; canary: string };
      const readMail = (id: string) => this.#port(worker, 'mails.read', () => bounceText(id));
      await takeArrival(mailOf(what, canary), { store, clock, log, wakeNotices, readToken: (text) => text, readMail });
      return;
    }
    return this.#probe(worker, store, JSON.parse(body) as ScanRef);
  }

  async #probe(worker: Worker, store: AuditStore, ref: ScanRef): Promise<void> {
    const log = { info: () => {}, error: () => {} };
    const clock = this.#clock();
    const wakeNotices = this.#wakeNotices(worker);
    const { hosts, owed } = this.#memory.all();
    const waits = owed.some(({ scanId: id, begun }) => id === ref.scanId && begun?.awaits !== undefined);
    const silence = waits ? 'waited for its messages' : hosts.length === 0 ? 'was of a removed host' : undefined;
    const failed = await probeScans([ref], {
      store,
      audit: (_, order) => {
        if (silence !== undefined) this.#ledger.breaches.push(`packets were sent for ${ref.scanId}, which ${silence}`);
        return this.#audit(worker, ref, order);
      },
      turns: () => ({ take: async () => ({ granted: true }) as const, end: async () => {}, booked: () => ({}) }),
      canaries: () => async (about) => {
        const id = canaryId(++this.#canaries);
        await store.expectCanary({ id, ...ref, ...about, sentAt: clock() });
        return { id, token: id };
      },
      raise: async (_ref, returns) => void (await raiseScan({ store, wakeNotices, log }, ref, returns)),
      egressBlocked: async () => false,
      dnsAnswers: async () => true,
      wakeNotices,
      clock,
      count: () => {},
      log,
      confirmDelayMs: 5 * MINUTE,
      continueMs: 5 * MINUTE,
      putOffMs: 15 * MINUTE,
      awaitMs: 60 * MINUTE,
    });
    if (failed.length > 0) throw new Error('not stored');
  }

  #notify(worker: Worker, noticeId: string): Promise<void> {
    const store = this.#store(worker);
    const { bug } = this.#plan;
    const send = (id: string, recipient: string) =>
      this.#port(worker, 'ses.send', () => {
        this.#ledger.noteHandover(worker, id);
        return this.#take(id, recipient);
      });
    const findHost = findHostWith(bug, store.findHost, this.#host);
    const early: Partial<SimulatedStore> = {
      async claimNotice(id, now, until) {
        const there = await store.findNotice(id);
        if (there?.dueAt !== undefined && there.dueAt <= now) await send(id, there.notice.recipient);
        return store.claimNotice(id, now, until);
      },
    };
    return notify(noticeId, {
      store: bug === 'send before claim' ? { ...store, ...early } : { ...store, findHost },
      async send(_mail: Mail, recipient, { notice: id = '' } = {}) {
        if (bug === 'send before claim') return { kind: 'accepted', messageId: 'sent already' };
        if (bug === 'mark before send') await store.settleNotice(id, { outcome: 'sent' }, 0);
        return send(id, recipient);
      },
      call: async () => ({ kind: 'taken' }),
      clock: this.#clock(),
      log: { info: () => {}, error: () => {} },
      siteUrl: 'https://audit.example',
      egressAddresses: [],
      unsubscribeUrl: () => 'https://audit.example/unsubscribe?token=x',
      claimLeaseMs: LEASE_MS,
      gatherMs: 10 * MINUTE,
      wait: async () => {},
    });
  }

  // SES takes a mail, and publishes what becomes of it.
  #take(noticeId: string, recipient: string) {
    if (this.#plan.luck.refuses()) return { kind: 'refused', why: 'throttled' } as const;
    const sent: Sent = { noticeId, recipient, at: this.#now, eventsIntact: false };
    this.#sent.push(sent);
    for (const eventType of ['Send', 'Delivery']) {
      const { copies, delayMs } = this.#plan.luck.event();
      if (copies > 0) sent.eventsIntact = true;
      const body = JSON.stringify({ eventType, mail: { messageId: `message-${this.#sent.length}`, tags: { notice: [noticeId] } } });
      for (let copy = 0; copy < copies; copy++) this.#messages.push({ queue: 'events', body, visibleAt: this.#now + delayMs });
    }
    return { kind: 'accepted', messageId: `message-${this.#sent.length}` } as const;
  }

  async #audit(worker: Worker, { scanId: id }: ScanRef, order: AuditOrder): Promise<Finding> {
    const minute = (this.#now - NOON) / MINUTE;
    const phase = this.#plan.phases.findLast(({ from }) => from <= minute);
    const busyUntil = await this.#port(worker, 'smtp', () => {
      const held = this.#sittings.get(id);
      if (held !== undefined && held.worker !== worker && held.until > this.#now) return held.until;
      this.#sittings.set(id, { worker, until: this.#now + SITTING_MS });
      this.#ledger.noteSitting(id);
      return undefined;
    });
    if (busyUntil !== undefined) return { untested: 'address-busy', legs: [], retryAt: busyUntil };
    return auditedAt(
      phase,
      order,
      () => this.#plan.choose(2) === 0,
      (canary, { what, after, copies }) => {
        const visibleAt = this.#now + after * MINUTE;
        for (let copy = 0; copy < copies; copy++)
          this.#messages.push({ queue: 'canaries', body: JSON.stringify({ what, canary }), visibleAt });
      },
    );
  }

  #start(name: string, run: (worker: Worker) => Promise<unknown>, onEnd: (done: boolean) => void = () => {}): void {
    this.#scheduler.start(name, run, onEnd);
  }

  #clock(): () => number {
    const skew = this.#plan.luck.skewMs();
    return () => this.#now + skew;
  }

  #wakeNotices(worker: Worker) {
    return async (ids: readonly string[]) =>
      void (await this.#port(worker, 'sqs.notices', () => {
        for (const id of ids) this.#enqueue('notices', id);
      }));
  }

  #enqueue(queue: Queue, body: string): void {
    const { copies, delayMs } = this.#plan.luck.message();
    if (copies === 0 || delayMs > 0) this.#ledger.noteTrouble(this.#now, copies === 0 ? OWED_LEASE_MS : delayMs);
    for (let copy = 0; copy < copies; copy++) this.#messages.push({ queue, body, visibleAt: this.#now + delayMs });
  }

  #port<T>(worker: Worker, name: string, effect: () => T | Promise<T>): Promise<T> {
    return this.#scheduler.call(worker, name, () => {
      this.#current = worker;
      return effect();
    });
  }

  // Every method of the store is a port.
  #store(worker: Worker): AuditStore {
    const { store } = this.#memory;
    const wrapped = Object.entries(store).map(([name, method]) => [
      name,
      name === 'hostsInSlot'
        ? method
        : (...args: unknown[]) =>
            this.#port(worker, name, async () => {
              const answer = await (method as (...all: unknown[]) => Promise<unknown>)(...args);
              this.#ledger.noteAsked(worker);
              this.#note(name as keyof SimulatedStore, args, answer);
              return answer;
            }),
    ]);
    return storeWith(this.#plan.bug, Object.fromEntries(wrapped) as AuditStore, () => this.#now);
  }

  // Writes down what was stored, for the judge.
  #note(name: keyof SimulatedStore, args: readonly unknown[], answer: unknown): void {
    if (name === 'removeHost' && answer === true) this.#ledger.noteRemoved();
    if (name === 'continueScan' && answer === true) this.#ledger.noteWait(args[1] as OwedScan);
    if ((name !== 'storeResult' && name !== 'storeRaised') || answer !== 'stored') return;
    const { scan, effect } = args[0] as Result | RaisedResult;
    this.#ledger.noteStored(this.#now, scan, name === 'storeResult' && effect.kind !== 'late');
  }
}
