import type { SignedRoute } from './call.ts';
import { check, reaffirm, showConsent } from './consent.ts';
import { askHere, checkHere } from './here.ts';
import { callAgain, showNotices } from './notices.ts';
import { askHost, register } from './register.ts';
import { addDomains, askDelete, deleteHost, saveSettings, showSettings } from './settings.ts';

/** What an owner registers and decides. */
export const OWNER_ROUTES: readonly SignedRoute[] = [
  ['GET', '/hosts/new', askHost],
  ['POST', '/hosts', register],
  ['GET', '/here', askHere],
  ['POST', '/here', checkHere],
  ['GET', '/hosts/{id}/consent', showConsent],
  ['POST', '/hosts/{id}/consent/check', check],
  ['POST', '/hosts/{id}/consent/reaffirm', reaffirm],
  ['GET', '/hosts/{id}/settings', showSettings],
  ['POST', '/hosts/{id}/settings', saveSettings],
  ['POST', '/hosts/{id}/domains', addDomains],
  ['GET', '/hosts/{id}/delete', askDelete],
  ['POST', '/hosts/{id}/delete', deleteHost],
  ['GET', '/hosts/{id}/notices', showNotices],
  ['POST', '/hosts/{id}/notices/{noticeId}/repeat', callAgain],
];
