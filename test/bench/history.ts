import { BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { scanId } from '../../shared/domain/scan.ts';
import { keys } from '../../shared/store/keys.ts';
import { NOON, sampleHost, sampleScan } from '../support/samples.ts';
import { startTable } from '../support/table.ts';
import { type Figure, median } from './figure.ts';

const TOTALS = [1_000, 10_000, 100_000];
const PAGE = 50;
const RUNS = 50;
const BATCH = 25; // most items that one BatchWriteItem takes

/** The newest page of 50 scans, and one from the middle, out of histories of growing length: its cost must not grow with them. */
export async function measureHistory(): Promise<Figure[]> {
  const table = await startTable(() => NOON + 60_000 * 200_000, 10 ** 12);
  const document = DynamoDBDocumentClient.from(table.client, { marshallOptions: { removeUndefinedValues: true } });
  const figures: Figure[] = [];
  for (const total of TOTALS) {
    const host = sampleHost();
    for (let first = 0; first < total; first += BATCH) {
      const items = Array.from({ length: BATCH }, (_, i) => NOON + (first + i) * 60_000).map((at) => {
        const { hostId, id, ...scan } = sampleScan(host, scanId(at, 'scheduled'), at);
        return { PutRequest: { Item: { ...keys.scan(hostId, id), ...scan } } };
      });
      await document.send(new BatchWriteCommand({ RequestItems: { [table.name]: items } }));
    }
    const middle = scanId(NOON + (total / 2) * 60_000, 'scheduled');
    const times: number[] = [];
    table.meter.reset();
    for (let run = 0; run < RUNS; run++) {
      const began = performance.now();
      const { items } = await table.store.listScans(host.id, { limit: PAGE, after: run % 2 === 0 ? undefined : middle });
      times.push(performance.now() - began);
      if (items.length !== PAGE) throw new Error('a page is not full');
    }
    figures.push({ what: `page of ${PAGE} out of ${total}: read units`, value: table.meter.readUnits / RUNS, unit: 'units', limit: 13 });
    figures.push({ what: `page of ${PAGE} out of ${total}: median of ${RUNS}`, value: median(times), unit: 'ms' });
  }
  await table.stop();
  return figures;
}
