import { ASSETS } from '../../shared/pages/assets.ts';
import { answer, type OpenRoute } from './call.ts';

const KEPT_S = 365 * 24 * 60 * 60; // a new version has another address
const ICON_KEPT_S = 24 * 60 * 60;

/** What pages load beside themselves. */
export const ASSET_ROUTES: readonly OpenRoute[] = ASSETS.map(({ path, type, body }) => {
  const kept = path.endsWith('.svg') ? `public, max-age=${ICON_KEPT_S}` : `public, max-age=${KEPT_S}, immutable`;
  return ['GET', path, async () => answer(200, type, body, { 'cache-control': kept })];
});
