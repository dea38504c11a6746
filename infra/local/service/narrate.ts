import * as z from 'zod';

const entry = z.looseObject({ level: z.string(), message: z.string(), service: z.string().optional() });
const scanned = z.object({
  host: z.string(),
  verdict: z.string(),
  reason: z.string(),
  completed: z.number(),
  planned: z.number(),
  changedTo: z.string().optional(),
});
const unfinished = scanned.pick({ host: true, reason: true, completed: true, planned: true });
const raised = z.object({
  host: z.string(),
  arrivals: z.number().optional(),
  bounces: z.number().optional(),
  changedTo: z.string().optional(),
});
const failed = z.object({ error: z.object({ name: z.string(), message: z.string() }) });
const mailed = z.union([z.object({ host: z.string(), occasion: z.string(), to: z.string() }), z.object({ hosts: z.number() })]);

const STATES: Record<string, string> = { open: 'is an open relay', suspected: 'answers as an open relay', closed: 'closed again' };
const OCCASIONS: Record<string, string> = {
  digest: 'keeps changing',
  reminder: 'a reminder',
  silent: 'cannot be audited',
  back: 'can be audited again',
};

/** Tells a person what a log line of the handlers says; undefined for what is of no interest to one, such as metrics. */
export function narrate(line: string): string | undefined {
  const parsed = entry.safeParse(parseJson(line));
  if (!parsed.success) return line.startsWith('{') || line.trim() === '' ? undefined : line;
  const { message, level, ...fields } = parsed.data;
  if (message === 'scanned') {
    const { host, verdict, reason, completed, planned, changedTo } = scanned.parse(fields);
    const change = changedTo === undefined ? '' : ` - confirmed change to ${changedTo}`;
    return `scanned ${host}: ${verdict} (${reason}), ${completed} of ${planned} tests completed${change}`;
  }
  if (message === 'goes on later') {
    const { host, reason, completed, planned } = unfinished.parse(fields);
    if (reason === 'awaiting-messages') return `${host}: takes any local part; the messages that we sent through it are waited for`;
    return `${host}: ${completed} of ${planned} tests completed so far (${reason}); it is asked again later`;
  }
  if (message === 'raised') return ofRaised(raised.parse(fields));
  if (message === 'mailed') {
    const mail = mailed.parse(fields);
    if ('hosts' in mail) return `mailed an owner: news of ${mail.hosts} hosts`;
    return `mailed the owner of ${mail.host}: ${OCCASIONS[mail.occasion] ?? STATES[mail.to] ?? mail.to}`;
  }
  if (level === 'INFO') return undefined;
  const { data } = failed.safeParse(fields);
  return `${level.toLowerCase()}: ${message} ${data === undefined ? JSON.stringify(fields) : `(${data.error.name}: ${data.error.message})`}`;
}

// Of several messages of a scan the first says it all.
function ofRaised({ host, arrivals = 0, bounces = 0, changedTo }: z.output<typeof raised>): string | undefined {
  if (changedTo !== undefined) return `a message that we sent through ${host} came back - change to ${changedTo}`;
  if (arrivals + bounces !== 1) return undefined;
  return `a message that we sent through ${host} ${arrivals === 1 ? 'came back' : 'was bounced to us'}`;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
