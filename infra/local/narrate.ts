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
const raised = z.object({ host: z.string(), arrivals: z.number(), changedTo: z.string().optional() });
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
    return `${host}: ${completed} of ${planned} tests completed so far (${reason}); it is asked again later`;
  }
  if (message === 'raised') {
    const { host, arrivals, changedTo } = raised.parse(fields);
    if (arrivals > 1 && changedTo === undefined) return undefined; // the first of a scan says it all
    return `a message that we sent through ${host} came back${changedTo === undefined ? '' : ` - change to ${changedTo}`}`;
  }
  if (message === 'mailed') {
    const mail = mailed.parse(fields);
    if ('hosts' in mail) return `mailed an owner: news of ${mail.hosts} hosts`;
    return `mailed the owner of ${mail.host}: ${OCCASIONS[mail.occasion] ?? STATES[mail.to] ?? mail.to}`;
  }
  if (level === 'INFO') return undefined;
  const { data } = failed.safeParse(fields);
  return `${level.toLowerCase()}: ${message} ${data === undefined ? JSON.stringify(fields) : `(${data.error.name}: ${data.error.message})`}`;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
