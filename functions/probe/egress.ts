import { connect } from '../../shared/network/connect.ts';
import { permitOperatorsEndpoint } from '../../shared/network/target-policy.ts';

export type Endpoint = { readonly address: string; readonly port: number };

const CONNECT_MS = 10_000;

/**
 * Whether our own way out to a port is blocked: none of the operator's endpoints at that port, which are known to be up,
 * takes a connection. Without such endpoints it cannot be told, and is not claimed.
 */
export async function egressBlocked(endpoints: readonly Endpoint[], port: number): Promise<boolean> {
  const known = endpoints.filter((endpoint) => endpoint.port === port);
  if (known.length === 0) return false;
  const answers = await Promise.all(known.map(takesConnection));
  return !answers.includes(true);
}

async function takesConnection({ address, port }: Endpoint): Promise<boolean> {
  const permitted = permitOperatorsEndpoint(address);
  if (permitted === undefined) return false;
  const connection = await connect(permitted, port, CONNECT_MS, async () => undefined).catch(() => undefined);
  if (connection?.kind === 'connected') connection.socket.destroy();
  return connection?.kind === 'connected';
}
