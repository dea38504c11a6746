import type { OperatorNetworksOf } from '../domain/operators.ts';
import type { Send } from '../mail/mailer.ts';
import type { Lookups } from '../network/lookups.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Registration } from '../runtime/config.ts';
import type { Secrets } from '../runtime/secrets.ts';
import type { AuditStore } from '../store/audit-store.ts';

/** What the operations of accounts work with, called by the API or by pages. */
export type Operations = {
  readonly store: AuditStore;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly send: Send;
  readonly lookups: Lookups;
  /** The operator's networks, for accounts of the operator. */
  readonly operatorNetworksOf: OperatorNetworksOf;
  /** The token that proofs of consent of an account hold. */
  readonly tokenOf: (accountId: string) => string;
  /** The ports that this deployment probes. */
  readonly probePorts: readonly number[];
  /** The addresses that our probes come from; empty where the deployment does not know them. */
  readonly egressAddresses: readonly string[];
  /** The name that our probes say EHLO with. */
  readonly ehloName: string;
  /** Who may open an account. */
  readonly registration: Registration;
  /** Where the links of mails lead to, without a slash at the end. */
  readonly siteUrl: string;
  readonly wait: (ms: number) => Promise<unknown>;
  /** Logs trouble on our side that fails no request. */
  readonly note: (message: string, fields: object) => void;
};

/** Somebody who acts in the name of an account. */
export type Acting = Operations & { readonly accountId: string };
