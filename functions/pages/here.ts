import { readSource, scanHere } from '../../shared/accounts/here.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import { herePage } from '../../shared/pages/here.ts';
import { page, type SignedCall, type SignedVerb, seeOther } from './call.ts';
import { readForm } from './read-form.ts';

/** `GET /here` */
export const askHere: SignedVerb = async (call) => page(200, herePage({ visitor: call.visitor, ...shown(call) }));

/** `POST /here`: for the address that the page has shown. A browser may come from another by now, such as over IPv6 after IPv4. */
export const checkHere: SignedVerb = async (call) => {
  const now = shown(call);
  if (readForm(call).get('address') !== now.address)
    return page(409, herePage({ visitor: call.visitor, ...now, told: 'You come from another address now. Nothing was checked.' }));
  try {
    const { host } = await scanHere(call, sourceOf(call));
    return seeOther(`/hosts/${host.id}`);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return page(error.status, herePage({ visitor: call.visitor, address: now.address, why: error.message }), error.headers);
  }
};

// What the gateway saw of the connection. A header would say whatever its sender likes.
function sourceOf({ event }: SignedCall): string {
  return event.requestContext.http.sourceIp;
}

function shown(call: SignedCall): { address: string; why?: string } {
  const source = readSource(call, sourceOf(call));
  return 'why' in source ? { address: source.text, why: source.why } : { address: source.text };
}
