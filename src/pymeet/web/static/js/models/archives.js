// How an archive of one's data stands, from what the server says about it.

/** @import { Archive } from '../api-privacy.js' */

/** How often to look while an archive is being made. */
export const LOOK_AGAIN_MS = 2000;

/** @typedef {'building' | 'ready' | 'used' | 'ended' | 'failed'} ArchiveState */

/** @param {Archive} archive @param {number} nowMs @returns {ArchiveState} */
export function archiveState(archive, nowMs) {
  if (archive.state === 'building' || archive.state === 'failed') return archive.state;
  if (archive.downloads_left <= 0) return 'used';
  return archive.link_until !== null && archive.link_until > nowMs ? 'ready' : 'ended';
}

/** The one that was asked for last. @param {readonly Archive[]} archives @returns {Archive | null} */
export function newestArchive(archives) {
  return [...archives].sort((a, b) => b.requested_at - a.requested_at)[0] ?? null;
}
